package digest

import (
	"context"
	"fmt"
	"time"

	"lull/store"
)

// Start settles what a former run left, before the first Step. Attempts that
// it had begun have an unknown outcome; what it had only cut waits again.
// Digests whose time has passed are due at the next scheduled one, and first
// notices go only for mail accepted from now on.
func (e *Engine) Start(ctx context.Context, now time.Time) error {
	t := e.turn(now)
	for _, do := range []func(context.Context) error{t.follow, t.census, t.unknown, t.unbegun, t.old, t.fold} {
		if err := do(ctx); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	return nil
}

// follow takes over the newest term.
func (t *turn) follow(ctx context.Context) error {
	if t.deps.Term != 0 {
		return nil
	}
	s, err := t.queue.Status(ctx, t.start)
	t.term = s.Term
	return err
}

// old finds out which mail was there before.
func (t *turn) old(ctx context.Context) error {
	waiting, err := t.queue.Preview(ctx, store.Operate{Term: t.term, At: t.start, Kind: store.OpHold})
	t.noteOld(waiting.Highest)
	return err
}

// noteOld remembers that mail up to that number was there before the start.
func (e *Engine) noteOld(number uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.first = max(e.memo.first, number)
}

// unknown gives the attempts that were begun their outcome.
func (t *turn) unknown(ctx context.Context) error {
	attempts := map[string]store.Slot{}
	for s, err := range t.queue.Slots(ctx) {
		if err != nil {
			return err
		}
		if s.Open {
			attempts[s.Attempt] = s
		}
	}
	for id, s := range attempts {
		reply := store.Reply{Text: "lull ended during the attempt", Verdict: store.Retry, At: t.start}
		err := t.queue.Mark(ctx, store.Mark{
			Term: t.term, At: t.start, Gate: t.gate, Attempt: id, Batch: s.Batch, Outcome: store.Uncertain, Reply: reply,
			Next: t.start.Add(t.Retry.First),
		})
		if err != nil {
			return err
		}
		t.tell(Event{What: Recovered, At: t.start, Kind: s.Kind, Reader: s.Reader, To: s.To, Batch: s.Batch, Outcome: store.Uncertain})
	}
	return nil
}

// unbegun lets the copies of batches without an attempt wait again, and holds
// back those of unknown outcome until the reader's next digest is due.
func (t *turn) unbegun(ctx context.Context) error {
	open, err := t.queue.Open(ctx)
	if err != nil {
		return err
	}
	for _, b := range open {
		if b.Pinned {
			if err := t.hush(ctx, b); err != nil {
				return err
			}
			continue
		}
		reply := store.Reply{Text: "lull ended before the attempt", Verdict: store.Retry, At: t.start}
		err := t.queue.Mark(ctx, store.Mark{
			Term: t.term, At: t.start, Gate: t.gate, Batch: b.ID, Outcome: store.Refused, Reply: reply, Next: t.start,
		})
		if err != nil {
			return err
		}
		t.tell(Event{What: Recovered, At: t.start, Kind: b.Kind, Reader: b.Reader, To: b.To, Batch: b.ID, Copies: b.Copies, Outcome: store.Refused})
	}
	return nil
}

// hush holds back a pinned digest, whose mail is old.
func (t *turn) hush(ctx context.Context, b store.Batch) error {
	for c, err := range t.queue.Copies(ctx, store.Query{Batch: b.ID}) {
		if err != nil {
			return err
		}
		t.noteOld(c.Copy.Number)
	}
	t.Engine.mu.Lock()
	defer t.Engine.mu.Unlock()
	t.memo.quiet[b.Reader] = t.planned(b.Reader, t.start)
	return nil
}

// fold plans every digest for its next scheduled time: those that are due,
// that were to be tried again before, or that a clock since set back had
// planned too late.
func (t *turn) fold(ctx context.Context) error {
	for _, r := range t.readers {
		next := t.planned(r.Name, t.start)
		if r.Next.IsZero() || r.Next.Equal(next) {
			continue
		}
		if err := t.queue.Plan(ctx, store.Plan{Reader: r.Name, To: r.To, Next: next}); err != nil {
			return err
		}
	}
	return nil
}
