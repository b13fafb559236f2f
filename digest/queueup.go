package digest

import (
	"time"

	"lull/store"
)

// queueUp plans when a pass copy above a reader's budget may go: one after the
// other, at the rate that the budget allows. One whose time has come and finds
// no room keeps its place, and is looked at again soon.
func (t *turn) queueUp(e store.Entry) time.Time {
	now, _ := t.now()
	step := t.Window / time.Duration(max(t.PassBudget, 1))
	t.Engine.mu.Lock()
	defer t.Engine.mu.Unlock()
	tail := t.memo.tail[e.Copy.Reader]
	at := laterOf(tail, now).Add(step)
	if !e.Progress.Next.IsZero() {
		at = now.Add(step)
	}
	t.memo.tail[e.Copy.Reader] = laterOf(tail, at)
	return at
}

// queued reports whether older copies of the reader wait for the budget: then
// one that comes new goes behind them.
func (t *turn) queued(e store.Entry) bool {
	t.Engine.mu.Lock()
	defer t.Engine.mu.Unlock()
	return e.Progress.Next.IsZero() && t.memo.tail[e.Copy.Reader].After(t.start)
}

// onTime takes leave for one mail of a sender, or says when the configured
// rate allows it; it has that time for itself then. A sixtieth of the rate may
// go at once.
func (t *turn) onTime(e store.Entry) (at time.Time, ok bool) {
	if t.SenderRate == 0 || !e.Progress.Next.IsZero() {
		return time.Time{}, true
	}
	gap := t.Window / time.Duration(t.SenderRate)
	burst := max(t.tick(), gap)
	sender := e.Message.Envelope.From
	t.Engine.mu.Lock()
	defer t.Engine.mu.Unlock()
	due := max(t.memo.rate[sender], t.gate) + gap
	t.memo.rate[sender] = due
	return t.start.Add(due - burst - t.gate), due <= t.gate+burst
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
