package digest

import (
	"context"
	"io"
	"slices"
	"time"

	"lull/store"
)

// job is the work for one reader, or one message. Jobs may run at once.
type job func(ctx context.Context) error

// patience is how long a Step waits for another mail under way to end. One that
// takes longer goes on by itself, and nobody else waits for it.
const patience = 5 * time.Second

// errand is a job on its way to be done.
type errand struct {
	do   job
	gate bool // it came through the gate: it is no pass mail
}

// load is the jobs of one Step that are under way.
type load struct {
	*turn
	under int
	ended chan struct{}
}

// carry runs the jobs as the mail server lets us. A mail server that is not
// there costs one of them, whatever their number. Nothing is sent while the
// store has no room for what becomes of it.
func (t *turn) carry(ctx context.Context, jobs []errand) {
	l := &load{turn: t, ended: make(chan struct{}, len(jobs))}
	for len(jobs) > 0 {
		next := -1
		if !l.wait(func() bool { next = l.first(jobs); return next >= 0 }) {
			return // others are at it; the next Step sees what is left
		}
		if wait, ok := t.reserve(); !ok {
			t.wakeIn(wait)
			break
		}
		if ctx.Err() != nil || t.broken() != nil || t.cramped() {
			break
		}
		l.begin(ctx, jobs[next])
		copy(jobs[1:next+1], jobs[:next])
		jobs = jobs[1:]
	}
	l.wait(func() bool { return l.under == 0 })
}

// first is the first job that may begin now, or -1. The last place is left to
// pass mail: digests that hang must not hold up people.
func (l *load) first(jobs []errand) int {
	l.Engine.mu.Lock()
	defer l.Engine.mu.Unlock()
	switch {
	case l.flights >= l.Concurrency, l.pace.down > 0 && l.flights > 0:
		return -1
	case l.gated < max(1, l.Concurrency-1):
		return 0
	}
	return slices.IndexFunc(jobs, func(e errand) bool { return !e.gate })
}

// begin starts a job. It may outlive the Step.
func (l *load) begin(ctx context.Context, e errand) {
	l.under++
	l.fly(e, 1)
	l.late.Go(func() {
		l.fail(e.do(ctx))
		l.fly(e, -1)
		l.ended <- struct{}{}
	})
}

// fly counts a job that begins or ends.
func (e *Engine) fly(of errand, n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.flights += n
	if of.gate {
		e.gated += n
	}
}

// wait waits until something is so, as long as jobs of this Step end.
func (l *load) wait(so func() bool) bool {
	for !so() {
		if l.under == 0 {
			return false // those under way are of an earlier Step
		}
		timer := time.NewTimer(patience)
		select {
		case <-l.ended:
			l.under--
			timer.Stop()
		case <-timer.C:
			return false
		}
	}
	return true
}

// Wait returns when every mail under way has come to its end, also those that
// a Step did not wait for.
func (e *Engine) Wait() { e.late.Wait() }

// away is for how long the mail server has not answered.
func (e *Engine) away(gate time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pace.down == 0 {
		return 0
	}
	return gate - e.pace.since
}

// reserve takes leave for one mail, or says how long to wait for it.
func (e *Engine) reserve() (wait time.Duration, ok bool) {
	gate := e.deps.Gate()
	e.mu.Lock()
	defer e.mu.Unlock()
	n, wait := e.pace.room(gate, 1)
	if n == 0 {
		return wait, false
	}
	e.pace.began(gate)
	return 0, true
}

// open reports whether the mail server may be tried at all, and else asks to
// be called when it may.
func (t *turn) open() bool {
	e := t.Engine
	e.mu.Lock()
	n, wait := e.pace.room(t.gate, 1)
	e.mu.Unlock()
	if n == 0 {
		t.wakeIn(wait)
	}
	return n > 0
}

// hand makes one attempt, and learns from it how the mail server is. ours
// tells afterwards why ready ended the attempt, if it did: then the mail server
// was there.
func (t *turn) hand(ctx context.Context, mail store.Outgoing, ready func(context.Context, []int) (io.Reader, error)) (sent store.Sent, ours error) {
	sent = t.out.Send(ctx, mail, func(ctx context.Context, accepted []int) (io.Reader, error) {
		var body io.Reader
		body, ours = ready(ctx, accepted)
		return body, ours
	})
	t.hear(ctx, sent, ours)
	return sent, ours
}

// hear draws from an attempt how the mail server is.
func (t *turn) hear(ctx context.Context, sent store.Sent, ours error) {
	if ours == nil && ctx.Err() != nil && sent.Reply.Code == 0 {
		return // it was us who gave up
	}
	_, gate := t.now()
	t.Engine.mu.Lock()
	what := What("")
	switch {
	case ours == nil && slow(sent):
		if t.pace.slowed(gate) {
			what = Slow
		}
	case ours == nil && trouble(sent):
		if t.pace.failed(gate) {
			what = Down
		}
	case t.pace.answered(gate):
		what = Up
	}
	t.Engine.mu.Unlock()
	if what != "" {
		now, _ := t.now()
		t.tell(Event{What: what, At: now, Reply: sent.Reply})
	}
}

// slow reports whether the mail server asked for fewer mails.
func slow(sent store.Sent) bool {
	if asks(sent.Reply) {
		return true
	}
	for _, r := range sent.Targets {
		if asks(r) {
			return true
		}
	}
	return false
}

func asks(r store.Reply) bool { return r.SlowDown || r.Verdict == store.SlowDown }

// trouble reports whether an attempt failed for a reason that any mail would
// have met.
func trouble(sent store.Sent) bool {
	r := sent.Reply
	return sent.Outcome != store.Delivered && (beforeMail(r) || r.Verdict == store.Retry || r.Verdict == "" && r.Code == 0)
}

// beforeMail reports whether the dialogue ended before the mail was named: the
// mail can have no part in it.
func beforeMail(r store.Reply) bool {
	switch r.Stage {
	case "mail", "rcpt", "data", "body", "dot":
		return false
	}
	return true
}
