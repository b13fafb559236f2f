package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// TestSiege: 2,000 connections that do nothing, clients that drip commands or
// a message, that never end a line, that guess 1,000 passwords over TLS. The
// limits hold, an honest client is served at once, also while they arrive, and
// when all is over the daemon is as it was. Where it is slow the siege comes
// again, twice at most: who else uses the machine is no part of this.
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

	peace := &visits{addr: d.addr}
	peace.during(t, 200, closed())
	sent := len(peace.took)
	b, arrival, guessing := besiege(t, d.addr)
	sent += len(arrival.took) + len(guessing.took)
	looked := b.guesses
	for again := 2; again > 0 && (arrival.slow() || guessing.slow()); again-- {
		t.Logf("slow, and perhaps for the machine's sake; once more: while they arrive %v, while they guess %v", arrival, guessing)
		b.withdraw()
		b, arrival, guessing = besiege(t, d.addr)
		sent += len(arrival.took) + len(guessing.took)
	}
	arrival.judge(t, "while they arrive")
	guessing.judge(t, "while they guess")

	if said, err := login(d.addr, "127.0.2.5", "lovelace"); err != nil || !strings.HasPrefix(said, "235") {
		t.Errorf("the right password from elsewhere is answered %q, %v", said, err)
	}
	if looked.Looked > maxLooked || looked.Tries != 1000 || looked.Let > 0 {
		t.Errorf("guesses: %+v, want at most %d looked at", looked, maxLooked)
	}
	if said, err := login(d.addr, guesser, "lovelace"); err != nil || !strings.HasPrefix(said, "454") {
		t.Errorf("the right password from the guesser's address is answered %q, %v", said, err)
	}
	open := d.descriptors(t)
	b.withdraw()
	until(t, 30*time.Second, "descriptors are back at the start", func() bool { return d.descriptors(t) <= before+5 })
	after := d.descriptors(t)
	if s := d.status(t); count(s, "accepted") != sent {
		t.Errorf("accepted %d, want %d", count(s, "accepted"), sent)
	}
	left := d.goroutines(t)
	if left > calm+8 {
		t.Errorf("%d goroutines are left, %d were there at the start", left, calm)
	}
	t.Logf("an honest mail in peace: %v\nwhile they arrive: %v\nwhile they guess: %v\nguesses %+v; descriptors %d, %d, %d; goroutines %d, %d",
		peace, arrival, guessing, looked, before, open, after, calm, left)
}

// visits are honest mails, each over a connection of its own, and how long
// each took, from the dial to the answer to QUIT.
type visits struct {
	addr string

	mu     sync.Mutex
	took   []time.Duration
	failed []error
}

// during has one begin each 5 ms, however long those before it take, until
// something is over and there are n at least.
func (v *visits) during(t *testing.T, n int, over <-chan struct{}) {
	t.Helper()
	var all sync.WaitGroup
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	end := time.After(2 * time.Minute)
	for begun := 0; begun < n || over != nil; begun++ {
		select {
		case <-over:
			over = nil
		case <-end:
			t.Fatal("the siege takes for ever")
		default:
		}
		<-pace.C
		all.Go(v.visit)
	}
	all.Wait()
	slices.Sort(v.took)
}

func (v *visits) visit() {
	began := time.Now()
	err := honest(v.addr)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.failed = append(v.failed, err)
		return
	}
	v.took = append(v.took, time.Since(began))
}

func (v *visits) part(of float64) time.Duration {
	if len(v.took) == 0 {
		return 0
	}
	return v.took[int(of*float64(len(v.took)-1))]
}

func (v *visits) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", v.part(.5), v.part(.99), v.part(1), len(v.took))
}

func (v *visits) slow() bool { return v.part(.99) > 100*time.Millisecond }

func (v *visits) judge(t *testing.T, when string) {
	t.Helper()
	if len(v.failed) > 0 {
		t.Errorf("%s %d honest mails were turned away, the first: %v", when, len(v.failed), v.failed[0])
	}
	if v.slow() {
		t.Errorf("an honest mail %s: %v", when, v)
	}
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
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
	secret, err := rsa.GenerateKey(rand.Reader, 2048)
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
