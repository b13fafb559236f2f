package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lull.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDefaultsAreGood(t *testing.T) {
	for _, window := range []time.Duration{0, time.Second, time.Minute, time.Hour} {
		c, err := Load("", Flags{Window: window})
		if err != nil {
			t.Errorf("window %v: %v", window, err)
		}
		if want := filepath.Join("lull-state", "outbox"); c.Outbox != want {
			t.Errorf("outbox %q, want %q", c.Outbox, want)
		}
	}
}

// TestWindowScalesDefaults, and nothing that was written down.
func TestWindowScalesDefaults(t *testing.T) {
	c, err := Load(write(t, "window = \"10m\"\ntrash = \"2d\"\n"), Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if c.LateAfter != Duration(10*time.Minute) || c.Retain != Duration(28*time.Hour) || c.Schedule != "@every 10m0s" {
		t.Errorf("not scaled: late %v, retain %v, schedule %s", c.LateAfter, c.Retain, c.Schedule)
	}
	if c.Trash != Duration(48*time.Hour) {
		t.Errorf("trash is %v, the file says 2d", c.Trash)
	}
	c, err = Load(write(t, "window = \"10m\"\n"), Flags{Window: time.Minute})
	if err != nil || c.LateAfter != Duration(time.Minute) {
		t.Errorf("the flag must count before the file: late %v, %v", c.LateAfter, err)
	}
}

func TestFlagsCountBeforeTheFile(t *testing.T) {
	file := write(t, `
listen = ["127.0.0.1:1"]
state = "a"
schedule = "@daily"
[[smarthost]]
addr = "a.example:25"
`)
	c, err := Load(file, Flags{Listen: []string{"127.0.0.1:2"}, Smarthost: "b.example:26", State: "b", Schedule: "@hourly"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen[0] != "127.0.0.1:2" || c.State != "b" || c.Schedule != "@hourly" || len(c.Smarthost) != 1 || c.Smarthost[0].Addr != "b.example:26" {
		t.Errorf("%+v", c)
	}
	if c, err = Load(file, Flags{Outbox: "out"}); err != nil || len(c.Smarthost) != 0 || c.Outbox != "out" {
		t.Errorf("an outbox takes the place of the smarthost: %+v, %v", c.Smarthost, err)
	}
}

// TestEveryFaultAtOnceWithItsLine: each fault is expected as "line: key: part
// of the problem".
func TestEveryFaultAtOnceWithItsLine(t *testing.T) {
	text := `hostname = "not a host"
listn = ["127.0.0.1:2525"]
budget = "six"
window = "soon"
notices = -1
late_after = "1x"
networks = ["10.0.0.0/8", "ten"]
log = "xml"

[limits]
message = "big"
recipients = 3
hopes = 5

[[smarthost]]
addr = "mail.example.org"
tls = "maybe"
username = "u"

[[smarthost]]
addr = "b.example.org:25"
prot = 25

[release_check]
command = "true"
url = "ftp://x"

[digest]
from = "Lull <lull@example.org>"

[[reader]]
name = "ops@example.org"
addresses = ["root@example.org"]
schedule = "* * * * *"

[[reader]]
name = "anna@example.org"
addresses = ["ROOT@example.org"]
zone = "Mars/Olympus"

[[rule]]
name = "x"
class = "loud"
subject = "("
`
	_, err := Load(write(t, text), Flags{})
	var faults *Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []struct {
		line      int
		key, part string
	}{
		{1, "hostname", "letters, digits"},
		{2, "listn", "did you mean listen?"},
		{3, "budget", "a whole number"},
		{4, "window", "90s"},
		{5, "notices", "negative"},
		{6, "late_after", "90s"},
		{7, "networks[1]", "10.0.0.0/8"},
		{8, "log", "text or json"},
		{11, "limits.message", "50MB"},
		{12, "limits.recipients", "5321"},
		{13, "limits.hopes", "did you mean hops?"},
		{16, "smarthost[0].addr", "HOST:PORT"},
		{17, "smarthost[0].tls", "opportunistic"},
		{15, "smarthost[0]", "password_file"},
		{22, "smarthost[1].prot", "no such key"},
		{24, "release_check", "exclude"},
		{26, "release_check.url", "http"},
		{29, "digest.from", "lull@example.org"},
		{34, "reader[0].schedule", "budget"},
		{38, "reader[1].addresses[0]", "belongs to reader ops@example.org"},
		{39, "reader[1].zone", "Europe/Berlin"},
		{41, "rule[0]", "alert"},
		{41, "rule[0]", "subject"},
	} {
		if !told(faults.List, want.line, want.key, want.part) {
			t.Errorf("missing: line %d: %s: … %s …", want.line, want.key, want.part)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func told(list []Fault, line int, key, part string) bool {
	for _, f := range list {
		if f.Line == line && f.Key == key && strings.Contains(f.Problem, part) {
			return true
		}
	}
	return false
}

func TestBadFiles(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"no TOML":              {"listen = [", "line 1"},
		"twice":                {"budget = 1\nbudget = 2\n", "line 2"},
		"table for a value":    {"[listen]\na = 1\n", "must be a list"},
		"value for a table":    {"limits = 3\n", "must be a table"},
		"too many connections": {"[[smarthost]]\naddr = \"a:25\"\nmax_connections = 5000\n", "1 to 1000"},
		"value for tables":     {"smarthost = \"a:25\"\n", "[[smarthost]]"},
		"too many digests":     {"schedule = \"@every 5m\"\n", "12 times"},
		"never due":            {"schedule = \"0 0 30 2 *\"\n", "never due"},
		"tls without a key":    {"[tls]\ncertificate = \"x.pem\"\n", "belong together"},
		"door without a key":   {"listen = [\"tls:127.0.0.1:2465\"]\n", "needs a certificate"},
		"path too long":        {"state = \"" + strings.Repeat("x", 120) + "\"\n", "shorter path"},
		"missing file":         {"[[smarthost]]\naddr = \"a:25\"\nca = \"/nowhere/ca.pem\"\n", "no such file"},
	} {
		_, err := Load(write(t, test.text), Flags{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want … %s …", name, err, test.want)
		}
	}
	if _, err := Load("nowhere.toml", Flags{}); err == nil || !strings.Contains(err.Error(), "--config") {
		t.Errorf("no file: %v", err)
	}
}

func TestSecretsAreForTheOwnerAlone(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := "[[smarthost]]\naddr = \"a:25\"\nusername = \"u\"\npassword_file = \"" + secret + "\"\n"
	if _, err := Load(write(t, text), Flags{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a secret that all may read: %v", err)
	}
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(write(t, text), Flags{}); err != nil {
		t.Error(err)
	}
}

// TestWhatIsShownCanBeLoaded: the effective values are a file that gives them
// again, and so is the sample.
func TestWhatIsShownCanBeLoaded(t *testing.T) {
	c := specimen()
	var b strings.Builder
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := Load(write(t, b.String()), Flags{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	again.file, again.lines, c.Outbox = "", nil, again.Outbox
	for _, list := range []*[]string{&again.Proxies, &again.Limits.SenderDomains, &again.Limits.RecipientDomains} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("shown:\n%+v\nloaded:\n%+v", c, again)
	}
	if _, err := Load(write(t, Sample()), Flags{}); err != nil {
		t.Errorf("sample: %v", err)
	}
	bare := strings.NewReplacer("\n#", "\n").Replace(Sample())
	lines := strings.Split(bare, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, " ") || i == 0 {
			lines[i] = "" // help
		}
	}
	if _, err := Load(write(t, strings.Join(lines, "\n")), Flags{}); err != nil {
		t.Errorf("sample with everything in force: %v", err)
	}
}

func TestEveryKeyHasHelp(t *testing.T) {
	for _, k := range Reference() {
		if len(k.Help) < 10 || strings.HasSuffix(k.Help, ".") {
			t.Errorf("%s: help %q", k.Key, k.Help)
		}
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "4096": 4096, "100kB": 100 << 10, "50MB": 50 << 20, "2GB": 2 << 30, "1TiB": 1 << 40, "7 M": 7 << 20} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: got %d, %v", text, s, err)
		}
		var again Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%s prints %s, which reads %d, %v", text, s, again, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "1.5GB", "9999999999GB"} {
		var s Size
		if s.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q was taken for %d bytes", text, s)
		}
	}
	for _, d := range []time.Duration{0, time.Second, 90 * time.Second, time.Hour, 36 * time.Hour, 48 * time.Hour, time.Hour + time.Second} {
		var again Duration
		if err := again.UnmarshalText([]byte(Duration(d).String())); err != nil || time.Duration(again) != d {
			t.Errorf("%v prints %s, which reads %v, %v", d, Duration(d), again, err)
		}
	}
}

func TestStateNeedsNothingElse(t *testing.T) {
	got, err := State(write(t, "state = \"/var/lib/lull\"\nbudget = \"six\"\n"))
	if err != nil || got != "/var/lib/lull" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := State(""); err != nil || got != "lull-state" {
		t.Errorf("without a file: %q, %v", got, err)
	}
}

func TestFaultsAreCounted(t *testing.T) {
	for text, want := range map[string]string{"foo = 1": " has 1 fault:", "foo = 1\nbar = 2": " has 2 faults:"} {
		_, err := Load(write(t, text), Flags{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%q is near no key, yet: %v", text, err)
		}
	}
}
