package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServersBehind: a real mail server is lull's smarthost, goes away in the
// middle of the work, and comes back. Each mail arrives, and once, unless the
// outcome of an attempt was unknown.
func TestServersBehind(t *testing.T) {
	needs(t)
	for name, newServer := range map[string]newServer{"exim": newExim, "postfix": newPostfix} {
		t.Run(name, func(t *testing.T) {
			far := newSink(t)
			s := newServer(t, far.addr)
			h := newHouse(t, "[[smarthost]]\naddr = %q\n", s.addr)
			h.letters = letters(60)
			send(t, h.addr, 4, append(sameAlerts(alertsSent), h.letters[:30]...))
			until(t, 20*time.Second, "some letters passed", func() bool { return count(h.status(t), passed) >= 10 })
			s.away(t)
			send(t, h.addr, 4, h.letters[30:])
			until(t, 20*time.Second, "lull sees that it is away", func() bool { return h.status(t)["smarthost"] == "unreachable" })
			s.back(t)
			h.arrive(t, passed)
			until(t, 30*time.Second, "all letters at the far end", func() bool { return h.reached(far.arrivals()) == 2*len(h.letters) })
			h.once(t, far)
		})
	}
}

// away ends a server's daemon, as a reboot does; its children may finish.
func (s *server) away(t *testing.T) {
	t.Helper()
	endMaster(t, filepath.Join(s.dir, "queue/pid/master.pid"))
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGTERM)
	until(t, 20*time.Second, s.name+" is away", func() bool { return !listens(s.addr) })
}

// back starts it again on the same queue.
func (s *server) back(t *testing.T) {
	t.Helper()
	<-s.done
	s.process = start(t, s.cmd.Env, s.cmd.Path, s.cmd.Args[1:]...)
	until(t, 20*time.Second, s.name+" is back", func() bool { return listens(s.addr) })
}

// onceEach leaves out what the server itself sent on twice, since its restart
// cut its own delivery off: that has the same Received field, to the letter,
// while what lull hands over twice has two.
func onceEach(arrivals []arrival) (own []arrival) {
	seen := map[string]bool{}
	for _, a := range arrivals {
		if key := a.to + "\n" + string(a.body); !seen[key] {
			seen[key] = true
			own = append(own, a)
		}
	}
	return own
}

// once holds what arrived against what was sent.
func (h *house) once(t *testing.T, far *sink) {
	t.Helper()
	twice, uncertain := h.compare(t, onceEach(far.arrivals()), passed, sameText), count(h.status(t), "uncertain")
	if twice > 2*uncertain {
		t.Errorf("%d copies came twice, but the outcome of %d attempts only was unknown", twice, uncertain)
	}
	h.tell(t, far)
	h.audit(t)
	t.Logf("| %s | %d | %d | %d | %d attempts of unknown outcome |", t.Name(), 2*len(h.letters), count(h.status(t), passed), twice, uncertain)
}

// TestDovecotBehind: Dovecot takes mail over LMTP, where each recipient has a
// reply of his own after the text. Who is unknown or over quota bounces, the
// others have the mail once; and it goes away in between.
func TestDovecotBehind(t *testing.T) {
	needs(t, "dovecot")
	for _, over := range []string{"port", "socket"} {
		t.Run(over, func(t *testing.T) {
			s := newDovecot(t)
			addr := s.addr
			if over == "socket" {
				addr = filepath.Join(s.dir, "lmtp")
			}
			h := newHouse(t, "[[smarthost]]\naddr = %q\nlmtp = true\n", addr)
			partly := letter{from: "ann0@example.org", to: []string{"bob9@example.net", "unknown@example.net", "full@example.net", "eve9@example.net"},
				body: "From: ann0@example.org\r\nSubject: letter to some\r\n\r\n" + strings.Repeat("0123456789\r\n", 1000)}
			send(t, h.addr, 1, append(sameAlerts(alertsSent), append(h.letters[:3:3], partly)...))
			until(t, 20*time.Second, "two bounce", func() bool { return count(h.status(t), bounced) == 2 })
			s.away(t)
			send(t, h.addr, 1, h.letters[3:])
			until(t, 20*time.Second, "lull sees that it is away", func() bool { return h.status(t)["smarthost"] == "unreachable" })
			s.back(t)
			h.arrive(t, passed)

			got := mailboxes(t, filepath.Join(s.dir, "mail"))
			h.once(t, &sink{got: got})
			some := map[string]int{}
			for _, a := range got {
				if bytes.HasSuffix(a.body, []byte(partly.body)) {
					some[a.to]++
				}
				if bytes.Contains(a.body, []byte("Content-Type: multipart/report")) && !a.about("unknown@example.net", "5.1.1") && !a.about("full@example.net", "5.2.2") {
					t.Errorf("a report about something else: %s", a.body)
				}
			}
			if fmt.Sprint(some) != "map[bob9@example.net:1 eve9@example.net:1]" {
				t.Errorf("the letter to four is with %v", some)
			}
		})
	}
}

// about reports whether a delivery report names a recipient and a status.
func (a arrival) about(recipient, status string) bool {
	return bytes.Contains(a.body, []byte("rfc822; "+recipient)) && bytes.Contains(a.body, []byte("Status: "+status))
}

// newDovecot starts Dovecot with a port and a socket for LMTP, and mailboxes
// for those to whom letters and alerts go.
func newDovecot(t *testing.T) *server {
	t.Helper()
	s := newSettings(t, "127.0.0.1:1")
	openUp(t, s.Dir)
	chownToMailOwner(t, s.Dir)
	users := "ada:{PLAIN}right::::::\nfull@example.net:::::::userdb_quota_rule=*:bytes=1000\ntools.t0@reader.test:::::::\ntools.t1@reader.test:::::::\n"
	for _, l := range letters(10) {
		for _, a := range append(l.to, l.from) {
			users += a + ":::::::\n"
		}
	}
	write(t, filepath.Join(s.Dir, "users"), users, s)
	conf := filepath.Join(s.Dir, "dovecot.conf")
	write(t, conf, dovecotConf, s)
	p := start(t, nil, "dovecot", "-F", "-c", conf)
	until(t, 20*time.Second, "dovecot answers", func() bool { return answers(s.addr()) })
	return &server{process: p, addr: s.addr(), dir: s.Dir}
}

const dovecotConf = `
protocols = lmtp
listen = 127.0.0.1
base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
log_path = /dev/stderr
ssl = no
mail_location = maildir:{{.Dir}}/mail/%u
mail_uid = news
mail_gid = news
first_valid_uid = 1
postmaster_address = postmaster@example.net
passdb {
  driver = passwd-file
  args = username_format=%u {{.Dir}}/users
}
userdb {
  driver = passwd-file
  args = username_format=%u {{.Dir}}/users
  default_fields = home={{.Dir}}/home/%u
}
mail_plugins = quota
plugin {
  quota = maildir:User quota
}
service stats {
  client_limit = 100
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = {{.Port}}
  }
  unix_listener {{.Dir}}/lmtp {
    mode = 0666
  }
}
service auth {
  unix_listener {{.Dir}}/auth {
    mode = 0666
  }
}
protocol lmtp {
  mail_plugins = quota
}
`

// mailboxes are the mails in Maildirs that are named after their owners.
func mailboxes(t *testing.T, dir string) []arrival {
	t.Helper()
	files, err := filepath.Glob(dir + "/*/new/*")
	if err != nil {
		t.Fatal(err)
	}
	var all []arrival
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		all = append(all, arrival{to: filepath.Base(filepath.Dir(filepath.Dir(file))), body: body})
	}
	return all
}
