package compose_test

import (
	"strings"
	"testing"
	"time"

	"lull/digest/compose"
	"lull/digest/compose/composetest"
)

// field is one header field of a digest, unfolded and decoded.
func field(t *testing.T, in compose.Input, name string) string {
	t.Helper()
	raw, _, err := compose.Mail(in)
	if err != nil {
		t.Fatal(err)
	}
	h := parse(t, raw).header
	s, err := h.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMarksOfAutomation(t *testing.T) {
	in := composetest.Quiet()
	for name, want := range map[string]string{
		"From": "lull <lull@lull.tools.example.org>", "To": "<tools.foo@tools.example.org>",
		"Date": "Mon, 07 Oct 2019 16:00:00 +0000", "Message-ID": "<" + in.ID + "@" + in.Host + ">",
		"X-Lull-Digest": in.ID + " " + in.Host, "Auto-Submitted": "auto-generated", "Precedence": "bulk",
		"X-Auto-Response-Suppress": "All", "Subject": "lull tools.foo: 1 open, 1 new, 1 recovered, 1 notice (7 mails)",
	} {
		if got := field(t, in, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestThreads keeps the digests of a reader's day in one thread, and those of
// other days and readers out of it.
func TestThreads(t *testing.T) {
	in := composetest.Quiet()
	root := strings.Fields(field(t, in, "References"))[0]
	if got, want := field(t, in, "In-Reply-To"), "<"+in.LastID+"@"+in.Host+">"; got != want {
		t.Errorf("in reply to %s, want %s", got, want)
	}
	first := in
	first.LastID, first.Since = "", time.Time{}
	if got := field(t, first, "In-Reply-To"); got != root {
		t.Errorf("the first is in reply to %s, want %s", got, root)
	}
	tomorrow := in
	tomorrow.Now = in.Now.AddDate(0, 0, 1)
	if got := field(t, tomorrow, "References"); strings.Contains(got, root) || strings.Contains(got, in.LastID) {
		t.Errorf("tomorrow's refers to %s", got)
	}
	other := in
	other.Reader = "tools.bar@tools.example.org"
	if got := field(t, other, "References"); strings.Contains(got, root) {
		t.Errorf("another reader's refers to %s", got)
	}
	if field(t, other, "List-Id") == field(t, in, "List-Id") {
		t.Error("two readers share a List-Id")
	}
}

func TestIdentityIsChecked(t *testing.T) {
	for name, break_ := range map[string]func(*compose.Input){
		"no id":     func(in *compose.Input) { in.ID = "" },
		"id":        func(in *compose.Input) { in.ID = "a>\r\nBcc: x" },
		"host":      func(in *compose.Input) { in.Host = "a b" },
		"last id":   func(in *compose.Input) { in.LastID = "x@y" },
		"no to":     func(in *compose.Input) { in.To = "" },
		"from":      func(in *compose.Input) { in.From = "nobody" },
		"from name": func(in *compose.Input) { in.From = "é@example.org" },
	} {
		in := composetest.Quiet()
		break_(&in)
		if _, _, err := compose.Mail(in); err == nil {
			t.Errorf("%s: composed", name)
		}
	}
}

// TestLevels shows less at each level, and counts the same.
func TestLevels(t *testing.T) {
	in := composetest.Storm(3000)
	const quote, host, title = "Socket timeout after 10 seconds", "tools-worker-[", "toolschecker: NFS read/writeable"
	for level, want := range []struct {
		files, parts int
		has, hasNot  []string
	}{
		compose.Full:        {3, 2, []string{quote, host, title}, nil},
		compose.NoOriginals: {0, 2, []string{quote, host, title}, nil},
		compose.TitlesOnly:  {0, 1, []string{title}, []string{quote, host}},
	} {
		in.Level = compose.Level(level)
		raw, told, err := compose.Mail(in)
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, raw)
		check(t, in, raw, told, m)
		if len(m.files) != want.files || (len(m.html) > 0) != (want.parts == 2) {
			t.Errorf("level %d: %d files, %d bytes of html", level, len(m.files), len(m.html))
		}
		for _, s := range want.has {
			if !strings.Contains(string(m.text), s) {
				t.Errorf("level %d lacks %q", level, s)
			}
		}
		for _, s := range want.hasNot {
			if strings.Contains(string(raw), s) {
				t.Errorf("level %d has %q", level, s)
			}
		}
	}
}

// TestOthersStayHidden looks for the other recipient of every mail.
func TestOthersStayHidden(t *testing.T) {
	for name, in := range scenes() {
		raw, _, err := compose.Mail(in)
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, raw)
		all := string(raw) + string(m.text) + string(m.html)
		for _, f := range m.files {
			if !strings.Contains(string(f), "From: alerts@example.org") {
				t.Errorf("%s: an original without its header: %s", name, f)
			}
			all += string(f)
		}
		if strings.Contains(all, "other@example.net") {
			t.Errorf("%s names another recipient", name)
		}
	}
}

// TestTooLarge counts the originals that do not fit.
func TestTooLarge(t *testing.T) {
	in := composetest.Storm(3000)
	in.Body = func(string) ([]byte, error) {
		return []byte("Subject: x\r\n\r\n" + strings.Repeat("long\r\n", 10_000)), nil
	}
	raw, told, err := compose.Mail(in)
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, raw)
	check(t, in, raw, told, m)
	if told.Omitted.Originals != 3 || len(m.files) != 0 || !strings.Contains(string(m.text), "3 originals.\n  lull list --reader") {
		t.Errorf("%+v, %d files:\n%s", told.Omitted, len(m.files), m.text)
	}
}

// TestZone shows times in the reader's zone, and names it.
func TestZone(t *testing.T) {
	in := composetest.Quiet()
	in.Zone = time.FixedZone("IST", 5*3600+1800)
	raw, _, err := compose.Mail(in)
	if err != nil {
		t.Fatal(err)
	}
	text := string(parse(t, raw).text)
	for _, s := range []string{"since 20:30 IST", "from 20:35 to 21:20", "Times are IST, UTC+05:30."} {
		if !strings.Contains(text, s) {
			t.Errorf("no %q in\n%s", s, text)
		}
	}
	in.Zone = time.FixedZone("-03", -3*3600)
	if s := field(t, in, "Date"); s != "Mon, 07 Oct 2019 16:00:00 +0000" {
		t.Errorf("date %s", s)
	}
	if raw, _, err = compose.Mail(in); err != nil || !strings.Contains(string(parse(t, raw).text), "since 12:00 UTC-03:00") {
		t.Errorf("%v, %s", err, parse(t, raw).text)
	}
}

// TestMissing says so when the store gave fewer copies than the batch has.
func TestMissing(t *testing.T) {
	in := composetest.Quiet()
	in.Entries = in.Entries[:5]
	raw, told, err := compose.Mail(in)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(parse(t, raw).text); told.Copies != 5 || !strings.Contains(text, "stands for 7 mails, but 5") {
		t.Errorf("told %d:\n%s", told.Copies, text)
	}
}
