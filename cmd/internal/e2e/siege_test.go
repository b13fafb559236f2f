package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// TestSiege: 2,000 connections that do nothing, clients that drip commands or
// a message, that never end a line, that guess 1,000 passwords over TLS. The
// limits hold, an honest client is served at once, and when all is over the
// daemon is as it was.
func TestSiege(t *testing.T) {
	needs(t)
	far := newSink(t)
	base := fortress(t, far.addr)
	calm := base.goroutines(t)
	d := fortress(t, far.addr)
	until(t, 10*time.Second, "the daemon is at rest", func() bool {
		once := d.descriptors(t)
		return d.descriptors(t) == once
	})
	before := d.descriptors(t)

	s := &besiegers{addr: d.addr, over: make(chan struct{})}
	for host := range 20 {
		s.crowd(100, fmt.Sprintf("127.0.1.%d", host+1), func(net.Conn) {})
	}
	s.crowd(50, "127.0.2.1", s.drip("NOOP"))
	s.crowd(20, "127.0.2.2", s.drip("EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: "))
	s.crowd(20, "127.0.2.3", s.endless)
	s.opened.Wait()
	var g guessed
	guessing := make(chan struct{})
	go func() {
		defer close(guessing)
		g = guessAll(d.addr, "127.0.2.4", 1000, 40)
	}()

	var took []time.Duration
	turnedAway := 0
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for len(took)+turnedAway < 200 || !ended(guessing) {
		<-pace.C
		began := time.Now()
		if err := honest(d.addr); err != nil {
			t.Logf("turned away: %v", err)
			turnedAway++
			continue
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatalf("%d honest mails, none was taken", turnedAway)
	}
	if turnedAway > 0 || took[len(took)/2] > 100*time.Millisecond {
		t.Errorf("%d honest mails were turned away, the others took %v (median)", turnedAway, took[len(took)/2])
	}
	if said, err := login(d.addr, "127.0.2.5", "lovelace"); err != nil || !strings.HasPrefix(said, "235") {
		t.Errorf("the right password from elsewhere is answered %q, %v", said, err)
	}
	if g.looked > 10 || g.tries != 1000 || g.let > 0 {
		t.Errorf("guesses: %+v, want at most 10 looked at", g)
	}
	if said, err := login(d.addr, "127.0.2.4", "lovelace"); err != nil || !strings.HasPrefix(said, "454") {
		t.Errorf("the right password from the guesser's address is answered %q, %v", said, err)
	}
	open := d.descriptors(t)
	close(s.over)
	s.gone.Wait()
	until(t, 30*time.Second, "descriptors are back at the start", func() bool { return d.descriptors(t) <= before+5 })
	after := d.descriptors(t)
	if s := d.status(t); count(s, "accepted") != len(took) {
		t.Errorf("accepted %d, want %d", count(s, "accepted"), len(took))
	}
	left := d.goroutines(t)
	if left > calm+8 {
		t.Errorf("%d goroutines are left, %d were there at the start", left, calm)
	}
	t.Logf("an honest mail took %v (median), %v (worst) of %d; %d turned away; guesses %+v; descriptors %d, %d, %d; goroutines %d, %d",
		took[len(took)/2], took[len(took)-1], len(took), turnedAway, g, before, open, after, calm, left)
}

func ended(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// fortress is a lull with a certificate and one user, ada.
func fortress(t *testing.T, next string) *house {
	t.Helper()
	dir := t.TempDir()
	hash, err := bcrypt.GenerateFromPassword([]byte("lovelace"), bcrypt.DefaultCost)
	if err != nil {
		t.Fatal(err)
	}
	chain, key := newCertificate(t)
	for name, text := range map[string][]byte{"users": append([]byte("ada:"), hash...), "chain.pem": chain, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return newHouse(t, "networks = ['127.0.0.1/32', '127.0.2.2/32']\nusers = '"+dir+"/users'\n[tls]\ncertificate = '"+dir+"/chain.pem'\nkey = '"+dir+"/key.pem'\n"+
		"[[smarthost]]\naddr = %q\n", next)
}

func newCertificate(t *testing.T) (chain, key []byte) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lull.test"}, DNSNames: []string{"lull.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// descriptors counts those that the daemon has open.
func (d *daemon) descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

var goroutine = regexp.MustCompile(`(?m)^goroutine \d+ `)

// goroutines ends the daemon in the way that makes it list them, and counts.
func (d *daemon) goroutines(t *testing.T) int {
	t.Helper()
	syscall.Kill(d.cmd.Process.Pid, syscall.SIGQUIT)
	<-d.done
	log, err := os.ReadFile(d.log)
	if err != nil {
		t.Fatal(err)
	}
	n := len(goroutine.FindAll(log, -1))
	if n == 0 {
		t.Fatalf("the daemon listed no goroutines:\n%s", tail(d.log, 20))
	}
	return n
}

// besiegers are a crowd of bad clients.
type besiegers struct {
	addr         string
	over         chan struct{}
	opened, gone sync.WaitGroup
}

func from(host, addr string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}, Timeout: 20 * time.Second}
	return dialer.Dial("tcp", addr)
}

// crowd opens connections, each of which behaves badly until it is cut off or
// the siege is over.
func (s *besiegers) crowd(n int, host string, behave func(net.Conn)) {
	s.opened.Add(n)
	for range n {
		s.gone.Go(func() {
			c, err := from(host, s.addr)
			s.opened.Done()
			if err != nil {
				return
			}
			defer c.Close()
			behave(c)
			<-s.over
		})
	}
}

func (s *besiegers) drip(begin string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, begin)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-s.over:
				return
			case <-tick.C:
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
			}
		}
	}
}

