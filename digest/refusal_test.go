package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lull/digest/compose"
	"lull/store"
)

func isDigest(m store.Outgoing) bool { return strings.HasPrefix(m.From, "lull+") }

// A reader who is refused at RCPT is tried less and less often, others are
// served, and after five days the waiting copies expire, by an operation that
// can be undone.
func TestRefusedReaderIsSuspended(t *testing.T) {
	w := newWorld(t)
	w.boot()
	gone := true
	w.server.say = func(stage string, m store.Outgoing, to string) *answer {
		if gone && stage == "rcpt" && to == "gone@x.example" {
			return refusesWith(550, store.RecipientFailed)
		}
		return nil
	}
	for i := range 5 * 24 {
		w.accept(alert("gone@x.example", fmt.Sprint("kind", i%5)))
		w.accept(alert("ops@x.example", "disk full"))
		w.run(time.Hour)
		if i == 100 {
			w.boot() // that it is refused is in the store
		}
	}
	if n := w.server.connects; n > 24*5*4 {
		t.Errorf("%d tries", n)
	}
	w.run(12 * time.Hour)
	suspended := w.told(Suspended)
	if len(suspended) != 1 || suspended[0].Copies != 120 || suspended[0].Reader != "gone@x.example" {
		t.Fatalf("suspended: %+v", suspended)
	}
	w.wantFates("expired 120, told 120")
	w.check()
	// What comes later is tried, and given up after the first refusal.
	w.accept(alert("gone@x.example", "new"))
	w.run(12 * time.Hour)
	w.wantFates("expired 121, told 120")
	// The operator takes it back when the address works again.
	gone = false
	_, err := w.store.Undo(context.Background(), store.Undo{Operation: suspended[0].Batch, At: w.now(), By: "op"})
	w.must(err)
	w.run(2 * time.Hour)
	w.wantFates("expired 1, told 240")
	r, err := w.store.Reader(context.Background(), "gone@x.example")
	if err == nil && !r.Refused.IsZero() {
		t.Error("the reader still counts as refused")
	}
	w.check()
}

// A reader named with a star is never a pattern for others, one without a
// domain is found all the same.
func TestSuspensionTouchesNoOtherReader(t *testing.T) {
	w := newWorld(t)
	w.cfg.Schedules = map[string]string{"ops@x.example": "0 0 1 * *"} // something always waits for ops
	w.boot()
	w.server.say = func(stage string, m store.Outgoing, to string) *answer {
		if stage == "rcpt" && to != "ops@x.example" {
			return refusesWith(550, store.RecipientFailed)
		}
		return nil
	}
	w.accept(alert("*@x.example", "kind"))
	w.accept(alert("postmaster", "kind"))
	w.accept(alert("ops@x.example", "kind"))
	w.run(6 * 24 * time.Hour)
	w.wantFates("expired 2, waiting 1")
	w.check()
}

// A digest refused for its content is tried with less in it, and at last the
// operator is told; each try takes a slot.
func TestRejectedContent(t *testing.T) {
	for _, stage := range []string{"data", "dot"} {
		for least := compose.Full; least <= compose.TitlesOnly+1; least++ {
			t.Run(fmt.Sprintf("%s/%d", stage, least), func(t *testing.T) { testRejectedContent(t, stage, least) })
		}
	}
}

func testRejectedContent(t *testing.T, stage string, least compose.Level) {
	w := newWorld(t)
	w.boot()
	tries := compose.Level(0)
	w.server.say = func(at string, m store.Outgoing, _ string) *answer {
		if at != stage || !isDigest(m) {
			return nil
		}
		if tries++; tries <= least {
			a := refusesWith(554, store.MailFailed)
			if stage == "dot" {
				a.outcome = store.Rejected
			}
			return a
		}
		return nil
	}
	for range 3 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	w.until("10:10")
	if least <= compose.TitlesOnly {
		w.wantFates("told 3")
		got := w.server.digests("ops@x.example")
		d := got[len(got)-1]
		html := strings.Contains(string(d.body), "text/html")
		attached := strings.Contains(string(d.body), "message/rfc822") || strings.Contains(string(d.body), "attachment")
		if html != (least < compose.TitlesOnly) || attached != (least == compose.Full) {
			t.Errorf("at level %d: html %v, originals %v", least, html, attached)
		}
	} else {
		w.wantFates("waiting 3")
		if len(w.told(Failed)) != 1 {
			t.Errorf("the operator was told %d times", len(w.told(Failed)))
		}
		w.until("11:10")
		w.wantFates("told 3")
	}
	w.check()
	// The next one is whole again.
	tries = 99
	for range 3 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	w.until("12:10")
	got := w.server.digests("ops@x.example")
	if !strings.Contains(string(got[len(got)-1].body), "text/html") {
		t.Error("the next digest is not whole again")
	}
	w.check()
}

