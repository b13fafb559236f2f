package filter

import (
	"strings"
	"testing"
	"time"

	"lull/store"
)

var now = time.Date(2019, 10, 7, 20, 15, 0, 0, time.UTC)

// entry is a cron mail that a host tried to hand over for an hour.
func entry() store.Entry {
	m := &store.Message{
		ID:       "01DPKZ7R3M0000000000000001",
		Accepted: now.Add(-5 * time.Minute),
		Envelope: store.Envelope{From: "Root@tools-exec-07.Example.org", Client: "10.68.16.30"},
		Reading: store.Reading{
			Signature: store.Signature{ID: "s1-abcdefghijklmnopqrstuvwxyz"},
			Subject:   "Cron <tools.xmlfeed@tools-exec-07> /usr/bin/jsub",
			Sent:      now.Add(-65 * time.Minute),
			Excerpt:   "error: commlib error\ngot select error (Connection refused)",
			Reports: []store.Report{
				{Object: "tools-exec-07", State: store.Problem},
				{Object: "web3", State: store.Recovery},
			},
		},
	}
	c := store.Copy{Index: 2, To: "Ops@Example.org", Reader: "ops@example.org", Class: store.Alert, Number: 7, Incident: "i-4"}
	m.Copies = []store.Copy{{Index: 1}, c}
	return store.Entry{Message: m, Copy: c, Fate: store.InFlight}
}

