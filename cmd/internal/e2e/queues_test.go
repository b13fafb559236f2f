package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Clients that queue what they are given: the mail servers, which get it over
// SMTP, octet for octet, and the small ones, which are called as sendmail.

// relaying makes a client of a mail server.
func relaying(newServer newServer) opener {
	return func(t *testing.T, next string) func(errand) error {
		s := newServer(t, next)
		return func(e errand) error { return feed(s.addr, e) }
	}
}

// feed hands a mail to a server as it is, with bare CR and LF.
func feed(addr string, e errand) error {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	c := textproto.NewConn(conn)
	if _, _, err := c.ReadResponse(220); err != nil {
		return err
	}
	mail := "MAIL FROM:<" + e.from + "> BODY=8BITMIME"
	if !ascii(e.from + strings.Join(e.rcpt, "")) {
		mail += " SMTPUTF8"
	}
	for _, line := range append([]string{"EHLO feeder.test", mail}, e.rcpts()...) {
		if err := say(c, line, 250); err != nil {
			return err
		}
	}
	if err := say(c, "DATA", 354); err != nil {
		return err
	}
	return say(c, stuffed(e.text)+".", 250)
}

func (e errand) rcpts() []string {
	lines := make([]string, len(e.rcpt))
	for i, to := range e.rcpt {
		lines[i] = "RCPT TO:<" + to + ">"
	}
	return lines
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 126 })
}

func say(c *textproto.Conn, line string, code int) error {
	w := bufio.NewWriterSize(c.W, 64<<10)
	w.WriteString(line + "\r\n")
	if err := w.Flush(); err != nil {
		return err
	}
	if err := c.W.Flush(); err != nil {
		return err
	}
	_, _, err := c.ReadResponse(code)
	if err != nil {
		return fmt.Errorf("%.60q: %w", line, err)
	}
	return nil
}

// stuffed doubles the dots of RFC 5321 section 4.5.2, and ends the last line.
func stuffed(text string) string {
	if text != "" && !strings.HasSuffix(text, "\r\n") {
		text += "\r\n"
	}
	text = strings.ReplaceAll(text, "\r\n.", "\r\n..")
	if strings.HasPrefix(text, ".") {
		text = "." + text
	}
	return text
}

// private is a piece of the file system that only one client sees: programs
// whose places are compiled in have them here.
type private struct{ dir string }

// newPrivate makes private forms of /etc, /run, /var/lib and /var/spool.
func newPrivate(t *testing.T) private {
	t.Helper()
	p := private{t.TempDir()}
	openUp(t, p.dir)
	for _, dir := range []string{"etc", "run", "lib", "spool"} {
		p.mkdir(t, dir, 0o755)
	}
	for _, name := range []string{"passwd", "group", "hosts", "ld.so.cache"} {
		text, err := os.ReadFile(filepath.Join("/etc", name))
		if err != nil {
			t.Fatal(err)
		}
		p.put(t, "etc/"+name, string(text))
	}
	p.put(t, "etc/mailname", "client.test\n")
	return p
}

func (p private) path(name string) string { return filepath.Join(p.dir, name) }

