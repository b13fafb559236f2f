package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its own, in PEM
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	put(t, a.file, "CERTIFICATE", a.sign(a.cert, a.key))
	return a
}

func (a *authority) sign(c *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

// certify leaves cert.pem and key.pem for this machine in a folder.
func (a *authority) certify(dir string) {
	a.t.Helper()
	key := newKey(a.t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	put(a.t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", der)
	put(a.t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "exim.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key))
}

func put(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newEximTLS is an Exim that offers STARTTLS with a certificate of an authority.
func newEximTLS(t *testing.T, next string, by *authority) *server {
	t.Helper()
	needs(t, "exim4")
	s := newSettings(t, next)
	openUp(t, s.Dir)
	by.certify(s.Dir)
	chownToMailOwner(t, s.Dir)
	conf := filepath.Join(s.Dir, "exim.conf")
	write(t, conf, strings.Replace(eximConf, "tls_advertise_hosts =\n",
		"tls_advertise_hosts = *\ntls_certificate = {{.Dir}}/cert.pem\ntls_privatekey = {{.Dir}}/key.pem\n", 1), s)
	p := start(t, nil, "exim4", "-C", conf, "-bdf", "-q2s", "-oX", s.addr())
	until(t, 20*time.Second, "exim answers", func() bool { return answers(s.addr()) })
	return &server{process: p, addr: s.addr(), dir: s.Dir}
}

// TestTLSPolicies: each policy, with authorities of one's own, to an Exim that
// offers TLS and to one that does not. How it received the mail says Exim.
func TestTLSPolicies(t *testing.T) {
	needs(t, "exim4")
	far := newSink(t)
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	secure, plain := newEximTLS(t, far.addr, ours), newExim(t, far.addr)
	for _, c := range []struct {
		name, policy string
		to           *server
		ca           string
		received     string // how Exim says, "" if it does not come to that
		note         string // in status then
	}{
		{"none", "none", secure, "", "with esmtp ", ""},
		{"opportunistic", "opportunistic", secure, "", "with esmtps ", ""},
		{"opportunistic-other", "opportunistic", secure, theirs.file, "with esmtps ", ""},
		{"required", "required", secure, "", "with esmtps ", ""},
		{"verified", "verified", secure, ours.file, "with esmtps ", ""},
		{"verified-other", "verified", secure, theirs.file, "", "certificate"},
		{"plain-opportunistic", "opportunistic", plain, "", "with esmtp ", ""},
		{"plain-required", "required", plain, "", "", "offers no STARTTLS"},
		{"plain-verified", "verified", plain, ours.file, "", "offers no STARTTLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := configured(t, "%s[[smarthost]]\naddr = %q\ntls = %q\nca = %q\n", passLetters, c.to.addr, c.policy, c.ca)
			send(t, d.addr, 1, []letter{alert("www", c.name, "letter about TLS", "hello")})
			if c.received == "" {
				until(t, 30*time.Second, "lull says why it sends nothing", func() bool {
					st := d.objects(t, "status")[0]
					return st["smarthost"] == "unreachable" && strings.Contains(fmt.Sprint(st["smarthost_note"]), c.note)
				})
			}
			var got *arrival
			find := func() bool {
				for _, a := range far.arrivals() {
					if strings.HasPrefix(a.to, c.name+"@") {
						got = &a
					}
				}
				return got != nil
			}
			if c.received == "" {
				if find() {
					t.Errorf("it arrived:\n%s", got.body)
				}
				return
			}
			until(t, 40*time.Second, "the letter arrives", find)
			if by := byExim(string(got.body)); !strings.Contains(by, c.received) {
				t.Errorf("Exim received it so: %s", by)
			}
		})
	}
}

// byExim is the first Received field, which Exim wrote.
func byExim(text string) string {
	field, _, _ := strings.Cut(text, "\r\nReceived:")
	return strings.Join(strings.Fields(field), " ")
}
