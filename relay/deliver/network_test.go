package deliver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"lull/store"
)

// ready hands out a body.
func ready(body string) Ready {
	return func(context.Context, []int) (io.Reader, error) { return strings.NewReader(body), nil }
}

// loopbackServer serves each connection with serve until the test ends.
func loopbackServer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// A server that refuses in the middle of the body and closes with data unread
// makes the kernel reset the connection. Its reply must not be lost by that.
func TestEarlyRefusalOverTCP(t *testing.T) {
	addr := loopbackServer(t, func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		fmt.Fprint(c, "220 mx\r\n")
		for _, answer := range []string{"250 mx", "250 ok", "250 ok", "354 go"} {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			fmt.Fprint(c, answer+"\r\n")
		}
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
		fmt.Fprint(c, "552 5.3.4 too big\r\n")
	})
	s := NewSmarthost(Options{Servers: []Server{{Addr: addr}}})
	defer s.Close()
	mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}}}
	body := "Subject: big\r\n\r\n" + strings.Repeat("0123456789 0123456789 0123456789\r\n", 100_000)
	for range 5 {
		sent := s.Send(t.Context(), mail, ready(body))
		// rejected, when the buffers of the kernel took the whole body first
		if sent.Outcome != store.Refused && sent.Outcome != store.Rejected || sent.Reply.Code != 552 {
			t.Fatalf("%s, %v", sent.Outcome, sent.Reply)
		}
	}
}

// keep is a go-smtp backend that keeps what it gets.
type keep struct{ got chan *kept }

type kept struct {
	from string
	opts smtp.MailOptions
	to   []string
	body []byte
	all  chan *kept
}

func (k keep) NewSession(*smtp.Conn) (smtp.Session, error) { return &kept{all: k.got}, nil }

func (k *kept) Mail(from string, opts *smtp.MailOptions) error {
	k.from, k.opts, k.to = from, *opts, nil
	return nil
}
func (k *kept) Rcpt(to string, _ *smtp.RcptOptions) error { k.to = append(k.to, to); return nil }
func (k *kept) Reset()                                    {}
func (k *kept) Logout() error                             { return nil }
func (k *kept) Data(r io.Reader) (err error) {
	got := *k
	if got.body, err = io.ReadAll(r); err == nil {
		k.all <- &got
	}
	return err
}

// The client of this package and the server of go-smtp understand each other,
// TLS, pipelining and all extensions included, and the body comes through as
// it was.
func TestAgainstGoSMTP(t *testing.T) {
	roots, certificate := testCertificate(t)
	backend := keep{got: make(chan *kept, 100)}
	server := smtp.NewServer(backend)
	server.Domain, server.EnableSMTPUTF8, server.EnableDSN = "mx.test", true, true
	server.TLSConfig = serverTLS(certificate)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() { _ = server.Close(); <-served }()

	s := NewSmarthost(Options{Servers: []Server{{Addr: l.Addr().String(), TLS: TLSVerified, TLSConfig: clientTLS(roots)}}, LocalName: "lull.test"})
	defer s.Close()
	body := "Subject: x\r\n\r\n.\r\n..\r\ngrün\r\n" + strings.Repeat("0123456789\r\n", 20_000)
	mail := store.Outgoing{From: "jörg@example.org", To: []store.Target{{Address: "b@example.net"}, {Address: `"a b"@example.net`}}, UTF8: true, EightBit: true, Ret: "HDRS", EnvID: "x+y", Size: int64(len(body))}
	for range 5 {
		sent := s.Send(t.Context(), mail, ready(body))
		if sent.Outcome != store.Delivered || !sent.DSN || sent.LineEnds != 0 {
			t.Fatalf("%+v", sent)
		}
		got := <-backend.got
		if got.from != mail.From || strings.Join(got.to, " ") != "b@example.net a b@example.net" || !bytes.Equal(got.body, []byte(body)) {
			t.Fatalf("from %q to %q, %d octets of %d", got.from, got.to, len(got.body), len(body))
		}
		if got.opts.Body != smtp.Body8BitMIME || got.opts.EnvelopeID != "x+y" || got.opts.Return != smtp.DSNReturnHeaders || !got.opts.UTF8 {
			t.Fatalf("options %+v", got.opts)
		}
	}
	if h := s.Health(); h.Open != 1 || h.Idle != 1 || h.Counts.Delivered != 5 || time.Since(h.LastSuccess) > time.Minute {
		t.Errorf("health %+v", h)
	}
}

// LMTP over a socket of this machine.
func TestAgainstGoSMTPOverLMTP(t *testing.T) {
	backend := keep{got: make(chan *kept, 1)}
	server := smtp.NewServer(backend)
	server.LMTP = true
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "lmtp"))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() { _ = server.Close(); <-served }()

	s := NewSmarthost(Options{Servers: []Server{{Addr: l.Addr().String(), LMTP: true}}})
	defer s.Close()
	mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}, {Address: "c@example.net"}}}
	sent := s.Send(t.Context(), mail, ready(benchBody))
	if sent.Outcome != store.Delivered || !sent.Targets[0].OK() || !sent.Targets[1].OK() {
		t.Fatalf("%+v", sent)
	}
	if got := <-backend.got; string(got.body) != benchBody || len(got.to) != 2 {
		t.Errorf("%q", got.to)
	}
}
