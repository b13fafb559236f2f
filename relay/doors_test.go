package relay

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestImplicitTLS: the handshake comes first, and those turned away get none.
func TestImplicitTLS(t *testing.T) {
	cfg := Config{TLS: testTLS(t, "lull.test"), MaxConnections: 1}
	bubbleAt(t, Door{TLS: true}, cfg, nil, func(t *testing.T, h *house) {
		c := &client{t: t, conn: h.pipes.dial(t, "127.0.0.1")}
		c.secure()
		h.clients = append(h.clients, c)
		c.want("220 *")
		c.send("EHLO c.test\r\n")
		for line := c.reply(); !strings.HasPrefix(line, "250 "); line = c.reply() {
			if strings.Contains(line, "STARTTLS") {
				t.Error("offers TLS within TLS")
			}
		}
		c.post("x")
		if !h.box.messages[0].Envelope.TLS || !strings.Contains(h.box.messages[0].Trace, "ESMTPS") {
			t.Errorf("message %+v", h.box.messages[0])
		}
		other := h.pipes.dial(t, "127.0.0.1")
		if err := tls.Client(other, &tls.Config{InsecureSkipVerify: true}).Handshake(); err == nil {
			t.Error("one too many was let in")
		}
		<-time.After(5 * time.Minute)
		c.want("421 4.4.2 *")
		c.want("closed")
	})
}

// TestImplicitTLSGarbage: a client that speaks in the clear gets nothing.
func TestImplicitTLSGarbage(t *testing.T) {
	bubbleAt(t, Door{TLS: true}, Config{TLS: testTLS(t, "lull.test")}, nil, func(t *testing.T, h *house) {
		conn := h.pipes.dial(t, "127.0.0.1")
		go io.WriteString(conn, "EHLO c.test\r\nMAIL FROM:<a@b.test>\r\n") //nolint:errcheck // cut off
		said, _ := io.ReadAll(conn)
		if bytes.Contains(said, []byte("220")) || bytes.Contains(said, []byte("250")) {
			t.Errorf("said %q in the clear", said)
		}
	})
}

func TestImplicitTLSNeedsCertificate(t *testing.T) {
	s := New(Config{}, testDeps(t, &box{}, &events{}))
	if err := s.ServeDoor(newPipes(), Door{TLS: true}); err == nil {
		t.Error("serves TLS without a certificate")
	}
}

