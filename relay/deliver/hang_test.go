package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lull/store"
)

// stubborn is a mail server over TCP that falls silent at one stage, and keeps
// the connection; healed, it takes mail.
type stubborn struct {
	stage       string
	certificate tls.Certificate
	healed      atomic.Bool
	over        chan struct{}
	serving     sync.WaitGroup
}

func newStubborn(t *testing.T, stage string, certificate tls.Certificate) (*stubborn, string) {
	t.Helper()
	s := &stubborn{stage: stage, certificate: certificate, over: make(chan struct{})}
	addr := loopbackServer(t, func(c net.Conn) { s.serving.Go(func() { s.serve(c) }) })
	t.Cleanup(func() { close(s.over); s.serving.Wait() })
	return s, addr
}

// hangs falls silent until the test is over, if it is the stage for it.
func (s *stubborn) hangs(stage string) bool {
	if stage != s.stage || s.healed.Load() {
		return false
	}
	<-s.over
	return true
}

func (s *stubborn) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	if s.hangs("greeting") {
		return
	}
	r := bufio.NewReader(c)
	fmt.Fprint(c, "220 mx\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.TrimSpace(line[:4]))
		if s.hangs(verb) {
			return
		}
		switch verb {
		case "EHLO":
			fmt.Fprint(c, "250-mx\r\n250-STARTTLS\r\n250 PIPELINING\r\n")
		case "STAR":
			fmt.Fprint(c, "220 go ahead\r\n")
			if s.hangs("handshake") {
				return
			}
			secure := tls.Server(c, serverTLS(s.certificate))
			c, r = secure, bufio.NewReader(secure)
		case "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			if s.hangs("body") || !skipText(r) || s.hangs("dot") {
				return
			}
			fmt.Fprint(c, "250 taken\r\n")
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 ok\r\n")
		}
	}
}

func skipText(r *bufio.Reader) bool {
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return err == nil
		}
	}
}

// TestAHangGivesItsPlaceBack: at whichever stage a peer falls silent, handshake
// and a body that it never reads included, the only place of the server is free
// again after the timeout, and the next mail takes it.
func TestAHangGivesItsPlaceBack(t *testing.T) {
	_, certificate := testCertificate(t)
	const wait = 300 * time.Millisecond
	for _, stage := range []string{"greeting", "EHLO", "STAR", "handshake", "MAIL", "RCPT", "DATA", "body", "dot"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			peer, addr := newStubborn(t, stage, certificate)
			s := NewSmarthost(Options{
				Servers:  []Server{{Addr: addr, TLS: TLSRequired, MaxConnections: 1}},
				Timeouts: Timeouts{Connect: wait, Greeting: wait, Command: wait, Data: wait, Block: wait, Dot: wait, Courtesy: wait},
			})
			defer s.Close()
			mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}}}
			began := time.Now()
			sent := s.Send(t.Context(), mail, ready("Subject: x\r\n\r\n"+strings.Repeat("0123456789\r\n", 2<<20)))
			if took := time.Since(began); took > 10*time.Second || !strings.Contains(sent.Reply.Text, "no answer within") {
				t.Errorf("after %v: %s %q", took, sent.Outcome, sent.Reply.Text)
			}
			want := store.Refused
			if stage == "dot" {
				want = store.Uncertain
			}
			if h := s.Health(); sent.Outcome != want || h.Open != 0 {
				t.Errorf("%s at %s, %d connections open", sent.Outcome, sent.Reply.Stage, h.Open)
			}
			peer.healed.Store(true)
			if sent := s.Send(t.Context(), mail, ready("x")); sent.Outcome != store.Delivered {
				t.Errorf("the next mail: %s %v", sent.Outcome, sent.Reply)
			}
		})
	}
}

