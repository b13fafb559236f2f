package relay

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestExim sends awkward mail with the real Exim as the client: in chunks (its
// default), over DATA, and over STARTTLS. None may bounce, and none may stay
// in its queue.
func TestExim(t *testing.T) {
	exim := needExim(t)
	for _, how := range []struct {
		name, chunking string
		tls            bool
	}{
		{"BDAT", "*", false},
		{"DATA", "", false},
		{"BDAT over TLS", "*", true},
		{"DATA over TLS", "", true},
	} {
		t.Run(how.name, func(t *testing.T) {
			cfg := Config{Hostname: "lull.test"}
			if how.tls {
				cfg.TLS = testTLS(t, "lull.test")
			}
			e := newEximClient(t, exim, cfg, how.chunking)
			for i, m := range awkward() {
				e.send(t, m.text)
				if e.box.count() != i+1 {
					t.Fatalf("%s: not delivered; %s", m.name, e.log(t))
				}
				body := e.box.bodies[i]
				if !bytes.HasSuffix(body, []byte(m.arrives)) {
					t.Errorf("%s: arrived as …%.200q, want the end …%.200q", m.name, tail(body), tail([]byte(m.arrives)))
				}
				if got := e.box.messages[i].Envelope.TLS; got != how.tls {
					t.Errorf("%s: TLS is %v", m.name, got)
				}
			}
			log := e.log(t)
			for _, bad := range []string{" ** ", " == ", "Frozen", "rejected"} {
				if strings.Contains(log, bad) {
					t.Errorf("exim's log has %q:\n%s", bad, log)
				}
			}
			t.Logf("%d mails, all delivered at the first attempt", len(awkward()))
		})
	}
}

type awkwardMail struct {
	name string
	text string // as a program pipes it into sendmail
	// arrives is how the mail must end; Exim adds header fields before it.
	arrives string
}

// awkward are mails of the kind that programs without manners send.
func awkward() []awkwardMail {
	line := func(n int) string { return strings.Repeat("0123456789", n/10) + "\n" }
	mail := func(name, body string) awkwardMail {
		return awkwardMail{name, "Subject: " + name + "\n\n" + body, "\r\n\r\n" + strings.ReplaceAll(body, "\n", "\r\n")}
	}
	mails := []awkwardMail{
		mail("plain", "all is well\n"),
		mail("lone dots", ".\n..\n.\n\n.\n"),
		mail("dots at the beginning", ".a\n..b\n...c\n"),
		mail("a line of 5,000", line(5000)),
		mail("900 kB in lines of 3,000", strings.Repeat(line(3000), 300)),
		mail("a line of 2 MB", line(2_000_000)),
		mail("5 MB in lines of 60", strings.Repeat(line(60), 85_000)),
		mail("NUL", "a\x00b\n\x00\n"),
		mail("8-bit", "caf\xc3\xa9 \xff\xfe\n"),
		mail("From lines", "From root Mon Oct  7 14:00:00 2019\n>From\n"),
		mail("controls", "\x1b[31mred\x1b[0m\x07\x08\n"),
		mail("no body", ""),
		mail("commands", "QUIT\nRSET\nMAIL FROM:<>\nBDAT 5 LAST\n"),
	}
	// Exim itself decides what bare CR and CRLF in its input mean, and over BDAT
	// leaves a lone CR at the end; what counts is that they get through.
	return append(mails,
		awkwardMail{"CRLF", "Subject: x\r\n\r\none\r\n.\r\ntwo\r\n", "two\r\n"},
		awkwardMail{"CRCRLF", "Subject: x\r\r\n\r\r\none\r\r\n.\r\r\ntwo\r\r\n", ""},
		awkwardMail{"bare CR", "Subject: x\n\none\rtwo\r.\rthree\n", "\r\n"},
		awkwardMail{"no last line end", "Subject: x\n\nend", "end\r\n"},
		awkwardMail{"no header", "\nonly text\n", "only text\r\n"},
	)
}

func tail(b []byte) []byte { return b[max(0, len(b)-200):] }

// needExim finds Exim, or skips. Where end-to-end tests are asked for it fails.
func needExim(t *testing.T) string {
	t.Helper()
	complain := t.Skipf
	if os.Getenv("LULL_E2E") != "" {
		complain = t.Fatalf
	}
	path, err := exec.LookPath("exim4")
	if err != nil {
		complain("needs Exim as a client: apt-get install exim4-daemon-light")
	}
	if os.Getuid() != 0 {
		complain("needs root: Exim gives up its privileges for a configuration of others")
	}
	return path
}

// eximClient is an Exim that has a server of ours as its smarthost.
type eximClient struct {
	exim, dir string
	box       *box
}

func newEximClient(t *testing.T, exim string, cfg Config, chunking string) *eximClient {
	t.Helper()
	e := &eximClient{exim: exim, dir: t.TempDir(), box: &box{}}
	s := New(cfg, testDeps(t, e.box, &events{}))
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		<-served
	})
	e.configure(t, l.Addr().(*net.TCPAddr).Port, chunking)
	return e
}

func (e *eximClient) configure(t *testing.T, port int, chunking string) {
	t.Helper()
	config := fmt.Sprintf(`
primary_hostname = client.test
spool_directory = %[1]s/spool
log_file_path = %[1]s/%%slog
keep_environment =
add_environment = PATH=/usr/bin
never_users =
message_size_limit = 60M
begin routers
smarthost:
  driver = manualroute
  transport = smtp
  route_list = * 127.0.0.1
  self = send
begin transports
smtp:
  driver = smtp
  port = %[2]d
  allow_localhost
  hosts_try_chunking = %[3]s
  message_linelength_limit = 1G
  tls_tempfail_tryclear = false
begin retry
* * F,1h,1h
`, e.dir, port, chunking)
	if err := os.WriteFile(filepath.Join(e.dir, "conf"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	own(t, e.dir)
}

// own gives a directory, and passage to it, to Debian's user for Exim.
func own(t *testing.T, dir string) {
	t.Helper()
	u, err := user.Lookup("Debian-exim")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	for ; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// send pipes a mail into Exim and waits for its first attempt to deliver.
func (e *eximClient) send(t *testing.T, text string) {
	t.Helper()
	cmd := exec.Command(e.exim, "-C", filepath.Join(e.dir, "conf"), "-odi", "-oi", "-f", "root@client.test", "reader@reader.test")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("exim: %v: %s", err, out)
	}
}

func (e *eximClient) log(t *testing.T) string {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(e.dir, "mainlog"))
	if err != nil {
		t.Fatal(err)
	}
	return string(log)
}
