package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"lull/relay/spool"
)

// server is a daemon that answers each address as the address says, as in
// 451-at-mail@x and 550@x.
type server struct {
	mu    sync.Mutex
	mails []letter
	last  error // its answer to a message
	mute  bool  // it dies before it gives it
}

type letter struct {
	from, text string
	to         []string
	opt        smtp.MailOptions
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) { return &talk{s: s, c: c}, nil }

type talk struct {
	s *server
	c *smtp.Conn
	m letter
}

// said is the answer that an address asks for.
func said(address string) error {
	code := 0
	if _, err := fmt.Sscanf(address, "%d", &code); err != nil {
		return nil
	}
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "as you wish"}
}

func (t *talk) Mail(from string, opt *smtp.MailOptions) error {
	t.m = letter{from: from, opt: *opt}
	return said(from)
}

func (t *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := said(to); err != nil {
		return err
	}
	t.m.to = append(t.m.to, to)
	return nil
}
func (t *talk) Reset()        {}
func (t *talk) Logout() error { return nil }

func (t *talk) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.last != nil {
		return t.s.last
	}
	t.m.text = string(b)
	t.s.mails = append(t.s.mails, t.m)
	if t.s.mute {
		return t.c.Close() // taken, and nobody hears of it
	}
	return nil
}

// received are the mails taken so far.
func (s *server) received() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// hush has the server take mail without a word, or speak again.
func (s *server) hush(mute bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = mute
}

// bench is a server, a spool, and the settings that name them.
type bench struct {
	*server
	t      *testing.T
	spool  spool.Folder
	config string
}

