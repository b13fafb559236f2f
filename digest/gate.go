package digest

import (
	"context"
	"errors"
	"slices"
	"time"

	"lull/store"
)

// mail sends what is due: pass mail first, as it is mail between people.
func (t *turn) mail(ctx context.Context) error {
	pinned, err := t.pinned(ctx)
	if err != nil {
		return err
	}
	if !t.open() {
		return nil
	}
	pass, err := t.passJobs(ctx)
	if t.fail(err); fatal(err) {
		return nil
	}
	t.carry(ctx, merge(pass, t.gateJobs(ctx, pinned)))
	return t.broken()
}

// passAhead is how many pass mails go before each mail from the gate: when the
// mail server lets us do little, neither must wait for all of the other.
const passAhead = 3

// merge orders jobs: the pass mails ahead, but not all of them.
func merge(pass, gate []job) []errand {
	var jobs []errand
	for len(pass) > 0 || len(gate) > 0 {
		n := min(passAhead, len(pass))
		for _, do := range pass[:n] {
			jobs = append(jobs, errand{do, false})
		}
		pass = pass[n:]
		if len(gate) > 0 {
			jobs = append(jobs, errand{gate[0], true})
			gate = gate[1:]
		}
	}
	return jobs
}

// pinned are the digests of unknown outcome, by reader.
func (t *turn) pinned(ctx context.Context) (map[string]store.Batch, error) {
	for _, r := range t.readers {
		if r.Pinned != "" {
			return t.assume(ctx)
		}
	}
	return nil, nil
}

// gateJobs is what goes through the gate now: at most one job a reader, those
// first who have waited longest.
func (t *turn) gateJobs(ctx context.Context, pinned map[string]store.Batch) []job {
	var due []store.Reader
	for _, r := range t.readers {
		if !t.isBusy(r.Name) && (t.digestFor(r, pinned) != nil || t.hasNews(r)) {
			due = append(due, r)
		}
	}
	slices.SortStableFunc(due, func(a, b store.Reader) int { return a.Next.Compare(b.Next) })
	var jobs []job
	for _, r := range due {
		do, err := t.workFor(ctx, r, pinned)
		if t.fail(err); fatal(err) {
			return nil
		}
		if do != nil {
			jobs = append(jobs, t.alone(r, do))
		}
	}
	if len(jobs) == 0 || !t.healthy(ctx) {
		return nil
	}
	return jobs
}

// work is what is sent to one reader: one mail at least.
type work func(ctx context.Context, r store.Reader) error

// workFor is what is due for a reader and may be sent now, nil if nothing is.
func (t *turn) workFor(ctx context.Context, r store.Reader, pinned map[string]store.Batch) (work, error) {
	if t.isHeld(r.Name, t.gate) || !r.Refused.IsZero() && !t.come(r.Retry) {
		return nil, nil
	}
	if _, err := t.slot(ctx, r); err != nil {
		return nil, unexpected(err)
	}
	if do := t.digestFor(r, pinned); do != nil {
		return do, nil
	}
	return t.announcing(ctx, r)
}

// hasNews reports whether there is something to announce to a reader. It is
// left to the digest when that is overdue.
func (t *turn) hasNews(r store.Reader) bool {
	return r.News > 0 && t.Notices > 0 && !t.isOverdue(r.Name)
}

// digestFor is the digest that is due for a reader: one of unknown outcome goes
// before a new one.
func (t *turn) digestFor(r store.Reader, pinned map[string]store.Batch) work {
	if b, ok := pinned[r.Name]; ok {
		if t.quietUntil(r.Name).After(t.start) || !t.come(b.Next) {
			return nil
		}
		return func(ctx context.Context, r store.Reader) error { return t.sendPinned(ctx, r, b) }
	}
	if r.Waiting == 0 || r.Open != "" || r.Next.IsZero() || r.Next.After(t.start) {
		return nil
	}
	return t.tellWaiting
}

// come reports whether a time has come, and else asks to be called then. What
// a clock that was set back left further ahead than any wait has come too.
func (t *turn) come(at time.Time) bool {
	ahead := at.Sub(t.start)
	if ahead <= 0 || ahead > refusedMax*t.Window && ahead > t.Retry.Max {
		return true
	}
	t.wake(at)
	return false
}

// alone is the work as a job, when nothing else is being sent to the reader.
func (t *turn) alone(r store.Reader, do work) job {
	return func(ctx context.Context) error {
		release, ok := t.claim(r.Name)
		if !ok {
			return nil
		}
		defer release()
		t.failFor(r.Name, do(ctx, r))
		return nil
	}
}

// tellWaiting sends a digest. That it was refused is no fault of the Step.
func (t *turn) tellWaiting(ctx context.Context, r store.Reader) error {
	_, err := t.sendDigest(ctx, r)
	return unexpected(err)
}

// slot is ErrNoSlot when the bound leaves nothing for a reader until then. It
// is asked before the mail server is troubled; what counts is Begin.
func (t *turn) slot(ctx context.Context, r store.Reader) (until time.Time, err error) {
	now, gate := t.now()
	used, err := t.queue.Usage(ctx, r.Name, r.To, gate, t.Window)
	if err != nil {
		return until, err
	}
	if used.Gate < t.Budget {
		t.noteHeld(r.Name, false)
		return until, nil
	}
	until = now.Add(t.tick())
	if used.Free > gate {
		until = now.Add(used.Free - gate)
	}
	t.wake(until)
	if t.noteHeld(r.Name, true) {
		t.tell(Event{What: Waits, At: now, Reader: r.Name, To: r.To, Copies: r.Waiting, Until: until})
	}
	return until, store.ErrNoSlot
}

// healthy asks the release check, when there is something for the gate.
func (t *turn) healthy(ctx context.Context) bool {
	if t.deps.Healthy == nil {
		return true
	}
	err := t.deps.Healthy(ctx)
	if t.noteHealth(err == nil) {
		what := Healthy
		if err != nil {
			what = Unhealthy
		}
		t.tell(Event{What: what, At: t.start, Err: err})
	}
	return err == nil
}

// unexpected is an error that the Step should report: neither how a mail
// server answers nor what the contract of the store foresees.
func unexpected(err error) error {
	var r *refusal
	if errors.As(err, &r) || errors.Is(err, store.ErrNothing) || errors.Is(err, store.ErrNoSlot) ||
		errors.Is(err, store.ErrGone) || errors.Is(err, store.ErrPinned) {
		return nil
	}
	return err
}

// refusal is that a mail did not get through.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }
