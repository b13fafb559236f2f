package digest

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"lull/store"
)

// turn is one Step: its time, the configuration it goes by, what it found.
type turn struct {
	*Engine
	*plan
	start   time.Time     // now, as the caller gave it
	gate    time.Duration // gate time then
	readers []store.Reader
	total   int // readers there are, over whom digests are spread

	mu    sync.Mutex // guards what follows
	next  time.Time
	errs  []error
	sated map[string]bool // who had enough reports in this window
}

func (e *Engine) turn(now time.Time) *turn {
	e.mu.Lock()
	p, total := e.plan, e.readers
	e.mu.Unlock()
	return &turn{Engine: e, plan: p, start: now, gate: e.deps.Gate(), total: total, next: now.Add(p.tick()), sated: map[string]bool{}}
}

// now is the time at the moment, and in gate time: what the caller gave, and
// what has passed since by the steady clock.
func (t *turn) now() (time.Time, time.Duration) {
	gate := t.deps.Gate()
	return t.start.Add(gate - t.gate), gate
}

// wake asks for a call at that time.
func (t *turn) wake(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !at.IsZero() && at.Before(t.next) {
		t.next = at
	}
}

// wakeIn asks for a call after that time.
func (t *turn) wakeIn(wait time.Duration) {
	now, _ := t.now()
	t.wake(now.Add(wait))
}

// sate remembers for this Step that a sender had enough reports.
func (t *turn) sate(sender string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sated[sender] = true
}

func (t *turn) isSated(sender string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sated[sender]
}

// fail keeps an error for the end of the Step.
func (t *turn) fail(err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errs = append(t.errs, err)
}

// failOnce keeps an error that may be kept already.
func (t *turn) failOnce(err error) {
	if t.failure() == nil {
		t.fail(err)
	}
}

// failFor keeps an error that leaves a reader's state untold: the reader is
// left alone for a while, or the mail server would be asked again and again.
func (t *turn) failFor(reader string, err error) {
	if err != nil {
		t.fail(err)
		t.hold(reader)
	}
}

// failure is what went wrong, nil if nothing did.
func (t *turn) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.errs...)
}

// broken is the error that leaves no sense in going on, if there was one.
func (t *turn) broken() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, err := range t.errs {
		if fatal(err) {
			return err
		}
	}
	return nil
}

// Step does all that is due at now and returns when it is done: it waits for
// nothing but for the mails it sends, and not for one that takes for ever: that
// goes on by itself until ctx ends, see Wait. next is when to call again at the
// latest; earlier is harmless, and sensible when mail was accepted. Next holds
// also when there is an error: after one that wraps [store.ErrStopped] or
// [store.ErrStaleTerm] the process must end, others pass.
func (e *Engine) Step(ctx context.Context, now time.Time) (next time.Time, err error) {
	e.step.Lock()
	defer e.step.Unlock()
	t := e.turn(now)
	if next, ok := t.resting(now, t.gate); ok {
		return next, nil
	}
	for _, do := range []func(context.Context) error{t.settle, t.tend, t.census, t.schedule, t.mail} {
		if err := do(ctx); err != nil {
			t.failOnce(err)
			break
		}
	}
	err = t.failure()
	next = t.pause(err)
	t.rests(next)
	return next, err
}

// pause is when to call again: not at once, and less soon when something is
// wrong with the store.
func (t *turn) pause(err error) time.Time {
	at := t.start.Add(time.Millisecond)
	if err != nil {
		at = t.start.Add(t.tick())
	}
	return laterOf(t.next, at)
}

// settle records outcomes that could not be recorded when they were known.
func (t *turn) settle(ctx context.Context) error {
	for _, m := range t.takePending() {
		t.mark(ctx, m)
	}
	return t.broken()
}

// mark records an outcome whatever becomes of the Step: a mail that went out
// must not be forgotten. What the store cannot take now is tried again.
func (t *turn) mark(ctx context.Context, m store.Mark) {
	err := t.queue.Mark(context.WithoutCancel(ctx), m)
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrGone) {
		return // the copies went another way
	}
	t.fail(err)
	if !fatal(err) && !errors.Is(err, store.ErrInvalid) {
		t.keepPending(m, errors.Is(err, store.ErrFull))
	}
}

// tend is the housekeeping of each minute, and of each hour what is past retention.
func (t *turn) tend(ctx context.Context) error {
	due, prune := t.tendDue(t.gate)
	if !due {
		return nil
	}
	done, err := t.queue.Tend(ctx, store.Tend{At: t.start, Gate: t.gate, ID: t.deps.NewID(), Prune: prune})
	t.fail(err)
	if len(done.Operations) > 0 || done.Sealed > 0 {
		t.tell(Event{What: Tended, At: t.start, Copies: int(done.Sealed)})
	}
	return t.broken()
}

// census lists the readers. Of very many that takes a while, and then it is
// done less often.
func (t *turn) census(ctx context.Context) error {
	began := t.deps.Gate()
	defer func() { t.tire(began, t.deps.Gate()) }()
	for r, err := range t.queue.Readers(ctx) {
		if err != nil {
			return err
		}
		t.readers = append(t.readers, r)
	}
	t.total = len(t.readers)
	t.counted(t.total)
	t.forget(t.start, t.gate)
	t.storms()
	return nil
}

// planned is when a reader's digest after now is due.
func (t *turn) planned(reader string, now time.Time) time.Time {
	due := t.scheduleOf(reader).Next(now)
	if due.IsZero() {
		return due
	}
	return due.Add(t.offset(reader, t.total))
}

// alike is how many digests may be due at the same moment.
const alike = 50

// offset spreads the digests of many readers: each has its place in a stretch
// of a second a reader, at most Spread.
func (p *plan) offset(reader string, readers int) time.Duration {
	if readers <= alike {
		return 0
	}
	stretch := min(p.Spread, time.Duration(readers)*p.Window/3600)
	h := fnv.New64a()
	h.Write([]byte(reader)) // never fails
	return time.Duration(float64(stretch) * (float64(h.Sum64()>>11) / (1 << 53)))
}

// schedule plans the next digest of every reader that has none, and drops the
// plans of those for whom nothing waits.
func (t *turn) schedule(ctx context.Context) error {
	replan := t.takeReplan(t.start, t.gate)
	for i := range t.readers {
		r := &t.readers[i]
		next, change := t.replanned(*r, replan)
		if change {
			err := t.queue.Plan(ctx, store.Plan{Reader: r.Name, To: r.To, Next: next})
			if t.fail(err); fatal(err) {
				return nil
			}
			if err == nil {
				r.Next = next
			}
		}
		if r.Waiting > 0 && r.Next.After(t.start) {
			t.wake(r.Next)
		}
	}
	return t.broken()
}

// replanned is the time that a reader's next digest should be due at, if that
// differs from the plan.
func (t *turn) replanned(r store.Reader, anew bool) (next time.Time, change bool) {
	due := !r.Next.After(t.start)
	switch {
	case r.Waiting == 0:
		return time.Time{}, due && !r.Next.IsZero()
	case r.Next.IsZero():
		return t.planned(r.Name, t.start), true
	case due || !anew:
		return r.Next, false // it stays due until it is told
	}
	next = t.planned(r.Name, t.start)
	return next, !next.Equal(r.Next)
}