// TestHangsLeaveTheOtherServer: when mails hang in all places of the first
// server, others wait for one as long as placeTime, and then go to the second.
func TestHangsLeaveTheOtherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := NewSmarthost(Options{
			Servers: []Server{{Addr: "mx1.test:25", MaxConnections: 2}, {Addr: "mx2.test:25"}},
			Dial:    (&cast{behave: map[string]string{"mx1.test:25": "hang", "mx2.test:25": "take"}}).dial,
		})
		mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}}}
		for range 2 {
			go s.Send(ctx, mail, ready("x"))
		}
		synctest.Wait()
		began := time.Now()
		if sent := s.Send(ctx, mail, ready("x")); sent.Outcome != store.Delivered || time.Since(began) != placeTime {
			t.Errorf("after %v: %+v", time.Since(began), sent.Reply)
		}
		time.Sleep(20 * time.Minute) // the timeouts in force are those of RFC 5321
		synctest.Wait()
		if h := s.Health(); h.Open != 0 || h.Counts.Delivered != 1 || h.Counts.Refused != 2 {
			t.Errorf("%+v", h)
		}
		_ = s.Close()
	})
}

// TestSlowDownOfOneServer: a server that says 451 at MAIL gets no mail for a
// while, and then one at a time until it takes one; the other gets the rest at
// once, so nobody else need slow down. When both say it, the attempt does.
func TestSlowDownOfOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behave := map[string]string{"mx1.test:25": "slow", "mx2.test:25": "take"}
		c := &cast{behave: behave}
		s := NewSmarthost(Options{Servers: []Server{{Addr: "mx1.test:25"}, {Addr: "mx2.test:25"}}, Dial: c.dial})
		mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}}}
		send := func(n int, want store.Outcome) {
			t.Helper()
			var all sync.WaitGroup
			for range n {
				all.Go(func() {
					if sent := s.Send(t.Context(), mail, ready("x")); sent.Outcome != want {
						t.Errorf("%s: %v", sent.Outcome, sent.Reply)
					}
				})
			}
			all.Wait()
		}
		send(1, store.Delivered)
		if h := s.Health(); !h.Servers[0].Down || !h.Servers[0].LastFailure.SlowDown || h.Counts.SlowDown != 1 {
			t.Errorf("nothing tells of it: %+v", h)
		}
		send(20, store.Delivered)
		if n := c.slowed.Load(); n != 1 {
			t.Errorf("asked %d times while it is passed over", n)
		}
		time.Sleep(holdDown)
		send(20, store.Delivered)
		if n := c.slowed.Load(); n != 2 {
			t.Errorf("asked %d times, want one more after %v", n, holdDown)
		}
		behave["mx2.test:25"] = "slow"
		sent := s.Send(t.Context(), mail, ready("x"))
		if sent.Outcome != store.Refused || !sent.Reply.SlowDown {
			t.Errorf("both ask to slow down, and the attempt says %s: %v", sent.Outcome, sent.Reply)
		}
		_ = s.Close()
		synctest.Wait()
	})
}

// cast are mail servers by address: each takes mail, says slow down, or hangs
// at DATA.
type cast struct {
	behave map[string]string
	slowed atomic.Int64 // how often one said slow down
}

func (c *cast) dial(_ context.Context, _, addr string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go c.play(theirs, addr)
	return ours, nil
}

func (c *cast) play(conn net.Conn, addr string) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 mx\r\n")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch how := c.behave[addr]; {
		case strings.HasPrefix(line, "MAIL") && how == "slow":
			c.slowed.Add(1)
			fmt.Fprint(conn, "451 4.7.1 too much mail, try again later\r\n")
		case strings.HasPrefix(line, "DATA") && how == "hang":
			_, _ = io.Copy(io.Discard, r) // until the client closes
			return
		case strings.HasPrefix(line, "DATA"):
			fmt.Fprint(conn, "354 go on\r\n")
			if !skipText(r) {
				return
			}
			fmt.Fprint(conn, "250 taken\r\n")
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}
