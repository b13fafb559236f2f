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

// flaw makes a certificate one that must not be trusted.
type flaw func(*x509.Certificate)

func expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

func misnamed(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.test"} }

// certify leaves cert.pem and key.pem for this machine in a folder.
func (a *authority) certify(dir string, flaws ...flaw) {
	a.t.Helper()
	key := newKey(a.t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	put(a.t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", der)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, f := range flaws {
		f(cert)
	}
	put(a.t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", a.sign(cert, key))
}

func put(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newSecureExim is one that offers STARTTLS with a certificate of an authority.
// With authenticators it relays for those only who prove who they are.
func newSecureExim(t *testing.T, next string, by *authority, authenticators string, flaws ...flaw) *server {
	t.Helper()
	needs(t, "exim4")
	s := newSettings(t, next)
	openUp(t, s.Dir)
	by.certify(s.Dir, flaws...)
	chownToMailOwner(t, s.Dir)
	conf := filepath.Join(s.Dir, "exim.conf")
	text := strings.Replace(eximConf, "tls_advertise_hosts =\n",
		"tls_advertise_hosts = *\ntls_certificate = {{.Dir}}/cert.pem\ntls_privatekey = {{.Dir}}/key.pem\n", 1)
	if authenticators != "" {
		text = strings.Replace(text, "acl_smtp_rcpt = accept\n", "acl_smtp_rcpt = ${if def:authenticated_id{accept}{deny message = relay not permitted}}\n", 1)
	}
	write(t, conf, text+authenticators, s)
	p := start(t, nil, "exim4", "-C", conf, "-bdf", "-q2s", "-oX", s.addr())
	until(t, 20*time.Second, "exim answers", func() bool { return answers(s.addr()) })
	return &server{process: p, addr: s.addr(), dir: s.Dir}
}

// newSecurePostfix offers STARTTLS, too, and has settings on top.
func newSecurePostfix(t *testing.T, next string, by *authority, settings string, flaws ...flaw) *server {
	t.Helper()
	dir := t.TempDir()
	openUp(t, dir)
	by.certify(dir, flaws...)
	return newPostfixWith(t, next, fmt.Sprintf("smtpd_tls_security_level = may\nsmtpd_tls_chain_files = %s/key.pem, %[1]s/cert.pem\n", dir)+settings)
}

// policyCase is one policy with one server.
type policyCase struct {
	name, policy string
	to           *server
	ca           string
	encrypted    bool
	note         string // in status, where nothing is sent
}

// TestTLSPolicies: each policy, with authorities of one's own, to servers that
// offer TLS, well or not, and to one that does not. How it received the mail
// says the server itself.
func TestTLSPolicies(t *testing.T) {
	needs(t, "exim4")
	far := newSink(t)
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	for kind, servers := range map[string]struct {
		plain  newServer
		secure func(*testing.T, string, *authority, string, ...flaw) *server
	}{"exim": {newExim, newSecureExim}, "postfix": {newPostfix, newSecurePostfix}} {
		t.Run(kind, func(t *testing.T) {
			plain, secure := servers.plain(t, far.addr), servers.secure(t, far.addr, ours, "")
			late, other := servers.secure(t, far.addr, ours, "", expired), servers.secure(t, far.addr, ours, "", misnamed)
			t.Run("to", func(t *testing.T) {
				for _, c := range []policyCase{
					{"none", "none", secure, "", false, ""},
					{"opportunistic", "opportunistic", secure, "", true, ""},
					{"opportunistic-other-ca", "opportunistic", secure, theirs.file, true, ""},
					{"opportunistic-expired", "opportunistic", late, ours.file, true, ""},
					{"required", "required", secure, "", true, ""},
					{"required-misnamed", "required", other, ours.file, true, ""},
					{"verified", "verified", secure, ours.file, true, ""},
					{"verified-other-ca", "verified", secure, theirs.file, false, "unknown authority"},
					{"verified-system-ca", "verified", secure, "", false, "unknown authority"},
					{"verified-misnamed", "verified", other, ours.file, false, "127.0.0.1"},
					{"verified-expired", "verified", late, ours.file, false, "expired"},
					{"plain-opportunistic", "opportunistic", plain, "", false, ""},
					{"plain-required", "required", plain, "", false, "offers no STARTTLS"},
					{"plain-verified", "verified", plain, ours.file, false, "offers no STARTTLS"},
				} {
					t.Run(c.name, func(t *testing.T) {
						t.Parallel()
						c.name = kind + "-" + c.name
						c.try(t, far)
					})
				}
			})
		})
	}
}

func (c policyCase) try(t *testing.T, far *sink) {
	t.Helper()
	d := configured(t, "%s[[smarthost]]\naddr = %q\ntls = %q\nca = %q\n", passLetters, c.to.addr, c.policy, c.ca)
	send(t, d.addr, 1, []letter{alert("www", c.name, "letter about TLS", "hello")})
	var got *arrival
	find := func() bool {
		for _, a := range far.arrivals() {
			if strings.HasPrefix(a.to, c.name+"@") {
				got = &a
			}
		}
		return got != nil
	}
	if c.note == "" {
		until(t, 40*time.Second, "the letter arrives", find)
		if by := firstReceived(string(got.body)); strings.Contains(strings.ToLower(by), "with esmtps ") != c.encrypted {
			t.Errorf("it was received so: %s", by)
		}
		return
	}
	until(t, 30*time.Second, "lull says why it sends nothing", func() bool {
		st := d.status(t)
		return st["smarthost"] == "unreachable" && strings.Contains(fmt.Sprint(st["smarthost_note"]), c.note)
	})
	st := d.status(t)
	if find() {
		t.Errorf("it arrived:\n%s", got.body)
	}
	if count(st, "waiting")+count(st, "in_flight") != 1 || count(st, "bounced") != 0 {
		t.Errorf("it does not wait: %v", st)
	}
	t.Logf("status: %v", st["smarthost_note"])
}

// firstReceived is that of the last server.
func firstReceived(text string) string {
	field, _, _ := strings.Cut(text, "\r\nReceived:")
	return strings.Join(strings.Fields(field), " ")
}
