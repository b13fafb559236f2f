package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// pass gives pass copies what became of each: their result, or else what the
// outcome says. Without a batch there are only results.
func (l *Ledger) pass(tx Tx, m store.Mark, b *batch, results map[uint64]store.Result) {
	if b == nil {
		b = &batch{set: roaring64.New()}
		for n := range results {
			b.set.Add(n)
		}
	} else {
		l.fates[flight].AndNot(b.set)
	}
	for n := range roaring64.Values(b.set) {
		r, ok := results[n]
		if !ok {
			r = l.otherwise(n, m)
		}
		l.became(tx, m, b, r)
	}
	l.forget(tx, b.set)
	b.set = nil
}

// otherwise is the result of a copy that has none of its own.
func (l *Ledger) otherwise(n uint64, m store.Mark) store.Result {
	if m.Outcome == store.Delivered || m.Assumed {
		return store.Result{Number: n, Fate: store.Passed, Reply: m.Reply}
	}
	return store.Result{Number: n, Fate: store.Waiting, Reply: m.Reply, Next: m.Next}
}

// became gives one pass copy its result. What ended already stays as it is.
func (l *Ledger) became(tx Tx, m store.Mark, b *batch, r store.Result) {
	if l.ended.Contains(r.Number) {
		return
	}
	one := roaring64.BitmapOf(r.Number)
	l.attempted(tx, m, r)
	to, _ := fateOf(r.Fate)
	if to == waiting {
		l.settle(one)
		return
	}
	l.end(one, to, b.index, m.At)
	tx.PutEnding(r.Number, Ending{Fate: r.Fate, At: m.At, In: b.sequence})
}

// attempted keeps what there is to tell of a copy that did not go at once.
func (l *Ledger) attempted(tx Tx, m store.Mark, r store.Result) {
	p, known := l.progress[r.Number]
	if r.Fate == store.Passed && !known {
		return
	}
	p.Attempts++
	if r.Fate == store.Waiting && m.Outcome == store.Uncertain {
		p.Uncertain++
	}
	p.Reply, p.Next = r.Reply, r.Next
	l.progress[r.Number] = p
	tx.PutProgress(r.Number, p)
}

// Join takes waiting pass copies into the digest. Those that are alerts
// already stay as they are.
func (l *Ledger) Join(tx Tx, j store.Join) error {
	if err := l.current(j.Term); err != nil {
		return err
	}
	set := setOf(j.Numbers)
	set.AndNot(l.alerts)
	for _, n := range j.Numbers {
		if r := l.row(n); r == nil || r.fate != waiting && set.Contains(n) {
			return fmt.Errorf("copy %d: %w", n, store.ErrGone)
		}
	}
	found, err := messagesOf(tx, set)
	if err != nil {
		return err
	}
	l.follow(tx, j.Term)
	var into []*incident
	for _, m := range found {
		into = append(into, l.join(tx, m, set, j)...)
	}
	l.recame(tx, into)
	return nil
}

// join makes alerts of some copies of one message.
func (l *Ledger) join(tx Tx, old *store.Message, set *Set, j store.Join) []*incident {
	m := *old
	m.Copies = slices.Clone(old.Copies)
	var into []*incident
	for k := range m.Copies {
		c := &m.Copies[k]
		if !set.Contains(c.Number) {
			continue
		}
		key := l.key(&m, *c, nil)
		i := l.incidentOf(tx, l.reader(c.Reader), key, &m, c.Number, j.At)
		c.Class, c.Reason, c.Incident = store.Alert, j.Reason, i.ID
		l.joined(tx, &m, i, c.Number, j.Reason)
		into = append(into, i)
	}
	tx.PutMessage(l.holding(m.Copies[0].Number).first, &m, nil)
	return into
}

// joined enters a copy that became an alert.
func (l *Ledger) joined(tx Tx, m *store.Message, i *incident, n uint64, reason string) {
	r := l.row(n)
	r.incident = i.index
	i.counts[r.fate]++
	if i.low == 0 || n < i.low {
		i.low = n
	}
	l.alerts.Add(n)
	i.came.fold(m, l.limits.Objects)
	i.seen = nil
	p := l.progress[n]
	p.Joined, p.Next = reason, time.Time{}
	l.progress[n] = p
	tx.PutProgress(n, p)
}

// Return records that a digest came back: its copies wait again, but for
// those that came back before.
func (l *Ledger) Return(tx Tx, id string, at time.Time) error {
	b := l.batches[id]
	if b == nil || b.Kind != store.KindDigest || b.Open() {
		return fmt.Errorf("digest %q: %w", id, store.ErrNotFound)
	}
	if !b.Returned.IsZero() || !b.tells() {
		return nil
	}
	b.Returned = at
	b.keep(tx)
	l.bringBack(b, l.copies(b))
	return nil
}

// bringBack lets copies of a returned digest wait again, once.
func (l *Ledger) bringBack(b *batch, set *Set) {
	back := roaring64.AndNot(set, l.returned)
	l.returned.Or(back)
	l.ended.AndNot(back)
	l.settle(back)
	b.set = back
}
