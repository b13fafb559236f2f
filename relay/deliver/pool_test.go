package deliver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lull/store"
)

// Many Sends at once stay within MaxConnections, use them again, and leave
// nothing behind.
func TestManyAtOnce(t *testing.T) {
	addr := discardServer(t)
	var open, most, made atomic.Int64
	s := NewSmarthost(Options{
		Servers:        []Server{{Addr: addr, TLS: TLSNone}},
		MaxConnections: 4, MaxPerConnection: 50,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			made.Add(1)
			if n := open.Add(1); n > most.Load() {
				most.Store(n)
			}
			return &counted{Conn: c, open: &open}, err
		},
	})
	mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}}}
	var sending sync.WaitGroup
	for range 40 {
		sending.Go(func() {
			for range 25 {
				if sent := s.Send(t.Context(), mail, ready(benchBody)); sent.Outcome != store.Delivered {
					t.Error(sent.Reply)
				}
			}
		})
	}
	sending.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if most.Load() > 4 || made.Load() < 20 || made.Load() > 25 {
		t.Errorf("%d connections at a time, %d in all", most.Load(), made.Load())
	}
	if h := s.Health(); open.Load() != 0 || h.Open != 0 || h.Counts.Delivered != 1000 {
		t.Errorf("%d connections left, health %+v", open.Load(), h)
	}
}

type counted struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

func TestSendAfterClose(t *testing.T) {
	s := NewSmarthost(Options{Servers: []Server{{Addr: "mx.test:25"}}})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	sent := s.Send(t.Context(), store.Outgoing{To: []store.Target{{Address: "b@example.net"}}}, ready("x"))
	if sent.Outcome != store.Refused || sent.Reply.Permanent() || sent.Reply.Text != errShut.Error() {
		t.Errorf("%+v", sent)
	}
}

func TestNoServer(t *testing.T) {
	s := NewSmarthost(Options{})
	sent := s.Send(t.Context(), store.Outgoing{To: []store.Target{{Address: "b@example.net"}}}, ready("x"))
	if sent.Outcome != store.Refused || sent.Reply.Permanent() {
		t.Errorf("%+v", sent)
	}
}

// A Send that waits for a connection gives up with its context.
func TestWaitingGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSmarthost(Options{
			Servers: []Server{{Addr: "mx.test:25"}}, MaxConnections: 1,
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		})
		mail := store.Outgoing{To: []store.Target{{Address: "b@example.net"}}}
		go s.Send(t.Context(), mail, ready("x"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if sent := s.Send(ctx, mail, ready("x")); sent.Outcome != store.Refused || time.Since(begun) != time.Second {
			t.Errorf("after %v: %+v", time.Since(begun), sent)
		}
	})
}

// Each fault in a row makes a server be passed over for longer; the only one
// is tried all the same.
func TestHoldDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := map[string]int{}
		s := NewSmarthost(Options{
			Servers: []Server{{Addr: "mx1.test:25"}, {Addr: "mx2.test:25"}},
			Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
				tried[addr]++
				return nil, errors.New("connection refused")
			},
		})
		mail := store.Outgoing{To: []store.Target{{Address: "b@example.net"}}}
		for i, want := range []time.Duration{15, 30, 60, 120, 240, 300, 300} {
			sent := s.Send(t.Context(), mail, ready("x"))
			if sent.Outcome != store.Refused || sent.Reply.Stage != stageConnect {
				t.Fatal(sent.Reply)
			}
			if h := s.Health(); !h.Servers[0].Down || h.LastFailure.Text != "connection refused" || h.Counts.Refused != uint64(i+1) {
				t.Fatalf("%+v", h)
			}
			time.Sleep(want*time.Second - time.Nanosecond)
			if !s.Health().Servers[0].Down {
				t.Errorf("fault %d: up again before %v s", i+1, want)
			}
			time.Sleep(time.Nanosecond)
			if s.Health().Servers[0].Down {
				t.Errorf("fault %d: still down after %v s", i+1, want)
			}
		}
		if fmt.Sprint(tried) != "map[mx1.test:25:7 mx2.test:25:7]" {
			t.Error(tried)
		}
	})
}