// 4xx at the dot is no fault of the content, and takes a slot each time.
func TestDeferredAtDot(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(at string, m store.Outgoing, _ string) *answer {
		if at == "dot" && isDigest(m) {
			return &answer{outcome: store.Rejected, reply: store.Reply{Code: 451, Verdict: store.RetryLater}}
		}
		return nil
	}
	for range 3 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	w.run(12 * time.Hour)
	w.check()
	w.wantFates("waiting 3")
	w.server.say = nil
	w.run(2 * time.Hour)
	w.wantFates("told 3")
	got := w.server.digests("ops@x.example")
	if !strings.Contains(string(got[len(got)-1].body), "text/html") {
		t.Error("the digest was made less for it")
	}
	w.check()
}

// A mail server that stops in the middle of each digest of one reader does not
// keep the others from theirs.
func TestPoisonedDigest(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(at string, m store.Outgoing, _ string) *answer {
		if at == "body" && m.To[0].Address == "a@x.example" {
			return silent()
		}
		return nil
	}
	for _, r := range []string{"a", "b", "c", "d"} {
		w.accept(alert(r+"@x.example", "kind"))
		w.accept(alert(r+"@x.example", "kind"))
	}
	w.until("10:30")
	w.wantFates("told 6, waiting 2")
	w.check()
}

// An outcome that the store cannot take now is recorded when it can.
func TestOutcomeIsNotForgotten(t *testing.T) {
	w := newWorld(t)
	w.boot()
	f := &failing{Store: w.store, mark: true}
	w.store, w.bears = f, errDisk
	w.engine.queue = f
	w.accept(alert("ops@x.example", "kind"))
	w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
	w.run(time.Minute)
	f.mark = false
	w.run(time.Minute)
	w.wantFates("passed 1, waiting 1")
	f.mark = true
	w.accept(alert("ops@x.example", "kind"))
	w.until("10:01")
	f.mark = false
	w.until("11:01")
	w.wantFates("passed 1, told 2")
	if n := len(w.server.to("ops@x.example")); n != 2 {
		t.Errorf("%d mails", n)
	}
	w.check()
}

// While the store has no room for outcomes nothing is sent.
func TestNoRoomForOutcomes(t *testing.T) {
	w := newWorld(t)
	w.boot()
	f := &failing{Store: w.store, mark: true, err: store.ErrFull}
	w.engine.queue, w.bears = f, store.ErrFull
	for i := range 20 {
		w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("lunch", i)))
	}
	for i := range 20 {
		w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("topic", i)))
		w.run(time.Minute)
	}
	if n := len(w.server.got); n > 2*w.cfg.Concurrency {
		t.Errorf("%d mails whose outcome cannot be recorded", n)
	}
	f.mark = false
	w.run(2 * time.Minute)
	w.wantFates("passed 40")
	if n := len(w.server.to("bob@x.example")); n != 40 {
		t.Errorf("%d mails", n)
	}
	w.check()
}

// A store that has stopped ends the Step at once.
func TestStoppedStore(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.accept(alert("ops@x.example", "kind"))
	w.must(w.store.Close())
	if _, err := w.engine.Step(context.Background(), w.now()); !errors.Is(err, store.ErrStopped) {
		t.Errorf("%v", err)
	}
	if n := w.server.connects; n > 0 {
		t.Errorf("%d mails without a store", n)
	}
}

// A newer term means that somebody else sends now.
func TestStaleTerm(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.must(w.store.Refuse(context.Background(), store.Refuse{Term: 7, At: w.now(), Reader: "x@x.example"}))
	w.accept(alert("ops@x.example", "kind"))
	if _, err := w.engine.Step(context.Background(), w.now()); !errors.Is(err, store.ErrStaleTerm) {
		t.Errorf("%v", err)
	}
	if n := len(w.server.got); n > 0 {
		t.Errorf("%d mails under a stale term", n)
	}
	w.boot()
	w.accept(alert("ops@x.example", "kind2"))
	w.step()
	if n := len(w.server.got); n != 1 {
		t.Errorf("%d mails after taking over the term", n)
	}
}
