package relay

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestShutdown: idle clients are told, a message on its way is finished.
func TestShutdown(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		h.box.hold = make(chan struct{})
		idle := h.connect(t, "127.0.0.1")
		idle.hello()
		mute := h.connect(t, "127.0.0.1")
		mute.want("220 *")
		inText := h.connect(t, "127.0.0.1")
		inText.hello()
		inText.say("MAIL FROM:<a@b.test>", "250 *")
		inText.say("RCPT TO:<r@d.test>", "250 *")
		inText.say("DATA", "354 *")
		inText.send("half\r\n")
		inChunks := h.connect(t, "127.0.0.1")
		inChunks.hello()
		inChunks.say("MAIL FROM:<a@b.test>", "250 *")
		inChunks.say("RCPT TO:<r@d.test>", "250 *")
		inChunks.send("BDAT 3\r\nabc")
		inChunks.want("250 *")
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		down := make(chan error)
		go func() { down <- h.server.Shutdown(ctx) }()
		for _, c := range []*client{idle, mute} {
			c.want("421 4.3.2 Service is stopping, try again later")
			c.want("closed")
		}
		<-time.After(10 * time.Second)
		inText.send("other half\r\n.\r\n")
		inChunks.send("BDAT 3 LAST\r\ndef")
		<-time.After(10 * time.Second)
		close(h.box.hold)
		for _, c := range []*client{inText, inChunks} {
			c.want("250 *")
			c.want("421 4.3.2 *")
			c.want("closed")
		}
		if err := <-down; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if n := h.box.count(); n != 2 {
			t.Errorf("%d messages accepted, want 2", n)
		}
	})
}

// TestShutdownGivesUp: what is not done in time gets 421, or is cut off.
func TestShutdownGivesUp(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		h.box.hold = make(chan struct{}) // for ever
		stuck := h.connect(t, "127.0.0.1")
		stuck.hello()
		stuck.say("MAIL FROM:<a@b.test>", "250 *")
		stuck.say("RCPT TO:<r@d.test>", "250 *")
		stuck.say("DATA", "354 *")
		stuck.send("text\r\n.\r\n")
		slow := h.connect(t, "127.0.0.1")
		slow.hello()
		slow.say("MAIL FROM:<a@b.test>", "250 *")
		slow.say("RCPT TO:<r@d.test>", "250 *")
		slow.say("DATA", "354 *")
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		if err := h.server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("Shutdown took %v", took)
		}
		stuck.want("451 4.3.2 *")
		slow.want("421 4.3.2 *")
		for _, c := range []*client{stuck, slow} {
			for c.reply() != "closed" {
			}
		}
		if n := h.box.count(); n != 0 {
			t.Errorf("%d messages accepted", n)
		}
	})
}

// TestServeAfterShutdown closes what it is given.
func TestServeAfterShutdown(t *testing.T) {
	s := New(Config{}, testDeps(t, &box{}, &events{}))
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatalf("second time: %v", err)
	}
	l := newPipes()
	if err := s.Serve(l); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("the listener is open")
	}
}
