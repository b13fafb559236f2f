package ledger

import (
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// fate is a [store.Fate], in the order of [store.Fates].
type fate uint8

const (
	waiting fate = iota
	held
	flight
	passed
	told
	purged
	bounced
	expired
	fates         // how many there are
	lost  = fates // the record cannot be read; in no set
)

func (f fate) name() store.Fate {
	names := [fates]store.Fate{store.Waiting, store.Held, store.InFlight, store.Passed,
		store.Told, store.Purged, store.Bounced, store.Expired}
	return names[f]
}

func (f fate) live() bool { return f <= flight }

func fateOf(name store.Fate) (fate, bool) {
	for f := range fates {
		if f.name() == name {
			return f, true
		}
	}
	return 0, false
}

// owner is what gave copies their fate: a batch or an operation.
type owner struct {
	batch     *batch
	operation *operation
	rows      int // how many copies it owns now
}

func (o *owner) id() string {
	switch {
	case o == nil:
		return ""
	case o.batch != nil:
		return o.batch.ID
	}
	return o.operation.ID
}

// owners numbers batches and operations; a number is never used again.
type owners struct {
	byIndex map[uint32]*owner
	last    uint32
}

func (o *owners) add(w *owner) uint32 {
	o.last++
	o.byIndex[o.last] = w
	return o.last
}

// count adds rows to what an owner owns. Index 0 owns nothing.
func (o *owners) count(index uint32, rows int) {
	if w := o.byIndex[index]; w != nil {
		w.rows += rows
	}
}

// move gives copies a fate and its owner.
func (l *Ledger) move(set *Set, to fate, in uint32) {
	if set.IsEmpty() {
		return
	}
	for f := range fates {
		if f != to {
			l.fates[f].AndNot(set)
		}
	}
	l.fates[to].Or(set)
	moved := 0
	for _, r := range l.each(set) {
		moved++
		l.owners.count(r.in, -1)
		if i := l.incidents.get(r.incident); i != nil {
			i.moved(r.fate, to)
		}
		r.fate, r.in = to, in
	}
	l.owners.count(in, moved)
}

// end gives copies a fate that no operation changes any more.
func (l *Ledger) end(set *Set, to fate, in uint32, at time.Time) {
	l.ended.Or(set)
	l.move(set, to, in)
	for n := range roaring64.Values(set) {
		s := l.holding(n)
		s.ended = later(s.ended, at)
	}
}

// settle gives copies that nothing ended and that are not in flight the fate
// that operations leave them: the latest one counts, purges before holds.
func (l *Ledger) settle(set *Set) {
	rest := roaring64.AndNot(set, l.ended)
	rest.AndNot(l.fates[flight])
	l.layer(rest, func(e effect) bool { return e == purges || e == expires })
	l.layer(rest, func(e effect) bool { return e == holds || e == releases })
	l.move(rest, waiting, 0)
}

// layer moves what operations of one layer cover, and takes it out of rest.
func (l *Ledger) layer(rest *Set, in func(effect) bool) {
	for i := len(l.operations) - 1; i >= 0 && !rest.IsEmpty(); i-- {
		o := l.operations[i]
		if !o.acts() || !in(o.effect) || !o.covers.Intersects(rest) {
			continue
		}
		covered := roaring64.And(rest, o.covers)
		rest.AndNot(covered)
		to, index := o.effect.fate(), o.index
		if to == waiting {
			index = 0
		}
		l.move(covered, to, index)
	}
}

// land takes copies out of flight, to where operations leave them.
func (l *Ledger) land(set *Set) {
	l.fates[flight].AndNot(set)
	l.settle(set)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
