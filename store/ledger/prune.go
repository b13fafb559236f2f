package ledger

import (
	"slices"
	"time"

	"lull/store"
)

// pruneBatches removes batches that own nothing any more. Of pass mail they
// are of no use soon after their end.
func (l *Ledger) pruneBatches(tx Tx, now time.Time) {
	for id, b := range l.batches {
		keep := l.limits.Retain
		if b.Kind == store.KindPass || b.Kind == store.KindDSN {
			keep = 2 * l.limits.Segment
		} else if l.owners.byIndex[b.index].rows > 0 || b.set != nil && !b.set.IsEmpty() {
			continue
		}
		if b.Open() || now.Before(b.Ended.Add(keep)) {
			continue
		}
		delete(l.batches, id)
		delete(l.owners.byIndex, b.index)
		tx.DropBatch(b.sequence)
	}
}

// pruneOperations removes operations that do nothing any more, with their rules.
func (l *Ledger) pruneOperations(tx Tx, now time.Time) {
	l.operations = slices.DeleteFunc(l.operations, func(o *operation) bool {
		if !l.spent(o, now) {
			return false
		}
		delete(l.operation, o.ID)
		delete(l.owners.byIndex, o.index)
		tx.DropOperation(o.sequence)
		if o.regroups() {
			tx.DropMoves(o.sequence)
			tx.DropMoves(o.backAt)
		}
		if o.rule != nil {
			l.rules = slices.DeleteFunc(l.rules, func(r *rule) bool { return r == o.rule })
			tx.DropRule(o.rule.ID)
		}
		return true
	})
}

// spent reports whether an operation is past retention and without effect.
func (l *Ledger) spent(o *operation, now time.Time) bool {
	keep := max(l.limits.Retain, l.limits.Trash)
	if now.Before(later(o.At, o.Undone).Add(keep)) {
		return false
	}
	if r := o.rule; r != nil && (r.Ended.IsZero() || now.Before(r.Ended.Add(keep))) {
		return false
	}
	return (!o.acts() || o.covers.IsEmpty() && o.groups.IsEmpty()) && !o.returning()
}

// pruneIncidents removes incidents that cannot open again and of which nothing is kept.
func (l *Ledger) pruneIncidents(tx Tx, now time.Time) {
	wanted := l.wanted()
	gone := func(i *incident) bool {
		return i.kept() == 0 && !wanted[i] && !now.Before(i.closes(l.limits).Add(l.limits.Again))
	}
	for _, r := range l.byReader {
		l.dropIncidents(tx, r, gone)
	}
}

// dropIncidents removes some incidents of a reader. No copy may be in them.
func (l *Ledger) dropIncidents(tx Tx, r *reader, gone func(*incident) bool) {
	r.incidents = slices.DeleteFunc(r.incidents, func(i *incident) bool {
		if !gone(i) {
			return false
		}
		for _, key := range i.keys() {
			if r.current[key] == i {
				delete(r.current, key)
			}
		}
		delete(l.byIncident, i.ID)
		l.incidents.remove(i.index)
		tx.DropIncident(i.ID)
		return true
	})
}

// pruneReaders removes readers of whom nothing is kept.
func (l *Ledger) pruneReaders(tx Tx, now time.Time) {
	for name, r := range l.byReader {
		idle := r.Next.IsZero() && r.Refused.IsZero() && !now.Before(r.Last.Add(l.limits.Retain))
		if !idle || len(r.incidents) > 0 || !r.mine.IsEmpty() || r.digest != nil {
			continue
		}
		delete(l.byReader, name)
		l.readers.remove(r.index)
		tx.DropReader(name)
	}
}

func (l *Ledger) pruneKeys(tx Tx, now time.Time) {
	for key, dropped := range l.keys {
		if !dropped.IsZero() && !now.Before(dropped.Add(keyed)) {
			delete(l.keys, key)
			tx.DropKey(key)
		}
	}
}

// recent is how many windows slots stay in memory: no budget looks further back.
const recent = 25

// pruneSlots removes records of slots past retention, and forgets those that
// no window can reach.
func (l *Ledger) pruneSlots(tx Tx, now time.Time) error {
	far := l.head.Gate - recent*l.limits.Segment
	var old []store.Slot
	for s, err := range tx.Slots() {
		if err != nil {
			return err
		}
		if now.Before(s.At.Add(l.limits.Retain)) {
			break
		}
		if !s.Open && s.Ended < far {
			old = append(old, s)
		}
	}
	for _, s := range old {
		tx.DropSlot(s)
	}
	l.slots.drop(func(s *store.Slot) bool { return !s.Open && s.Ended < far })
	for attempt, at := range l.slots.given {
		if at < far {
			delete(l.slots.given, attempt)
		}
	}
	return nil
}