// TestUnixSocket: over a real socket, whoever may open it may send.
func TestUnixSocket(t *testing.T) {
	b := &box{}
	s := New(Config{Hostname: "lull.test"}, testDeps(t, b, &events{}))
	path := filepath.Join(t.TempDir(), "smtp.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, conn)
	c.hello()
	c.post("x")
	c.say("QUIT", "221 *")
	if got := b.messages[0].Envelope.Client; got != "unix" {
		t.Errorf("client %q", got)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	c.want("closed")
}

// TestIdleClientsMakeRoom: connections that do nothing keep nobody out.
func TestIdleClientsMakeRoom(t *testing.T) {
	bubble(t, Config{MaxConnections: 4, MaxPerHost: 2}, nil, func(t *testing.T, h *house) {
		oldest := h.connect(t, "127.0.0.1")
		oldest.hello()
		<-time.After(evictAfter / 2)
		busy := h.connect(t, "127.0.0.1")
		busy.hello()
		busy.say("MAIL FROM:<a@b.test>", "250 *")
		busy.say("RCPT TO:<r@d.test>", "250 *")
		busy.say("DATA", "354 *")
		c := h.connect(t, "127.0.0.1")
		c.want("421 4.7.0 *") // nobody has been idle for long enough
		<-time.After(evictAfter)
		h.connect(t, "127.0.0.1").hello()
		oldest.want("421 4.4.2 Idle, and others are waiting")
		oldest.want("closed")
		c = h.connect(t, "127.0.0.1")
		c.want("421 4.7.0 *") // a message under way is not idle
		h.connect(t, "127.0.0.2").hello()
		h.connect(t, "127.0.0.3").hello()
		<-time.After(evictAfter)
		h.connect(t, "127.0.0.4").hello() // over the limit of all
		busy.send("x\r\n.\r\n")
		busy.want("250 *")
	})
}

// TestACrowdKeepsNobodyOut: where all places are taken, and nobody has been idle
// for long, a host that has few of them takes one of the host that has the most.
func TestACrowdKeepsNobodyOut(t *testing.T) {
	bubble(t, Config{MaxConnections: 4, MaxPerHost: 3}, nil, func(t *testing.T, h *house) {
		busy := h.connect(t, "127.0.0.1")
		busy.hello()
		busy.say("MAIL FROM:<a@b.test>", "250 *")
		busy.say("RCPT TO:<r@d.test>", "250 *")
		busy.say("DATA", "354 *")
		var crowd []*client
		for range 2 {
			c := h.connect(t, "127.0.0.1")
			c.hello()
			crowd = append(crowd, c)
			<-time.After(time.Second)
		}
		h.connect(t, "127.0.0.2").hello()
		h.connect(t, "127.0.0.3").hello()
		crowd[0].want("421 4.4.2 Idle, and others are waiting")
		crowd[0].want("closed")
		c := h.connect(t, "127.0.0.3")
		c.want("421 4.3.2 *") // it would have as many as the others
		busy.send("x\r\n.\r\n")
		busy.want("250 *")
		crowd[1].say("NOOP", "250 *")
	})
}

// TestANetworkIsOneHost: the addresses of one IPv6 network share the connections
// of a host.
func TestANetworkIsOneHost(t *testing.T) {
	cfg := Config{MaxConnections: 9, MaxPerHost: 2, Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}}
	bubble(t, cfg, nil, func(t *testing.T, h *house) {
		for _, c := range []struct{ from, first string }{
			{"2001:db8:0:1::1", "220 *"}, {"2001:db8:0:1:2:3:4:5", "220 *"}, {"2001:db8:0:1::3", "421 4.7.0 *"},
			{"2001:db8:0:2::1", "220 *"}, {"2001:db8:0:1::4", "421 4.7.0 *"},
		} {
			h.connect(t, c.from).want(c.first)
		}
	})
}

// guessed tries a wrong password, and reports whether it was looked at.
func guessed(g *guards, address string, now time.Time) bool {
	looked := g.begin(address, now)
	if looked {
		g.end(address, false, now)
	}
	return looked
}

func TestGuessingIsLimitedPerAddress(t *testing.T) {
	g, now := newGuards(), start
	for range maxGuesses {
		if !guessed(g, "192.0.2.1", now) {
			t.Error("locked too early")
		}
		now = now.Add(time.Second)
	}
	if guessed(g, "192.0.2.1", now) || !guessed(g, "192.0.2.2", now) {
		t.Error("not locked, or the wrong one")
	}
	now = start.Add(guessTime)
	if !guessed(g, "192.0.2.1", now) {
		t.Error("locked for too long")
	}
	guessed(g, "192.0.2.3", now.Add(guessTime))
	if len(g.guesses) != 1 {
		t.Errorf("%d addresses are remembered, want 1", len(g.guesses))
	}
}

// TestGuessingAtOnce: many connections have no more guesses than one, and who
// knows the password is not taken for one who guesses.
func TestGuessingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuards()
		var looked atomic.Int64
		try := func(right bool) {
			for range 200 {
				go func() {
					if g.begin("192.0.2.1", time.Now()) {
						looked.Add(1)
						<-time.After(time.Second) // the time to check it
						g.end("192.0.2.1", right, time.Now())
					}
				}()
			}
			<-time.After(time.Minute)
			synctest.Wait()
		}
		try(true)
		if n := looked.Swap(0); n != 200 || len(g.guesses) != 0 {
			t.Errorf("%d right passwords of 200 were looked at, %d addresses remembered", n, len(g.guesses))
		}
		try(false)
		if n := looked.Load(); n != maxGuesses {
			t.Errorf("%d guesses were looked at, want %d", n, maxGuesses)
		}
	})
}

func TestHost(t *testing.T) {
	for _, c := range [][2]string{{"192.0.2.1", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}, {"2001:db8:1:2::9", "2001:db8:1:2::/64"}} {
		if got := (&wire{client: netip.MustParseAddr(c[0]), name: c[0]}).host(); got != c[1] {
			t.Errorf("what %s does counts against %s, want %s", c[0], got, c[1])
		}
	}
}