func newBench(t *testing.T, away bool) *bench {
	t.Helper()
	b := &bench{server: &server{}, t: t, spool: spool.Folder(filepath.Join(t.TempDir(), "spool")), config: filepath.Join(t.TempDir(), "sendmail.conf")}
	if err := b.spool.Make(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if away {
		_ = l.Close()
	} else {
		served := smtp.NewServer(b.server)
		served.EnableSMTPUTF8, served.EnableDSN = true, true
		go func() { _ = served.Serve(l) }() // ends with the test
		t.Cleanup(func() { _ = served.Close() })
	}
	b.set("server = %q\nspool = %q\nstate = %q\ndomain = 'example.org'\nhostname = 'web1.example.org'", l.Addr(), b.spool, t.TempDir())
	return b
}

func (b *bench) set(format string, args ...any) {
	for i := range args {
		args[i] = fmt.Sprint(args[i])
	}
	if err := os.WriteFile(b.config, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// call runs a command line on an input.
func (b *bench) call(in, args string) (code int, out, errs string) {
	b.t.Setenv("LULL_SENDMAIL", b.config)
	var o, e bytes.Buffer
	c := call{in: strings.NewReader(in), out: &o, errs: &e, now: time.Now}
	code = c.run(strings.Fields(args))
	return code, o.String(), e.String()
}

func (b *bench) entries() []spool.Entry {
	var all []spool.Entry
	for e, err := range b.spool.All(1 << 20) {
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestSend(t *testing.T) {
	b := newBench(t, false)
	code, _, errs := b.call("Subject: x\nTo: ops\nBcc: boss@example.com\n\n.\n..\nend", "sendmail -t -i -f www -R hdrs -V e1 root")
	if code != ok || errs != "" || len(b.received()) != 1 {
		t.Fatalf("%d %s, %d mails", code, errs, len(b.received()))
	}
	m := b.received()[0]
	if m.from != "www@example.org" || !slices.Equal(m.to, []string{"root@example.org", "ops@example.org", "boss@example.com"}) {
		t.Errorf("from %s to %v", m.from, m.to)
	}
	if key, id := spool.WithoutKey(m.opt.EnvelopeID); m.opt.Return != "HDRS" || key == "" || id != "e1" || m.opt.Size != int64(len(m.text)) {
		t.Errorf("options %+v of a message of %d", m.opt, len(m.text))
	}
	if strings.Contains(m.text, "boss") || !strings.Contains(m.text, "\r\nTo: ops@example.org\r\n") || !strings.HasSuffix(m.text, "\r\n\r\n.\r\n..\r\nend\r\n") {
		t.Errorf("text %q", m.text)
	}
	if len(b.entries()) > 0 {
		t.Error("it is in the spool as well")
	}
}

// TestAnswers: whatever the server says, each recipient is served, spooled or
// told as refused.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		args           string
		last           error
		code           int
		taken, spooled []string
		said           string
	}{
		"taken":                 {args: "a b", taken: []string{"a", "b"}},
		"outside of ASCII":      {args: "bär", taken: []string{"bär"}},
		"the sender later":      {args: "-f 451 a b", spooled: []string{"a", "b"}},
		"the sender never":      {args: "-f 550 a b", code: unavailable, said: "550"},
		"one later":             {args: "a 451 b", taken: []string{"a", "b"}, spooled: []string{"451"}},
		"all later":             {args: "450 452", spooled: []string{"450", "452"}},
		"one never":             {args: "a 550 b", code: noUser, taken: []string{"a", "b"}, said: "550@example.org is refused"},
		"one never, one later":  {args: "a 550 451", code: noUser, taken: []string{"a"}, spooled: []string{"451"}, said: "550@example.org is refused"},
		"the message later":     {args: "a b", last: said("452"), spooled: []string{"a", "b"}},
		"the message never":     {args: "a b", last: said("552"), code: unavailable, said: "552"},
		"message and one never": {args: "a 550", last: said("552"), code: noUser, said: "552"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, false)
			b.last = c.last
			code, _, errs := b.call("x\n", "sendmail "+c.args)
			var taken, spooled []string
			for _, m := range b.received() {
				taken = append(taken, m.to...)
			}
			for _, e := range b.entries() {
				spooled = append(spooled, e.To...)
			}
			if code != c.code || !slices.Equal(taken, at(c.taken)) || !slices.Equal(spooled, at(c.spooled)) {
				t.Errorf("exit %d, taken %v, spooled %v; it said %q", code, taken, spooled, errs)
			}
			if !strings.Contains(errs, c.said) || (c.said == "") != (errs == "") {
				t.Errorf("it said %q", errs)
			}
		})
	}
}

// at adds the domain.
func at(names []string) (all []string) {
	for _, n := range names {
		all = append(all, n+"@example.org")
	}
	return all
}

func TestManyRecipients(t *testing.T) {
	for _, away := range []bool{false, true} {
		b := newBench(t, away)
		var to []string
		for i := range 250 {
			to = append(to, fmt.Sprintf("u%d", i))
		}
		if code, _, errs := b.call("To: "+strings.Join(to, ",\n ")+"\n\nx\n", "sendmail -t"); code != ok {
			t.Fatalf("%d %s", code, errs)
		}
		var got []string
		for _, m := range b.received() {
			got = append(got, m.to...)
		}
		for _, e := range b.entries() {
			got = append(got, e.To...)
		}
		if !slices.Equal(got, at(to)) || len(b.received())+len(b.entries()) != 3 {
			t.Errorf("away %v: %d recipients, %d mails, %d entries", away, len(got), len(b.received()), len(b.entries()))
		}
	}
}

// TestFlush: -q hands over what was left, and keeps what is still not taken.
func TestFlush(t *testing.T) {
	b := newBench(t, true)
	for _, to := range []string{"a", "b 550"} {
		if code, _, errs := b.call("Subject: x\n\ny\n", "sendmail -f www "+to); code != ok {
			t.Fatalf("%d %s", code, errs)
		}
	}
	if code, _, errs := b.call("", "sendmail -q"); code != tempFail || len(b.entries()) != 2 {
		t.Errorf("with the server away: %d %s, %d entries", code, errs, len(b.entries()))
	}
	back := newBench(t, false)
	if err := os.Rename(string(b.spool), string(back.spool)+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(string(back.spool)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(string(back.spool)+".new", string(back.spool)); err != nil {
		t.Fatal(err)
	}
	code, _, errs := back.call("", "sendmail -q")
	if code != noUser || !strings.Contains(errs, "550@example.org is refused") || !strings.Contains(errs, "failed") {
		t.Errorf("%d %s", code, errs)
	}
	if len(back.entries()) > 0 || len(back.received()) != 2 || back.received()[0].from != "www@example.org" || !slices.Equal(back.received()[1].to, at([]string{"b"})) {
		t.Errorf("left %v, sent %+v", back.entries(), back.received())
	}
	if files, _ := os.ReadDir(filepath.Join(string(back.spool), "failed")); len(files) != 1 {
		t.Errorf("kept aside: %v", files)
	}
	_, out, _ := back.call("", "mailq")
	if !strings.Contains(out, " <www@example.org> *** failed ***\n          b@example.org\n          550@example.org\n") ||
		!strings.Contains(out, "1 failed, in "+back.spool.FailedPath()+"; correct") {
		t.Errorf("mailq: %q", out)
	}
	if _, out, _ := back.call("", "sendmail -bpc"); out != "1\n" {
		t.Errorf("count %q", out)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, true)
	for args, c := range map[string]struct {
		in   string
		code int
	}{
		"sendmail":                         {"x", usage},
		"sendmail -t":                      {"Subject: x\n\n", data},
		"sendmail -t -i ":                  {"To: a b c\n\n", data},
		"sendmail -bd":                     {"", usage},
		"sendmail -C /nowhere/lull.conf x": {"x", configuration},
	} {
		if code, _, errs := b.call(c.in, args); code != c.code || errs == "" {
			t.Errorf("%s: %d, %q; expected %d", args, code, errs, c.code)
		}
	}
	if n := len(b.entries()); n > 0 {
		t.Errorf("%d entries", n)
	}
	if code, _, errs := b.call("", "newaliases"); code != ok || errs != "" {
		t.Errorf("newaliases: %d %s", code, errs)
	}
	b.set("serverr = 'x'")
	if code, _, errs := b.call("x", "sendmail root"); code != configuration || !strings.Contains(errs, "serverr") {
		t.Errorf("with an unknown key: %d %q", code, errs)
	}
	b.set("server = '127.0.0.1:1'\nspool = '/nowhere'")
	if code, _, errs := b.call("x", "sendmail root"); code != tempFail || !strings.Contains(errs, "send it again") {
		t.Errorf("with neither daemon nor spool: %d %q", code, errs)
	}
}

func TestDialogue(t *testing.T) {
	b := newBench(t, false)
	code, out, errs := b.call("EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n", "sendmail -bs")
	if code != ok || errs != "" || !strings.HasPrefix(out, "220 ") || len(b.received()) != 1 || b.received()[0].text != "hello\r\n" {
		t.Errorf("%d %s %q, %+v", code, errs, out, b.received())
	}
	away := newBench(t, true)
	if code, out, _ := away.call("EHLO x\r\n", "sendmail -bs"); code != tempFail || !strings.HasPrefix(out, "421 4.3.2 web1.example.org ") {
		t.Errorf("with the daemon away: %d %q", code, out)
	}
}

func TestListOfTheSpool(t *testing.T) {
	b := newBench(t, true)
	if code, _, errs := b.call("Subject: x\n\n", "sendmail -f www a b"); code != ok {
		t.Fatal(errs)
	}
	id := b.entries()[0].Name
	code, out, errs := b.call("", "mailq")
	if !strings.Contains(out, " "+id+" <www@example.org>\n          a@example.org\n          b@example.org\n\n") || !strings.HasPrefix(out, " 0m ") {
		t.Errorf("%q", out)
	}
	if code != tempFail || !strings.Contains(errs, "lull serve") {
		t.Errorf("nobody was told that the daemon is away: %d %q", code, errs)
	}
	if _, out, _ := b.call("", "sendmail -bpc"); out != "1\n" {
		t.Errorf("count %q", out)
	}
}

func TestAgesAndSizes(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Hour: " 0m", 89 * time.Minute: "89m", 2 * time.Hour: " 2h", 71 * time.Hour: "71h", 96 * time.Hour: " 4d"} {
		if got := ageOf(d); got != want {
			t.Errorf("%v: %q", d, got)
		}
	}
	for n, want := range map[int64]string{5: "    5", 3000: " 2.9K", 52 << 10: "  52K", 3 << 20: "   3M"} {
		if got := sizeOf(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
