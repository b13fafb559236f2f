package deliver

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"lull/store"
)

// discard is a mail server that takes everything.
type discard struct{}

func (discard) NewSession(*smtp.Conn) (smtp.Session, error) { return discard{}, nil }
func (discard) Mail(string, *smtp.MailOptions) error        { return nil }
func (discard) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (discard) Reset()                                      {}
func (discard) Logout() error                               { return nil }
func (discard) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func discardServer(b testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := smtp.NewServer(discard{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close(); <-served })
	return l.Addr().String()
}

var benchBody = "Subject: ** PROBLEM **\r\n\r\n" + strings.Repeat("All work and no play makes Jack a dull boy.\r\n", 90)

// The two clients over one connection to the same server, 4 KiB a mail.
// docs/adr has what was measured.
func BenchmarkSend(b *testing.B) {
	s := NewSmarthost(Options{Servers: []Server{{Addr: discardServer(b), TLS: TLSNone}}, MaxPerConnection: 1 << 30})
	defer s.Close()
	mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}}}
	for b.Loop() {
		if sent := s.Send(context.Background(), mail, ready(benchBody)); sent.Outcome != store.Delivered {
			b.Fatal(sent.Reply)
		}
	}
}

func BenchmarkSendGoSMTP(b *testing.B) {
	c, err := smtp.Dial(discardServer(b))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		if err := c.SendMail("a@example.org", []string{"b@example.net"}, strings.NewReader(benchBody)); err != nil {
			b.Fatal(err)
		}
	}
}
