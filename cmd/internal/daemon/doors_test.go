package daemon

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"lull/cmd/internal/config"
	"lull/relay/admin"
)

// TestDoors: a mail comes in through a door of each kind, and what the door
// knows about its client is kept. Only 192.0.2.0/24 may send as it is.
func TestDoors(t *testing.T) {
	folder := t.TempDir()
	writePair(t, folder, 1)
	writeUsers(t, folder, "anna", "secret")
	r := begin(t, filepath.Join(folder, "s"), everyDoor(folder))
	plain, implicit, proxied := r.doors[0], r.doors[1], r.doors[4]

	c := dial(t, "tcp", plain, nil)
	if err := c.Mail("root@a.example"); err == nil || !strings.Contains(err.Error(), "networks") {
		t.Errorf("anybody may send: %v", err)
	}
	c = dial(t, "tcp", plain, nil)
	if err := c.StartTLS(unverified()); err != nil {
		t.Fatal(err)
	}
	submit(t, c, "starttls@example.org", "secret")
	submit(t, dial(t, "tcp", implicit, unverified()), "tls@example.org", "secret")
	submit(t, dial(t, "unix", filepath.Join(folder, "smtp"), nil), "root", "")
	converse(t, "tcp", proxied, "PROXY TCP4 192.0.2.7 192.0.2.1 4000 25", "EHLO a.example", "proxied@example.org")
	converse(t, "unix", filepath.Join(folder, "lmtp"), "", "LHLO a.example", "lmtp@example.org")

	got := map[string]string{}
	client := admin.NewClient(r.state)
	defer client.Close()
	for copy, err := range client.Copies(t.Context(), admin.Selection{}).All() {
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range client.Show(t.Context(), copy.ID).All() {
			if err != nil {
				t.Fatal(err)
			}
			got[d.To] = strings.TrimSpace(d.Client + " " + d.Auth)
		}
	}
	want := map[string]string{
		"starttls@example.org": "127.0.0.1 anna", "tls@example.org": "127.0.0.1 anna", "root@qualified.example": "unix",
		"proxied@example.org": "192.0.2.7", "lmtp@example.org": "unix",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if info, err := os.Stat(filepath.Join(folder, "smtp")); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the socket for local users: %v, %v", info.Mode(), err)
	}
}

// TestReloadTakesNewKeys: a renewed certificate and new users count after
// SIGHUP, for new connections; broken ones change nothing.
func TestReloadTakesNewKeys(t *testing.T) {
	folder := t.TempDir()
	writePair(t, folder, 1)
	writeUsers(t, folder, "anna", "secret")
	r := begin(t, filepath.Join(folder, "s"), everyDoor(folder))
	writePair(t, folder, 2)
	writeUsers(t, folder, "anna", "changed")
	r.reload <- struct{}{}
	within(t, 10*time.Second, "the reload", func() bool { return strings.Contains(r.log.String(), "msg=reloaded") })
	if serial(t, r.doors[1]) != 2 {
		t.Error("the old certificate is still in use")
	}
	submit(t, dial(t, "tcp", r.doors[1], unverified()), "ops@example.org", "changed")
	if err := os.WriteFile(filepath.Join(folder, "cert.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.reload <- struct{}{}
	within(t, 10*time.Second, "the refusal", func() bool { return strings.Contains(r.log.String(), "the old one stays") })
	if serial(t, r.doors[1]) != 2 {
		t.Error("a broken certificate took the place of a good one")
	}
}

func TestSocketInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenUnix(path); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a socket in use: %v", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close()
	second, err := listenUnix(path)
	if err != nil {
		t.Fatalf("a dead socket: %v", err)
	}
	second.Close()
}

// everyDoor is a configuration with a door of each kind.
func everyDoor(folder string) func(*config.Config) {
	return func(c *config.Config) {
		c.Listen = []string{
			"127.0.0.1:0", "tls:127.0.0.1:0", "unix:" + filepath.Join(folder, "smtp"),
			"lmtp:unix:" + filepath.Join(folder, "lmtp"), "proxy:127.0.0.1:0",
		}
		c.Proxies, c.Networks, c.QualifyDomain = []string{"127.0.0.1"}, []string{"192.0.2.0/24"}, "qualified.example"
		c.TLS = config.TLS{Certificate: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem")}
		c.Users = filepath.Join(folder, "users")
	}
}

func unverified() *tls.Config { return &tls.Config{InsecureSkipVerify: true} } //nolint:gosec // its own certificate

// dial greets over a door.
func dial(t *testing.T, network, address string, secure *tls.Config) *smtp.Client {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if secure != nil {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// submit sends a mail to one recipient; with a password, as anna.
func submit(t *testing.T, c *smtp.Client, to, password string) {
	t.Helper()
	if password != "" {
		if err := c.Auth(smtp.PlainAuth("", "anna", password, "127.0.0.1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Mail("root@a.example"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(to); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(w, "Subject: Cron <root@a> backup\r\nX-Cron-Env: <A=B>\r\n\r\nfailed\r\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
}

// converse sends a mail word by word, after a first line that has no answer.
func converse(t *testing.T, network, address, first, hello, to string) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if first != "" {
		fmt.Fprint(conn, first+"\r\n")
	}
	in := bufio.NewReader(conn)
	for _, line := range []string{"", hello, "MAIL FROM:<root@a.example>", "RCPT TO:<" + to + ">", "DATA", "Subject: Cron <root@a> x\r\nX-Cron-Env: <A=B>\r\n\r\nx\r\n.", "QUIT"} {
		if line != "" {
			fmt.Fprint(conn, line+"\r\n")
		}
		reply := "250-"
		for len(reply) > 3 && reply[3] == '-' {
			if reply, err = in.ReadString('\n'); err != nil {
				t.Fatalf("after %q: %v", line, err)
			}
		}
		if reply[0] != '2' && reply[0] != '3' {
			t.Fatalf("%q is answered %q", line, reply)
		}
	}
}

func serial(t *testing.T, address string) int64 {
	t.Helper()
	c, err := tls.Dial("tcp", address, unverified())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func writeUsers(t *testing.T, folder, name, password string) {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "users"), []byte(name+":"+string(h)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func writePair(t *testing.T, folder string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(folder, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
