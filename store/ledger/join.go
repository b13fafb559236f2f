package ledger

import (
	"fmt"
	"slices"
	"time"

	"lull/store"
)

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
		key, by := l.key(&m, *c, nil)
		l.group(c, by)
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