func (p private) put(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(p.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func (p private) mkdir(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(p.path(name), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p.path(name), mode); err != nil {
		t.Fatal(err)
	}
}

// command runs a program where the private folders are the real ones.
func (p private) command(args ...string) []string {
	const enter = `d=$1; shift; mount --bind $d/etc /etc && mount --bind $d/run /run && mount --bind $d/lib /var/lib && mount --bind $d/spool /var/spool && exec "$@"`
	return append([]string{"unshare", "--mount", "sh", "-c", enter, "enter", p.dir}, args...)
}

func newOpenSMTPD(t *testing.T, next string) *server {
	t.Helper()
	bin := tool(t, "opensmtpd/usr/sbin/smtpd")
	s := newSettings(t, next)
	p := newPrivate(t)
	p.mkdir(t, "lib/opensmtpd/empty", 0o755)
	p.mkdir(t, "spool/smtpd", 0o711)
	p.put(t, "etc/passwd", "opensmtpd:x:64601:64601::/var/lib/opensmtpd/empty:/bin/false\nopensmtpq:x:64602:64602::/var/lib/opensmtpd/empty:/bin/false\n")
	p.put(t, "etc/group", "opensmtpd:x:64601:\nopensmtpq:x:64602:\n")
	write(t, p.path("etc/smtpd.conf"), openSMTPDConf, s)
	args := p.command(bin, "-d")
	proc := start(t, nil, args[0], args[1:]...)
	until(t, 20*time.Second, "opensmtpd answers", func() bool { return answers(s.addr()) })
	return &server{process: proc, addr: s.addr(), dir: p.dir}
}

const openSMTPDConf = `
smtp max-message-size 60M
smtp limit max-rcpt 500
smtp limit max-mails 1000
listen on 127.0.0.1 port {{.Port}} hostname client.test
action "relay" relay host "smtp+notls://127.0.0.1:{{.NextPort}}"
match from any for any action "relay"
`

// newDMA is DragonFly's agent: it delivers at once, and queues what fails.
func newDMA(t *testing.T, server string) func(errand) error {
	t.Helper()
	bin := tool(t, "dma/usr/sbin/dma")
	p := newPrivate(t)
	p.mkdir(t, "etc/dma", 0o755)
	p.put(t, "etc/dma/dma.conf", "SMARTHOST 127.0.0.1\nPORT "+port(server)+"\nMAILNAME client.test\n")
	p.put(t, "etc/dma/auth.conf", "")
	p.put(t, "etc/aliases", "")
	p.mkdir(t, "spool/dma", 0o775|os.ModeSetgid)
	if err := os.Chown(p.path("spool/dma"), 0, accountOf(t, "mail").gid); err != nil {
		t.Fatal(err)
	}
	return program(func(_ string, e errand) []string {
		return p.command(append([]string{bin, "-D", "-i", "-f", e.from}, e.rcpt...)...)
	})(t, server)
}

// newNullmailer runs as an account of its own: only then may its places be
// named in the environment.
func newNullmailer(t *testing.T, server string) func(errand) error {
	t.Helper()
	usr := filepath.Dir(filepath.Dir(tool(t, "nullmailer/usr/sbin/nullmailer-send")))
	p := private{t.TempDir()}
	openUp(t, p.dir)
	mail := accountOf(t, "mail")
	for _, dir := range []string{"conf", "queue", "queue/queue", "queue/tmp", "queue/failed"} {
		p.mkdir(t, dir, 0o755)
	}
	p.put(t, "conf/remotes", "127.0.0.1 smtp --port="+port(server)+"\n")
	p.put(t, "mailname", "client.test\n")
	if err := syscall.Mkfifo(p.path("queue/trigger"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"bin": "bin", "sbin": "sbin", "protocols": "lib/nullmailer"} {
		if err := os.Symlink(filepath.Join(usr, to), p.path(link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"queue", "queue/queue", "queue/tmp", "queue/failed", "queue/trigger"} {
		if err := os.Chown(p.path(name), mail.uid, mail.gid); err != nil {
			t.Fatal(err)
		}
	}
	as := []string{"setpriv", "--reuid", strconv.Itoa(mail.uid), "--regid", strconv.Itoa(mail.gid), "--clear-groups", "--"}
	env := "NULLMAILER_TEST_PREFIX=" + p.dir
	start(t, []string{env}, as[0], append(as[1:], p.path("sbin/nullmailer-send"))...)
	return func(e errand) error {
		input, err := os.Open(e.localFile())
		if err != nil {
			return err
		}
		defer input.Close()
		args := append(append([]string{}, as[1:]...), p.path("bin/nullmailer-inject"), "-f", e.from)
		return runOne(t, exec.Command(as[0], append(args, e.rcpt...)...), input, env)
	}
}

type account struct{ uid, gid int }

func accountOf(t *testing.T, name string) account {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return account{uid, gid}
}
