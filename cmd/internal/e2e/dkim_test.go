package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// signScript signs and verifies with dkimpy, which Debian packages: one line
// of a way and a text in base64, one line of answer. The key record comes from
// the command line, not from DNS.
const signScript = `import base64, dkim, sys
secret, record = (a.encode() for a in sys.argv[1:])
for line in sys.stdin:
    how, text = line.split(" ")
    text = base64.b64decode(text)
    if how == "verify":
        print("yes" if dkim.verify(text, dnsfunc=lambda name, timeout=5: record) else "no", flush=True)
        continue
    header, body = how.split("/")
    signature = dkim.sign(text, b"s1", b"example.org", secret, canonicalize=(header.encode(), body.encode()),
        include_headers=[b"from", b"to", b"subject", b"mime-version", b"content-type", b"x-odd"])
    print(base64.b64encode(signature + text).decode(), flush=True)
`

// signer signs and verifies with a key of its own.
type signer struct {
	to   io.Writer
	from *bufio.Scanner
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	record := "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", signScript, string(secret), record)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	s := &signer{to: in, from: bufio.NewScanner(out)}
	s.from.Buffer(nil, 1<<20)
	return s
}

func (s *signer) ask(t *testing.T, how string, text []byte) string {
	t.Helper()
	fmt.Fprintln(s.to, how, base64.StdEncoding.EncodeToString(text))
	if !s.from.Scan() {
		t.Fatal("the signer has ended; is python3-dkim there?")
	}
	return s.from.Text()
}

func (s *signer) sign(t *testing.T, canonical, text string) []byte {
	t.Helper()
	signed, err := base64.StdEncoding.DecodeString(s.ask(t, canonical, []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (s *signer) verifies(t *testing.T, text []byte) bool {
	t.Helper()
	return s.ask(t, "verify", text) == "yes"
}

// signedBodies are texts that a relay may be tempted to mend.
var signedBodies = map[string]string{
	"plain":            "hello\r\n",
	"dots":             ".\r\n..\r\n.hidden\r\n",
	"eight bits":       "gr\xc3\xbcn \xff\xfe\x80\r\n",
	"long lines":       strings.Repeat("0123456789", 500) + "\r\n" + strings.Repeat("x", 998) + "\r\n",
	"trailing blanks":  "hello \t \r\n\r\n \r\n\r\n\r\n",
	"no last line end": "hello\r\nworld",
	"blanks":           "a  b\t\tc   \r\n\tindented\r\n",
	"empty":            "",
	"controls":         "\x1b[31mred\x07\r\n\x00\r\n",
}

// signedHeaders are headers that a parser may be tempted to write anew.
var signedHeaders = map[string]string{
	"plain": "From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: letter\r\n",
	"folded oddly": "from:ann@example.org\r\nTO:  bob@example.net,\r\n\t \teve@example.net\r\nSubject:\r\n   a  letter  \r\n\t of   odd \tfolds  \r\n" +
		"X-Odd: =?utf-8?q?gr=C3=BCn?=\r\n =?utf-8?q?_blau?=\r\nMIME-Version:1.0 (by hand)\r\nContent-Type: TEXT/plain;\r\n  charset = \"utf-8\"\r\n",
	"eight bits": "From: =?x?= J\xc3\xb6rg <ann@example.org>\r\nTo: bob@example.net\r\nSubject: letter gr\xfcn\r\nX-Odd: a\r\n",
}

// TestDKIM: mail that another project has signed verifies there after it went
// through lull, in text and in chunks, whatever its canonical form.
func TestDKIM(t *testing.T) {
	needs(t)
	s, far := newSigner(t), newSink(t)
	h := newHouse(t, "[[smarthost]]\naddr = %q\n", far.addr)
	var lines []string
	for _, canonical := range []string{"simple/simple", "relaxed/relaxed", "simple/relaxed", "relaxed/simple"} {
		for headName, head := range signedHeaders {
			for bodyName, body := range signedBodies {
				signed := s.sign(t, canonical, head+"\r\n"+body)
				for _, how := range []string{"DATA", "BDAT"} {
					to := fmt.Sprintf("r%d@example.net", len(lines))
					lines = append(lines, fmt.Sprintf("%s, header %s, body %s, %s", canonical, headName, bodyName, how))
					hand(t, h.addr, to, how, signed)
				}
			}
		}
	}
	until(t, time.Minute, "all of it arrives", func() bool { return len(far.arrivals()) >= len(lines) })
	passed := 0
	for _, a := range far.arrivals() {
		var n int
		fmt.Sscanf(a.to, "r%d@", &n)
		switch {
		case !s.verifies(t, a.body):
			t.Errorf("%s: does not verify", lines[n])
		case s.verifies(t, bytes.Replace(a.body, []byte("Subject:"), []byte("Subject: no"), 1)):
			t.Errorf("%s: verifies although it was changed: the test is blind", lines[n])
		default:
			passed++
		}
	}
	h.audit(t)
	t.Logf("%d signed mails, %d arrived, %d verify", len(lines), len(far.arrivals()), passed)
}

// hand sends octets as one mail, as they are.
func hand(t *testing.T, addr, to, how string, raw []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	c := textproto.NewConn(conn)
	text := "\r\n" + string(raw)
	if !strings.HasSuffix(text, "\r\n") {
		text += "\r\n"
	}
	text = strings.ReplaceAll(text, "\r\n.", "\r\n..")[2:] + ".\r\n"
	said := []string{"", "EHLO client.test\r\n", "MAIL FROM:<ann@example.org> BODY=8BITMIME\r\n", "RCPT TO:<" + to + ">\r\n", "DATA\r\n", text}
	if how == "BDAT" {
		half := len(raw) / 2
		said = append(said[:4], fmt.Sprintf("BDAT %d\r\n%s", half, raw[:half]), fmt.Sprintf("BDAT %d LAST\r\n%s", len(raw)-half, raw[half:]))
	}
	for _, line := range append(said, "QUIT\r\n") {
		fmt.Fprint(conn, line)
		if code, reply, err := c.ReadResponse(0); err != nil || code >= 400 {
			t.Fatalf("%.60q is answered %d %s, %v", line, code, reply, err)
		}
	}
}