func (s *besiegers) endless(c net.Conn) {
	for range 4096 {
		if _, err := io.WriteString(c, strings.Repeat("x", 4096)); err != nil {
			return
		}
	}
}

// guessed is what came of guessing.
type guessed struct {
	tries, looked, locked, let int
}

// guessAll tries n wrong passwords over as many connections at once as wide.
func guessAll(addr, host string, n, wide int) guessed {
	var tries, looked, locked, let atomic.Int64
	var all sync.WaitGroup
	for range wide {
		all.Go(func() {
			for {
				c, err := secured(addr, host)
				if err != nil {
					continue // too many of them for the moment
				}
				for err == nil {
					try := tries.Add(1)
					if try > int64(n) {
						tries.Add(-1)
						c.Close()
						return
					}
					var said string
					said, err = auth(c, fmt.Sprintf("guess%d", try))
					switch {
					case strings.HasPrefix(said, "454"):
						locked.Add(1)
					case strings.HasPrefix(said, "235"):
						let.Add(1)
					case strings.HasPrefix(said, "535"), strings.HasPrefix(said, "421 4.7.0 Too many failures"):
						looked.Add(1)
					default:
						tries.Add(-1) // cut off: it was not tried
					}
					if !strings.HasPrefix(said, "454") && !strings.HasPrefix(said, "535") {
						break
					}
				}
				c.Close()
			}
		})
	}
	all.Wait()
	return guessed{int(tries.Load()), int(looked.Load()), int(locked.Load()), int(let.Load())}
}

// login tries one password for ada.
func login(addr, host, password string) (said string, err error) {
	c, err := secured(addr, host)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return auth(c, password)
}

func auth(c *textproto.Conn, password string) (said string, err error) {
	secret := base64.StdEncoding.EncodeToString([]byte("\x00ada\x00" + password))
	if err := c.PrintfLine("AUTH PLAIN %s", secret); err != nil {
		return "", err
	}
	return c.ReadLine()
}

// secured is a connection on which AUTH may come.
func secured(addr, host string) (*textproto.Conn, error) {
	raw, err := from(host, addr)
	if err != nil {
		return nil, err
	}
	raw.SetDeadline(time.Now().Add(time.Minute))
	if err := talk(textproto.NewConn(raw), "", "EHLO client.test", "STARTTLS"); err != nil {
		raw.Close()
		return nil, err
	}
	c := textproto.NewConn(tls.Client(raw, &tls.Config{InsecureSkipVerify: true}))
	if err := talk(c, "EHLO client.test"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// talk says lines, "" for nothing, and wants each accepted.
func talk(c *textproto.Conn, lines ...string) error {
	for _, line := range lines {
		if line != "" {
			if err := c.PrintfLine("%s", line); err != nil {
				return err
			}
		}
		if code, said, err := c.ReadResponse(0); err != nil || code >= 400 {
			return fmt.Errorf("%q is answered %d %s, %v", line, code, said, err)
		}
	}
	return nil
}

// honest sends one mail over a connection of its own.
func honest(addr string) error {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(30 * time.Second))
	return talk(textproto.NewConn(raw), "", "EHLO client.test", "MAIL FROM:<ann@example.org>", "RCPT TO:<bob@example.net>", "DATA",
		"Subject: letter\r\n\r\nhello\r\n.", "QUIT")
}
