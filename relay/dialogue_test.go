package relay

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"lull/store"
)

// TestDialogues plays the conversations in testdata/dialogues, each a text to
// be read by people. A line is one of
//
//	# …            what it shows, with its RFC section
//	given NAME V   before the first line: a setting of the server (see setup)
//	C: …           the client sends a line
//	C~ "…"         the client sends these octets (Go syntax)
//	S: …           the server answers so; a final * stands for any rest
//	closed         the server has ended the connection
//	tls            the client shakes hands for TLS
//	clear          the client does not
//	hangup         the client ends the connection
//	pass 5m        so much time passes
//	got …          a message was accepted (see describe)
//	got nothing    none was, or no other than those above
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "RFC ") {
				t.Error("names no RFC section")
			}
			play(t, string(text))
		})
	}
}

// dialogue is one conversation being played.
type dialogue struct {
	*house
	t      *testing.T
	client *client
	taken  int // accepted messages that got has seen
}

func play(t *testing.T, text string) {
	t.Helper()
	setup := setup{change: func(*Deps) {}, client: "127.0.0.1"}
	var steps []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || word == "#":
		case word == "given":
			setup.given(t, rest)
		default:
			steps = append(steps, line)
		}
	}
	bubbleAt(t, setup.door, setup.cfg, setup.change, func(t *testing.T, h *house) {
		d := &dialogue{house: h, t: t, client: h.connect(t, setup.client)}
		for _, step := range steps {
			d.step(step)
		}
	})
}

// setup is the server of a dialogue, and who its client is.
type setup struct {
	cfg    Config
	door   Door
	change func(*Deps)
	client string
}

func (s *setup) given(t *testing.T, setting string) {
	t.Helper()
	name, value, _ := strings.Cut(setting, " ")
	before := s.change
	switch name {
	case "client":
		s.client = value
	case "lmtp":
		s.door.LMTP = true
	case "proxy":
		s.door.Proxies = []netip.Prefix{netip.MustParsePrefix(value)}
	case "tls":
		s.cfg.TLS = testTLS(t, "lull.test")
	case "user": // NAME PASSWORD
		s.cfg.Users = testUsers(t, value)
	case "max-message":
		s.cfg.MaxMessage = int64(number(t, value))
	case "max-recipients":
		s.cfg.MaxRecipients = number(t, value)
	case "max-hops":
		s.cfg.MaxHops = number(t, value)
	case "max-per-host":
		s.cfg.MaxPerHost = number(t, value)
	case "sender-domains":
		s.cfg.SenderDomains = strings.Fields(value)
	case "recipient-domains":
		s.cfg.RecipientDomains = strings.Fields(value)
	case "accept":
		s.change = func(d *Deps) { before(d); d.Accept.(*box).err = failure(t, value) }
	case "space":
		s.change = func(d *Deps) { before(d); d.Space = func() error { return failure(t, value) } }
	default:
		t.Fatalf("unknown setting %q", setting)
	}
}

// testUsers are a single one, given as "name password".
func testUsers(t *testing.T, nameAndPassword string) *Users {
	t.Helper()
	name, password, _ := strings.Cut(nameAndPassword, " ")
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte("# people\n\n"+name+":"+string(h)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	users, err := LoadUsers(path)
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// failure is an error as an Acceptor may give it: wrapped, with inner words.
func failure(t *testing.T, name string) error {
	t.Helper()
	sentinels := map[string]error{
		"full": store.ErrFull, "stopped": store.ErrStopped, "too-large": store.ErrTooLarge,
		"invalid": store.ErrInvalid, "unknown": errors.New("open /var/lib/secret: bad magic"),
	}
	err, known := sentinels[name]
	if !known {
		t.Fatalf("unknown failure %q", name)
	}
	return fmt.Errorf("commit 17 in /var/lib/secret: %w", err)
}

func (d *dialogue) step(step string) {
	d.t.Helper()
	word, rest, _ := strings.Cut(step, " ")
	switch word {
	case "C:":
		d.client.send(rest + "\r\n")
	case "C~":
		raw, err := strconv.Unquote(rest)
		if err != nil {
			d.t.Fatalf("%s: %v", step, err)
		}
		d.client.send(raw)
	case "S:":
		d.client.want(rest)
	case "closed":
		d.client.want("closed")
	case "tls":
		d.client.secure()
	case "clear":
		d.client.listen(d.client.conn)
	case "hangup":
		d.client.conn.Close() //nolint:errcheck // that is the point
	case "pass":
		d.pass(rest)
	case "got":
		d.got(rest)
	default:
		d.t.Fatalf("unknown step %q", step)
	}
}

func (d *dialogue) pass(duration string) {
	d.t.Helper()
	t, err := time.ParseDuration(duration)
	if err != nil {
		d.t.Fatal(err)
	}
	<-time.After(t)
}

func (d *dialogue) got(want string) {
	d.t.Helper()
	<-time.After(time.Second) // the goroutine of a BDAT may still be at work
	if want == "nothing" {
		if n := d.box.count(); n > d.taken {
			d.t.Fatalf("%d messages were accepted, want none: %s", n-d.taken, d.describe(n-1))
		}
		return
	}
	if d.box.count() <= d.taken {
		d.t.Fatalf("no message was accepted, want %s", want)
	}
	if got := d.describe(d.taken); got != want {
		d.t.Fatalf("accepted\n  %s, want\n  %s", got, want)
	}
	d.taken++
}

// describe writes an accepted message on one line: its envelope as it would go
// over the wire, and its body.
func (d *dialogue) describe(i int) string {
	d.box.mu.Lock()
	defer d.box.mu.Unlock()
	m := d.box.messages[i]
	var b strings.Builder
	fmt.Fprintf(&b, "<%s>", m.Envelope.From)
	for _, word := range []struct {
		set  bool
		text string
	}{
		{m.Envelope.Ret != "", "RET=" + m.Envelope.Ret},
		{m.Envelope.EnvID != "", "ENVID=" + m.Envelope.EnvID},
		{m.Envelope.UTF8, "SMTPUTF8"},
		{m.Envelope.EightBit, "8BITMIME"},
		{m.Envelope.TLS, "TLS"},
		{m.Envelope.Auth != "", "AUTH=" + m.Envelope.Auth},
	} {
		if word.set {
			b.WriteString(" " + word.text)
		}
	}
	b.WriteString(" to")
	for _, c := range m.Copies {
		fmt.Fprintf(&b, " <%s>", c.To)
		if len(c.Notify) > 0 {
			b.WriteString(" NOTIFY=" + strings.Join(c.Notify, ","))
		}
		if c.ORcpt != "" {
			b.WriteString(" ORCPT=" + c.ORcpt)
		}
	}
	fmt.Fprintf(&b, " body %q", d.box.bodies[i])
	return b.String()
}
