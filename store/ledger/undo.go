package ledger

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Undo takes an operation back: each copy it touched goes to where the other
// operations leave it, and the rule that it left ends.
//
// What must be read was read by [Reads.SiftUndo] before, without the lock.
func (l *Ledger) Undo(tx Tx, u store.Undo, s *Sifted) (store.Operation, error) {
	o := l.operation[u.Operation]
	if o == nil {
		return store.Operation{}, fmt.Errorf("operation %q: %w", u.Operation, store.ErrNotFound)
	}
	if !o.acts() {
		return l.lasting(o, l.gone()), nil
	}
	if err := l.current(u.Term); err != nil {
		return store.Operation{}, err
	}
	if o.Forever {
		return store.Operation{}, fmt.Errorf("operation %s deleted for good: %w", o.ID, store.ErrInvalid)
	}
	var g *regrouping
	if o.regroups() {
		var err error
		if g, err = l.reconsider(tx, o, s); err != nil {
			return store.Operation{}, err
		}
	}
	l.follow(tx, u.Term)
	o.Undone, o.UndoneBy = u.At, u.By
	l.unrule(tx, o, u)
	if g != nil {
		l.ungroup(tx, o, g, u.At)
	} else {
		l.uncover(o)
	}
	o.keep(tx)
	return l.lasting(o, l.gone()), nil
}

// uncover lets go of the copies of an operation that was undone.
func (l *Ledger) uncover(o *operation) {
	if o.effect != silences {
		l.settle(o.covers)
		return
	}
	l.silenced = roaring64.New()
	for _, other := range l.operations {
		if other.effect == silences && other.acts() {
			l.silenced.Or(other.covers)
		}
	}
}

// unrule takes back what an undone operation did to a rule.
func (l *Ledger) unrule(tx Tx, o *operation, u store.Undo) {
	r := l.rule(o.Rule)
	if r == nil {
		return
	}
	switch {
	case o.rule == r:
		if r.Ended.IsZero() {
			r.Ended = u.At
		}
	case o.Kind == store.OpEnd:
		l.unend(r, o, u)
	case o.Kind == store.OpExtend:
		l.unextend(tx, r, o)
	default:
		return
	}
	l.change(tx, r)
}

// unend lets a rule apply again, unless its own operation was undone.
func (l *Ledger) unend(r *rule, o *operation, u store.Undo) {
	if r.operation.acts() && r.Ended.Equal(o.At) {
		r.Ended = o.Before
	}
}

// unextend takes one change of expiry out of the chain of changes.
func (l *Ledger) unextend(tx Tx, r *rule, o *operation) {
	for _, next := range l.operations {
		if next.sequence > o.sequence && next.Kind == store.OpExtend && next.Rule == r.ID && next.acts() {
			next.Before = o.Before
			next.keep(tx)
			return
		}
	}
	r.Expires = o.Before
}
