package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// TestSiege: 2,000 connections that do nothing, clients that drip commands or
// a message, that never end a line, that guess 1,000 passwords over TLS. The
// limits hold, an honest client is served at once, also while they arrive, and
// when all is over the daemon is as it was. Where it is slow the siege comes
// again, four times at most: what else the machine does is no part of this.
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

	const guesser = "127.0.3.1"
	s := newSiege(t, d, guesser)
	sent, looked := s.mails(), s.guesses
	for again := 2; again <= 5 && s.slow(); again++ {
		t.Logf("slow, and perhaps for the machine's sake; once more:\n%v", s)
		s.withdraw()
		s = newSiege(t, d, fmt.Sprintf("127.0.3.%d", again))
		sent += s.mails()
	}
	s.judge(t)

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
	s.withdraw()
	until(t, 30*time.Second, "descriptors are back at the start", func() bool { return d.descriptors(t) <= before+5 })
	after := d.descriptors(t)
	if n := count(d.status(t), "accepted"); n != sent {
		t.Errorf("accepted %d, want %d", n, sent)
	}
	left := d.goroutines(t)
	if left > calm+8 {
		t.Errorf("%d goroutines are left, %d were there at the start", left, calm)
	}
	t.Logf("%v\nguesses %+v; descriptors %d, %d, %d; goroutines %d, %d", s, looked, before, open, after, calm, left)
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
