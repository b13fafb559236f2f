package ledger

import (
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Mark ends an attempt, or a try that took no slot, and gives the copies of
// the batch their fates.
func (l *Ledger) Mark(tx Tx, m store.Mark) error {
	if m.Outcome == "" && (m.Whole || m.Assumed) {
		m.Outcome = store.Delivered
	}
	b, done, err := l.marked(m)
	if done || err != nil {
		return err
	}
	if err := l.current(m.Term); err != nil {
		return err
	}
	results, err := l.results(m, b)
	if err != nil {
		return err
	}
	l.follow(tx, m.Term)
	l.close(tx, m)
	switch {
	case b != nil:
		l.conclude(tx, b, m, results)
	case m.Attempt == "":
		l.pass(tx, m, nil, results)
	}
	return nil
}

// conclude gives a batch its outcome.
func (l *Ledger) conclude(tx Tx, b *batch, m store.Mark, results map[uint64]store.Result) {
	b.Reply, b.Next = m.Reply, m.Next
	if b.Kind != store.KindDigest || !b.pins(m) {
		b.Pinned, b.Next = false, time.Time{}
		b.Ended, b.Outcome, b.Assumed, b.Whole = m.At, m.Outcome, m.Assumed, m.Whole
		delete(l.underway, b.ID)
		tx.PutMail(b.ID, nil)
	}
	switch b.Kind {
	case store.KindDigest:
		l.concludeDigest(tx, b, m)
	case store.KindNotice:
		l.concludeNotice(tx, b, m)
	default:
		l.pass(tx, m, b, results)
	}
	b.keep(tx)
}

// marked finds the batch of a mark, and whether the mark is known already. Of
// an attempt whose batch ended without it, only the slots are left to end.
func (l *Ledger) marked(m store.Mark) (b *batch, done bool, err error) {
	if m.Attempt == "" {
		return l.markedBatch(m)
	}
	if _, given := l.slots.given[m.Attempt]; given {
		return nil, true, nil
	}
	list := l.slots.attempts[m.Attempt]
	switch b = l.batches[m.Batch]; {
	case len(list) == 0 && b != nil && !b.Open():
		return nil, true, nil
	case len(list) == 0:
		return nil, false, fmt.Errorf("attempt %s: %w", m.Attempt, store.ErrNotFound)
	case m.Batch != "" && m.Batch != list[0].Batch:
		return nil, false, fmt.Errorf("attempt %s is of batch %s, not %s: %w", m.Attempt, list[0].Batch, m.Batch, store.ErrInvalid)
	}
	if b = l.batches[list[0].Batch]; b != nil && !b.Open() {
		b = nil
	}
	return b, !list[0].Open, nil
}

// markedBatch is the batch of a try that took no slot.
func (l *Ledger) markedBatch(m store.Mark) (*batch, bool, error) {
	if m.Batch == "" {
		return nil, false, nil
	}
	b := l.batches[m.Batch]
	if b == nil {
		return nil, false, fmt.Errorf("batch %s: %w", m.Batch, store.ErrNotFound)
	}
	return b, !b.Open(), nil
}

// results checks the outcome and the results of single copies.
func (l *Ledger) results(m store.Mark, b *batch) (map[uint64]store.Result, error) {
	switch m.Outcome {
	case store.Delivered, store.Refused, store.Rejected, store.Uncertain:
	default:
		return nil, fmt.Errorf("outcome %q: %w", m.Outcome, store.ErrInvalid)
	}
	if m.At.IsZero() {
		return nil, fmt.Errorf("mark without a time: %w", store.ErrInvalid)
	}
	if b == nil && m.Attempt != "" {
		return nil, nil
	}
	results := make(map[uint64]store.Result, len(m.Results))
	for _, r := range m.Results {
		if err := l.result(r, b); err != nil {
			return nil, err
		}
		results[r.Number] = r
	}
	return results, nil
}

// result checks the result of one copy: it must be the batch's, or, where
// there is none, pass mail that is in no batch.
func (l *Ledger) result(r store.Result, b *batch) error {
	switch r.Fate {
	case store.Passed, store.Bounced, store.Expired, store.Waiting:
	default:
		return fmt.Errorf("copy %d cannot become %q: %w", r.Number, r.Fate, store.ErrInvalid)
	}
	row := l.row(r.Number)
	switch {
	case row == nil:
		return fmt.Errorf("copy %d: %w", r.Number, store.ErrNotFound)
	case b != nil && !b.set.Contains(r.Number):
		return fmt.Errorf("copy %d is not in batch %s: %w", r.Number, b.ID, store.ErrInvalid)
	case b == nil && (row.fate == flight || l.alerts.Contains(r.Number)):
		return fmt.Errorf("copy %d is %s: %w", r.Number, row.fate.name(), store.ErrGone)
	}
	return nil
}

// pins reports whether a digest stays open after a mark, pinned to its bytes.
func (b *batch) pins(m store.Mark) bool {
	switch {
	case m.Assumed || m.Whole || m.Outcome == store.Delivered:
		return false
	case m.Outcome == store.Uncertain:
		b.Pinned = true
	case m.Outcome == store.Rejected && m.Reply.Permanent():
		return false
	}
	return b.Pinned
}

// concludeDigest tells the copies of a digest that went out, or lets them wait again.
func (l *Ledger) concludeDigest(tx Tx, b *batch, m store.Mark) {
	r := l.reader(b.Reader)
	r.Reply = m.Reply
	if b.Open() {
		r.Retry = m.Next
		tx.PutReader(r.Reader)
		return
	}
	r.digest = nil
	if !b.tells() {
		r.Retry = m.Next
		if m.Outcome == store.Rejected && m.Reply.Permanent() {
			r.Rejected++
		}
		l.land(b.set)
		b.set = nil
		tx.PutReader(r.Reader)
		return
	}
	r.Last, r.LastID, r.Rejected = b.At, b.ID, 0
	r.Refused, r.Retry, r.Reply = time.Time{}, time.Time{}, store.Reply{}
	l.tell(b)
	tx.PutReader(r.Reader)
}

// tells reports whether the copies of an ended digest count as told.
func (b *batch) tells() bool { return b.Assumed || b.Whole || b.Outcome == store.Delivered }

// tell gives the copies of a digest their fate.
func (l *Ledger) tell(b *batch) {
	for _, r := range l.each(b.set) {
		if i := l.incidents.get(r.incident); i != nil {
			i.tells(b)
		}
	}
	l.end(b.set, told, b.index, b.Ended)
	b.set = nil
}

// concludeNotice lets the copies of a notice wait again, announced or not.
func (l *Ledger) concludeNotice(tx Tx, b *batch, m store.Mark) {
	l.announcing(b, -1)
	l.land(b.set)
	if !b.showed() {
		b.set = nil
		return
	}
	for _, i := range l.incidentsIn(b.set) {
		i.Notice, i.Announced = b.ID, m.At
		tx.PutIncident(i.Incident)
	}
	l.show(b)
}

// showed reports whether an ended notice may have been seen.
func (b *batch) showed() bool { return b.Outcome == store.Delivered || b.Outcome == store.Uncertain }

// show notes that a notice showed its copies whole.
func (l *Ledger) show(b *batch) {
	for n := range roaring64.Values(b.set) {
		l.shown[n] = b.index
	}
}