func TestMatch(t *testing.T) {
	body := func() []byte { return []byte("Subject: x\r\n\r\nlast words: disk /dev/sda gone\r\n") }
	tests := map[string]bool{
		"":                                          true,
		"--from root@tools-exec-07.example.org":     true,
		"--from root@tools-exec-7.example.org":      false,
		"--from 'root@*'":                           true,
		"--from '*exec*example*'":                   true,
		"--from '*example*exec*'":                   false,
		"--from @tools-exec-07.example.org":         true,
		"--from @example.org":                       false,
		"--from '<>'":                               false,
		"--to OPS@EXAMPLE.ORG":                      true,
		"--to @example.org":                         true,
		"--to ops@example.or":                       false,
		"--reader ops@example.org":                  true,
		"--reader other@example.org":                false,
		"--reader x@y.z --reader ops@example.org":   true,
		"--subject 'cron.*jsub$'":                   true,
		"--subject '(?-i)cron'":                     false,
		"--subject jsub --subject nothing":          true,
		"--text '^got select'":                      true,
		"--text 'DISK /dev/sd[ab]'":                 true,
		"--text '(?-i)DISK'":                        false,
		"--signature s1-abcdefghijklmnopqrstuvwxyz": true,
		"--signature 's1-*'":                        true,
		"--signature s1":                            false,
		"--incident I-4":                            true,
		"--incident i-44":                           false,
		"--object web3":                             true,
		"--object 'TOOLS-*'":                        true,
		"--object web":                              false,
		"--is problem":                              true,
		"--is recovery":                             false,
		"--is recovery --is PROBLEM":                true,
		"--class alert":                             true,
		"--class pass":                              false,
		"--fate in_flight":                          true,
		"--fate in-flight --fate told":              true,
		"--fate waiting":                            false,
		"--older 1h":                                true,
		"--older 1h5m":                              true,
		"--older 1h6m":                              false,
		"--younger 1h5m":                            false,
		"--younger 1h5m1s":                          true,
		"--older 10m --younger 2d":                  true,
		"--since 19:10":                             true,
		"--since 19:10:01":                          false,
		"--until 19:10":                             false,
		"--until 19:11":                             true,
		"--since 2019-10-07":                        true,
		"--since '2019-10-07 19:10'":                true,
		"--until 2019-10-07T21:10:00+02:00":         false,
		"--client 10.68.16.30":                      true,
		"--client 10.68.0.0/16":                     true,
		"--client 10.69.0.0/16":                     false,
		"--client unix":                             false,
		"--id 01DPKZ7R3M0000000000000001":           true,
		"--id 01dpkz7r3m0000000000000001.2":         true,
		"--id 01DPKZ7R3M0000000000000001.1":         false,
		"--reader ops@example.org --is recovery":    false,
	}
	for text, want := range tests {
		f, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(entry(), now, body); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestMatchClients(t *testing.T) {
	tests := []struct {
		client, filter string
		want           bool
	}{
		{"unix", "--client UNIX", true},
		{"::ffff:10.1.2.3", "--client 10.0.0.0/8", true},
		{"10.1.2.3", "--client ::ffff:10.1.2.3", true},
		{"fe80::1%eth0", "--client fe80::/10", true},
		{"2001:db8::1", "--client 2001:db8::/32", true},
		{"", "--client 0.0.0.0/0", false},
	}
	for _, tt := range tests {
		f, err := Parse(tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		e := entry()
		e.Message.Envelope.Client = tt.client
		if got := f.Match(e, now, nil); got != tt.want {
			t.Errorf("%s against %q: %v", tt.filter, tt.client, got)
		}
	}
}

func TestNullSender(t *testing.T) {
	f, err := Parse("--from '<>'")
	if err != nil {
		t.Fatal(err)
	}
	e := entry()
	e.Message.Envelope.From = ""
	if !f.Match(e, now, nil) {
		t.Error("the null sender is not found")
	}
}

// TestBodyIsLazy: the message is read once, and only when it must be.
func TestBodyIsLazy(t *testing.T) {
	reads := 0
	body := func() []byte { reads++; return []byte("disk full") }
	tests := []struct {
		filter string
		want   bool
		reads  int
	}{
		{"--text commlib", true, 0},
		{"--text disk --reader nobody@x", false, 0},
		{"--text disk --older 10d", false, 0},
		{"--text none --text disk", true, 1},
		{"--subject cron", true, 0},
	}
	for _, tt := range tests {
		f, err := Parse(tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		reads = 0
		if got := f.Match(entry(), now, body); got != tt.want || reads != tt.reads {
			t.Errorf("%s: matched %v after %d reads, want %v after %d", tt.filter, got, reads, tt.want, tt.reads)
		}
	}
}

func TestSent(t *testing.T) {
	accepted := now
	tests := []struct {
		name      string
		own, want time.Time
	}{
		{"missing", time.Time{}, accepted},
		{"earlier", accepted.Add(-3 * time.Hour), accepted.Add(-3 * time.Hour)},
		{"in the future", accepted.Add(time.Second), accepted},
		{"too old", accepted.Add(-Oldest - time.Second), accepted},
		{"as old as may be", accepted.Add(-Oldest), accepted.Add(-Oldest)},
	}
	for _, tt := range tests {
		m := &store.Message{Accepted: accepted, Reading: store.Reading{Sent: tt.own}}
		if got := Sent(m); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestFixed(t *testing.T) {
	f, err := Parse("--since 19:06 --until 20:00:30 --older 1h")
	if err != nil {
		t.Fatal(err)
	}
	want := "--older 1h --since 2019-10-07T19:06:00Z --until 2019-10-07T20:00:30Z"
	if got := f.Fixed(now).String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if f.String() != "--older 1h --since 19:06 --until 20:00:30" {
		t.Errorf("Fixed changed the filter itself: %s", f)
	}
}

func TestCaptures(t *testing.T) {
	f, err := Parse(`--subject nothing --subject '<(?P<tool>tools\.\w+)@(\S+)>'`)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Captures(entry())
	want := map[string]string{"1": "tools.xmlfeed", "tool": "tools.xmlfeed", "2": "tools-exec-07"}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("capture %s is %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestValues(t *testing.T) {
	f, err := ParseArgs([]string{"--reader", "B@x", "--older=2h", "--reader", "a@x", "--reader", "b@X"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Values("reader"), " "); got != "b@x a@x" {
		t.Errorf("readers %q", got)
	}
	if f.Values("from") != nil || f.Empty() {
		t.Error("a key that is not there has values, or the filter is empty")
	}
}

func TestKeysExplainThemselves(t *testing.T) {
	for _, k := range Keys() {
		if k.Name == "" || k.Value == "" || k.Help == "" {
			t.Errorf("%+v lacks something", k)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b*c", "aXbYc")
	f.Add("*", "")
	f.Add("**a", "ba")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 20 {
			return
		}
		if got, want := glob(pattern, text), slow(pattern, text); got != want {
			t.Errorf("glob(%q, %q) = %v", pattern, text, got)
		}
	})
}

// slow says what a glob means.
func slow(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return slow(pattern[1:], text) || text != "" && slow(pattern, text[1:])
	}
	return text != "" && pattern[0] == text[0] && slow(pattern[1:], text[1:])
}