func TestLockedAddress(t *testing.T) {
	cfg := Config{TLS: testTLS(t, "lull.test"), Users: testUsers(t, "ada lovelace")}
	bubbleAt(t, Door{TLS: true}, cfg, nil, func(t *testing.T, h *house) {
		for range maxGuesses {
			guessed(h.server.guards, "127.0.0.1", time.Now())
		}
		c := &client{t: t, conn: h.pipes.dial(t, "127.0.0.1")}
		c.secure()
		h.clients = append(h.clients, c)
		c.hello()
		c.say("AUTH PLAIN AGFkYQBsb3ZlbGFjZQ==", "454 4.7.0 *")
		<-time.After(4 * time.Minute)
		c.say("NOOP", "250 *")
		<-time.After(4 * time.Minute)
		c.say("NOOP", "250 *")
		<-time.After(2 * time.Minute)
		c.say("AUTH PLAIN AGFkYQBsb3ZlbGFjZQ==", "235 *")
	})
}

func TestUsersFile(t *testing.T) {
	// The hash of "password" in the tests of the reference implementation.
	const argon = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	path := filepath.Join(t.TempDir(), "users")
	write := func(mode os.FileMode, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := LoadUsers(path); err == nil {
		t.Error("a missing file was taken")
	}
	write(0o640, "# comment\n\nada:"+argon+"\n")
	users, err := LoadUsers(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, password string
		want           bool
	}{{"ada", "password", true}, {"ada", "Password", false}, {"ada", "", false}, {"bob", "password", false}, {"", "", false}} {
		if got := users.check(c.name, c.password); got != c.want {
			t.Errorf("check(%q, %q) = %v", c.name, c.password, got)
		}
	}
	for name, line := range map[string]string{
		"no hash":       "ada",
		"clear text":    "ada:password",
		"no name":       ":" + argon,
		"other argon":   "ada:" + strings.Replace(argon, "argon2id", "argon2i", 1),
		"other version": "ada:" + strings.Replace(argon, "v=19", "v=16", 1),
		"much memory":   "ada:" + strings.Replace(argon, "m=256", "m=99999999", 1),
		"no time":       "ada:" + strings.Replace(argon, "t=2", "t=0", 1),
		"no threads":    "ada:" + strings.Replace(argon, "p=1", "p=0", 1),
		"short key":     "ada:$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA",
		"bad base64":    "ada:" + strings.Replace(argon, "c29t", "!!!!", 1),
		"slow bcrypt":   "ada:$2a$31$htUTYTsKdsSkMI35eMVOt.AFL9HDeViqE556qpH34u//Zwp4k6F86",
	} {
		write(0o600, "bob:"+argon+"\n"+line+"\n")
		if err := users.Reload(); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	write(0o644, "ada:"+argon+"\n")
	if err := users.Reload(); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("a file open to others: %v", err)
	}
	if !users.check("ada", "password") {
		t.Error("a faulty file has driven out the users")
	}
}

// TestUnknownUsersTakeAsLong: the stand-in hash is a real one.
func TestUnknownUsersTakeAsLong(t *testing.T) {
	if h, err := parseHash(string(noPassword)); err != nil || h.matches("") {
		t.Errorf("stand-in %v, %v", h, err)
	}
}

func TestCertificateFollowsItsFiles(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	install := func(name string, at time.Time) {
		t.Helper()
		pair := testTLS(t, name).Certificates[0]
		key, err := x509.MarshalECPrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		for file, block := range map[string]pem.Block{
			certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]},
			keyFile:  {Type: "EC PRIVATE KEY", Bytes: key},
		} {
			if err := os.WriteFile(file, pem.EncodeToMemory(&block), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := func(c *Certificate) string {
		t.Helper()
		pair, err := c.Get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Subject.CommonName
	}
	synctest.Test(t, func(t *testing.T) {
		var troubles int
		if _, err := LoadCertificate(certFile, keyFile, nil); err == nil {
			t.Error("missing files were taken")
		}
		install("first.test", start)
		c, err := LoadCertificate(certFile, keyFile, func(error) { troubles++ })
		if err != nil || name(c) != "first.test" {
			t.Fatalf("%v", err)
		}
		install("second.test", start.Add(time.Hour))
		<-time.After(recheck)
		if got := name(c); got != "second.test" {
			t.Errorf("after a change it is %s", got)
		}
		if err := os.WriteFile(certFile, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		<-time.After(recheck)
		if got := name(c); got != "second.test" || troubles != 1 {
			t.Errorf("after a broken change it is %s, %d troubles", got, troubles)
		}
		<-time.After(recheck)
		if name(c); troubles != 1 {
			t.Errorf("%d troubles for one change", troubles)
		}
		install("third.test", start.Add(2*time.Hour))
		if err := c.Reload(); err != nil || name(c) != "third.test" {
			t.Errorf("Reload: %v", err)
		}
	})
}

func TestReadProxy(t *testing.T) {
	v2 := "\r\n\r\n\x00\r\nQUIT\n"
	addresses4 := "\xc0\x00\x02\x01\x0a\x00\x00\x01\x0f\xa0\x00\x19"
	addresses6 := "\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) + "\x09" + strings.Repeat("\x00", 20)
	for _, c := range []struct {
		name, in, want string // "fault", "self", or the client
	}{
		{"v1 IPv4", "PROXY TCP4 192.0.2.1 10.0.0.1 4000 25\r\n", "192.0.2.1"},
		{"v1 IPv6", "PROXY TCP6 2001:db8::9 2001:db8::1 4000 25\r\n", "2001:db8::9"},
		{"v1 unknown", "PROXY UNKNOWN\r\n", "self"},
		{"v1 unknown with more", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "self"},
		{"v1 wrong family", "PROXY TCP4 2001:db8::9 2001:db8::1 4000 25\r\n", "fault"},
		{"v1 too few words", "PROXY TCP4 192.0.2.1\r\n", "fault"},
		{"v1 no address", "PROXY TCP4 localhost 10.0.0.1 4000 25\r\n", "fault"},
		{"v1 other protocol", "PROXY UDP4 192.0.2.1 10.0.0.1 4000 25\r\n", "fault"},
		{"v1 endless", "PROXY TCP4 " + strings.Repeat("1", 200), "fault"},
		{"v1 cut short", "PROXY TCP4 192.0.2.1 10", "fault"},
		{"not it", "EHLO client.test\r\n", "fault"},
		{"nothing", "", "fault"},
		{"v2 IPv4", v2 + "\x21\x11\x00\x0c" + addresses4, "192.0.2.1"},
		{"v2 IPv4 with more", v2 + "\x21\x11\x00\x0f" + addresses4 + "abc", "192.0.2.1"},
		{"v2 IPv6", v2 + "\x21\x21\x00\x24" + addresses6, "2001:db8::9"},
		{"v2 local", v2 + "\x20\x00\x00\x00", "self"},
		{"v2 unspecified", v2 + "\x21\x00\x00\x00", "self"},
		{"v2 other version", v2 + "\x31\x11\x00\x0c" + addresses4, "fault"},
		{"v2 other command", v2 + "\x22\x11\x00\x0c" + addresses4, "fault"},
		{"v2 too short", v2 + "\x21\x11\x00\x04" + addresses4, "fault"},
		{"v2 too long", v2 + "\x21\x11\xff\xff" + addresses4, "fault"},
		{"v2 unix", v2 + "\x21\x31\x00\x0c" + addresses4, "fault"},
		{"v2 cut short", v2 + "\x21\x11\x00\x0c\xc0", "fault"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rest := ""
			if c.want != "fault" {
				rest = "EHLO c.test\r\n"
			}
			r := strings.NewReader(c.in + rest)
			client, err := readProxy(r)
			got := client.String()
			switch {
			case err != nil:
				got = "fault"
			case client == netip.Addr{}:
				got = "self"
			}
			if got != c.want {
				t.Errorf("%s (%v), want %s", got, err, c.want)
			}
			if left, _ := io.ReadAll(r); err == nil && string(left) != rest {
				t.Errorf("left %q, want %q", left, rest)
			}
		})
	}
}

func FuzzProxy(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 10.0.0.1 4000 25\r\n"))
	f.Add([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\x0a\x00\x00\x01\x0f\xa0\x00\x19"))
	f.Fuzz(func(t *testing.T, in []byte) {
		client, err := readProxy(bytes.NewReader(in))
		if err != nil && client.IsValid() {
			t.Errorf("an address %v with %v", client, err)
		}
	})
}
