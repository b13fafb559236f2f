package digest

import (
	"testing"
	"time"
)

func testPace() *pace {
	c := Defaults(time.Hour)
	return &pace{cfg: c}
}

// A mail server that does not answer is tried with one mail at a time, each
// time after a longer wait, and never less often than each twentieth of a window.
func TestPaceProbes(t *testing.T) {
	p := testPace()
	now := time.Hour
	if n, _ := p.room(now, 100); n != 100 {
		t.Fatalf("room for %d of 100", n)
	}
	if !p.failed(now) {
		t.Error("the first fault is news")
	}
	for range 7 { // those under way at once fail too, and are one fault
		if p.failed(now) {
			t.Error("the same fault twice")
		}
	}
	var waits []time.Duration
	for range 8 {
		n, wait := p.room(now, 100)
		if n != 0 {
			t.Fatalf("room for %d while it waits", n)
		}
		waits = append(waits, wait)
		now += wait
		if n, _ := p.room(now, 100); n != 1 {
			t.Fatalf("%d probes", n)
		}
		p.failed(now)
	}
	want := []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute, 3 * time.Minute, 3 * time.Minute, 3 * time.Minute}
	for i := range want {
		if waits[i] != want[i] {
			t.Fatalf("waits %v, want %v", waits, want)
		}
	}
	now = p.until
	if !p.answered(now) || p.answered(now) {
		t.Error("that it is back is news once")
	}
}

// After an outage the rate rises slowly: ten in the first minute, twice as
// many in each that follows, and then there is no bound.
func TestPaceRises(t *testing.T) {
	p := testPace()
	p.failed(0)
	now := p.until
	p.answered(now)
	for minute := range 10 {
		sent := 0
		for {
			n, wait := p.room(now, 1)
			if n == 0 {
				now += wait
				break
			}
			p.began(now)
			sent++
		}
		if want := 10 << minute; sent != want {
			t.Fatalf("minute %d: %d mails, want %d", minute, sent, want)
		}
	}
	now += 2 * time.Minute
	p.room(now, 1)
	now += time.Minute
	if n, _ := p.room(now, 100_000); n != 100_000 {
		t.Errorf("still bound to %d", n)
	}
}

func TestPaceSlowsDown(t *testing.T) {
	p := testPace()
	for range 8 {
		p.began(0)
	}
	if !p.slowed(0) || p.slowed(0) {
		t.Error("slowing down is news once")
	}
	n, wait := p.room(0, 8)
	if n != 0 || wait != time.Minute {
		t.Errorf("room for %d, wait %v; want a minute", n, wait)
	}
	if n, _ = p.room(time.Minute, 8); n != 4 {
		t.Errorf("then room for %d, want half of what there was", n)
	}
	p.slowed(time.Minute)
	if _, wait = p.room(time.Minute, 8); wait != 2*time.Minute {
		t.Errorf("asked again it waits %v, want twice as long", wait)
	}
}

// At a configured rate no window has more mails than that, but for what a
// minute may make up for.
func TestPaceRate(t *testing.T) {
	p := testPace()
	p.cfg.Rate = 120
	var sent []time.Duration
	for now := time.Duration(0); now < 3*time.Hour; now += time.Second {
		for {
			n, _ := p.room(now, 1)
			if n == 0 {
				break
			}
			p.began(now)
			sent = append(sent, now)
		}
	}
	for i := range sent {
		n := 0
		for _, at := range sent[i:] {
			if at < sent[i]+time.Hour {
				n++
			}
		}
		if n > 122 {
			t.Fatalf("%d mails in the hour from %v", n, sent[i])
		}
	}
	if len(sent) < 359 {
		t.Errorf("only %d mails in three hours", len(sent))
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{First: 5 * time.Minute, Max: time.Hour}
	for faults, want := range map[int]time.Duration{1: 5 * time.Minute, 2: 10 * time.Minute, 3: 20 * time.Minute, 4: 40 * time.Minute, 5: time.Hour, 1_000_000_000: time.Hour} {
		if got := b.After(faults); got != want {
			t.Errorf("after %d faults %v, want %v", faults, got, want)
		}
	}
}
