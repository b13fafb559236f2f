package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSiege: 2,000 connections that do nothing, clients that drip, that never
// end a line, that guess passwords. The caps hold, and an honest client is
// served at once.
func TestSiege(t *testing.T) {
	b, e := &box{}, &events{}
	cfg := Config{Hostname: "lull.test", TLS: testTLS(t, "lull.test"), Users: testUsers(t, "ada lovelace")}
	s := New(cfg, testDeps(t, b, e))
	l := listen(t)
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	addr := l.Addr().String()

	siege := &siege{t: t, addr: addr, done: make(chan struct{})}
	siege.many(2000, "127.0.0.2", func(net.Conn) {})
	siege.many(50, "127.0.0.3", siege.drip)
	siege.many(20, "127.0.0.4", siege.endless)
	siege.many(20, "127.0.0.5", siege.guess)
	siege.opened.Wait()
	if n := len(s.open.all()); n > s.cfg.MaxConnections {
		t.Errorf("%d connections are open", n)
	}

	var took []time.Duration
	for range 100 {
		began := time.Now()
		honest(t, addr)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("a mail took %v (median), %v (worst); %d clients turned away, %d hung up", took[50], took[99], len(e.of(TurnedAway)), len(e.of(HungUp)))
	if took[50] > 100*time.Millisecond {
		t.Errorf("an honest client waited %v (median)", took[50])
	}
	if b.count() != 100 {
		t.Errorf("%d mails were accepted, want 100", b.count())
	}

	close(siege.done)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	siege.over.Wait()
}

// honest sends one mail from a connection of its own.
func honest(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // all was answered
	c := newClient(t, conn)
	c.hello()
	c.post("Subject: x\r\n\r\nx")
	c.say("QUIT", "221 *")
	c.want("closed")
}

// siege is a crowd of bad clients.
type siege struct {
	t            *testing.T
	addr         string
	done         chan struct{}
	opened, over sync.WaitGroup
}

// many opens n connections from an address, each of which behaves badly until
// the server or the test ends it.
func (s *siege) many(n int, from string, behave func(net.Conn)) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	s.opened.Add(n)
	for range n {
		s.over.Go(func() {
			conn, err := dialer.Dial("tcp", s.addr)
			s.opened.Done()
			if err != nil {
				return // the backlog is full: refused all the same
			}
			defer conn.Close() //nolint:errcheck // it behaved badly anyway
			behave(conn)
			<-s.done
		})
	}
}

func (s *siege) drip(conn net.Conn) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
			if _, err := io.WriteString(conn, "N"); err != nil {
				return
			}
		}
	}
}

func (s *siege) endless(conn net.Conn) {
	for range 1000 {
		if _, err := io.WriteString(conn, strings.Repeat("x", 1024)); err != nil {
			return
		}
	}
}

func (s *siege) guess(conn net.Conn) {
	io.WriteString(conn, "HELO x\r\nSTARTTLS\r\n") //nolint:errcheck // cut off
	r := bufio.NewReader(conn)
	for line, err := "", error(nil); !strings.HasPrefix(line, "220 2.0.0"); line, err = r.ReadString('\n') {
		if err != nil {
			return
		}
	}
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	io.WriteString(secure, "HELO x\r\n") //nolint:errcheck // cut off
	for i := range 50 {
		if _, err := fmt.Fprintf(secure, "AUTH PLAIN AGFkYQB%05d\r\n", i); err != nil {
			return
		}
	}
	io.Copy(io.Discard, secure) //nolint:errcheck // cut off
}
