package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// newAuthExim relays for those only who prove to be ada over TLS.
func newAuthExim(t *testing.T, next string, by *authority) *server {
	t.Helper()
	return newProvenExim(t, next, by, "PLAIN", ":", "$auth2", "$auth3")
}

// newLoginExim does so too, and knows nothing but LOGIN.
func newLoginExim(t *testing.T, next string, by *authority) *server {
	t.Helper()
	return newProvenExim(t, next, by, "LOGIN", "Username:: : Password::", "$auth1", "$auth2")
}

// newProvenExim asks with one mechanism and its prompts, and finds the name
// and the password in two of the answers.
func newProvenExim(t *testing.T, next string, by *authority, mechanism, prompts, user, password string) *server {
	t.Helper()
	return newSecureExim(t, next, by, fmt.Sprintf(`
begin authenticators
proof:
  driver = plaintext
  public_name = %s
  server_advertise_condition = ${if def:tls_in_cipher}
  server_prompts = %s
  server_condition = ${if and{ {eq{%s}{ada}} {eq{%s}{right}} }}
  server_set_id = %s
`, mechanism, prompts, user, password, user))
}

// newAuthPostfix does the same, and asks Dovecot.
func newAuthPostfix(t *testing.T, next string, by *authority) *server {
	t.Helper()
	dovecot := newDovecot(t)
	return newSecurePostfix(t, next, by, fmt.Sprintf(`smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %s/auth
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
`, dovecot.dir))
}

// TestAuth: with a wrong password, or none, or where the mail server offers no
// AUTH, all mail waits and none bounces, status says why, and all of it goes
// when that is put right. A reload reads the password anew.
func TestAuth(t *testing.T) {
	needs(t, "exim4", "dovecot")
	far := newSink(t)
	ours := newAuthority(t, "ours")
	var cases []authCase
	for kind, s := range map[string]*server{"exim": newAuthExim(t, far.addr, ours), "exim-login": newLoginExim(t, far.addr, ours), "postfix": newAuthPostfix(t, far.addr, ours)} {
		cases = append(cases,
			authCase{kind + "-right", s, "ada", "right", "verified", ""},
			authCase{kind + "-wrong", s, "ada", "wrong", "verified", "535"},
			authCase{kind + "-nobody", s, "eve", "right", "verified", "535"},
			authCase{kind + "-none", s, "", "", "verified", "denied|not permitted"},
			authCase{kind + "-clear", s, "ada", "right", "none", "offers neither AUTH"},
		)
	}
	atOnce(t, cases, func(c authCase) string { return c.name }, func(t *testing.T, c authCase) {
		h := newLocked(t, c.to, ours, c.user, c.password, c.tls)
		h.letters = letters(3)
		for i := range h.letters {
			h.letters[i].to = []string{fmt.Sprintf("%s-%d@far.test", c.name, i)}
		}
		send(t, h.addr, 1, append(sameAlerts(2), h.letters...))
		if c.note != "" {
			h.waits(t, far, c.note)
			h.unlock(t, c.to, ours)
		}
		until(t, 90*time.Second, "all letters pass", func() bool { return count(h.status(t), "passed") == 3 })
		until(t, 30*time.Second, "all letters arrive", func() bool { return h.reached(far.arrivals()) == 3 })
		if twice := h.compare(t, far.arrivals(), passed, sameText); twice != 0 {
			t.Errorf("%d came twice", twice)
		}
		h.audit(t)
	})
}

// authCase is a mail server with what lull knows of its password.
type authCase struct {
	name                string
	to                  *server
	user, password, tls string
	note                string // in status while mail waits, "" if it goes
}

// locked is a house whose smarthost wants a password.
type locked struct {
	*house
	config, secret string
}

func newLocked(t *testing.T, s *server, by *authority, user, password, tls string) *locked {
	t.Helper()
	dir := t.TempDir()
	l := &locked{config: filepath.Join(dir, "lull.toml"), secret: filepath.Join(dir, "password")}
	l.write(t, s, by, user, password, tls)
	l.house = &house{daemon: serveAs(t, l.config)}
	return l
}

func (l *locked) write(t *testing.T, s *server, by *authority, user, password, tls string) {
	t.Helper()
	text := fmt.Sprintf("window = '6s'\nhostname = 'lull.test'\npass_budget = 0\n[[rule]]\nname = 'letters'\nclass = 'pass'\nsubject = 'letter'\n"+
		"[[smarthost]]\naddr = %q\ntls = %q\nca = %q\n", s.addr, tls, by.file)
	if user != "" {
		text += fmt.Sprintf("username = %q\npassword_file = %q\n", user, l.secret)
	}
	for file, content := range map[string]string{l.config: text, l.secret: password + "\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// waits sees that mail is kept, tried again, and that people are told.
func (l *locked) waits(t *testing.T, far *sink, note string) {
	t.Helper()
	until(t, 30*time.Second, "status tells that the smarthost does not let us", func() bool {
		st := l.status(t)
		return st["smarthost"] != "ok" && regexp.MustCompile(note).MatchString(fmt.Sprint(st["smarthost_note"]))
	})
	tick := time.NewTimer(8 * time.Second) // more than the short hour: all is tried again
	<-tick.C
	st := l.status(t)
	if count(st, "waiting")+count(st, "in_flight") != 7 || count(st, "bounced")+count(st, "passed")+count(st, "told")+count(st, "expired") != 0 {
		t.Errorf("all seven copies should wait: %v", st)
	}
	if n := l.reached(far.arrivals()); n != 0 {
		t.Errorf("%d letters arrived", n)
	}
	t.Logf("status: %v, %v", st["smarthost"], st["smarthost_note"])
}

// unlock puts right what was wrong. Where it is only the password, the
// configuration stays as it is.
func (l *locked) unlock(t *testing.T, s *server, by *authority) {
	t.Helper()
	l.write(t, s, by, "ada", "right", "verified")
	if err := l.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}
