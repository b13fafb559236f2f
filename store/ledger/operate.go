package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// Operate runs an operator's action. The sifting was done by [Reads.Sift]
// before, without the lock; what changed since is looked at again here.
func (l *Ledger) Operate(tx Tx, o store.Operate, s *Sifted) (store.Operation, error) {
	if old := l.operation[o.ID]; old != nil {
		return old.telling(), nil
	}
	if err := l.current(o.Term); err != nil {
		return store.Operation{}, err
	}
	if o.ID == "" || o.At.IsZero() {
		return store.Operation{}, fmt.Errorf("operation %q without id or time: %w", o.ID, store.ErrInvalid)
	}
	switch o.Kind {
	case store.OpHold, store.OpRelease, store.OpPurge, store.OpExpire:
		return l.touch(tx, o, s)
	case store.OpRule:
		return l.lay(tx, o, s)
	case store.OpEnd, store.OpExtend:
		return l.alter(tx, o)
	}
	return store.Operation{}, fmt.Errorf("operation of kind %q: %w", o.Kind, store.ErrInvalid)
}

// touch is an operation on copies.
func (l *Ledger) touch(tx Tx, o store.Operate, s *Sifted) (store.Operation, error) {
	var left *rule
	if o.Rule != nil {
		r, err := l.standing(o)
		if err != nil {
			return store.Operation{}, err
		}
		left = r
	}
	matched, f, err := l.complete(tx, o, s)
	if err != nil {
		return store.Operation{}, err
	}
	set := roaring64.And(matched, l.reachable(o, f))
	if set.IsEmpty() && left == nil {
		return store.Operation{}, fmt.Errorf("operation %s: %w", o.ID, store.ErrNothing)
	}
	told := named(o, f)
	told.InFlight = int(matched.AndCardinality(l.fates[flight]))
	told.Left = max(0, o.Seen-int(set.GetCardinality()))
	l.count(&told, set)
	l.follow(tx, o.Term)
	op := l.book(tx, told, set, left)
	if left != nil {
		l.change(tx, left)
	}
	l.settle(set)
	if told.Forever {
		l.forget(tx, set)
	}
	return op.telling(), nil
}

// reachable are the copies that an operation may touch.
func (l *Ledger) reachable(o store.Operate, f filter.Filter) *Set {
	if o.Kind == store.OpRelease {
		return l.fates[held]
	}
	set := roaring64.Or(l.fates[waiting], l.fates[held])
	if slices.Contains(l.reaches(o, f), purged) {
		set.Or(roaring64.AndNot(l.fates[purged], l.gone()))
	}
	return set
}

// named is the operation as ordered.
func named(o store.Operate, f filter.Filter) store.Operation {
	return store.Operation{
		ID: o.ID, Kind: o.Kind, By: o.By, At: o.At, Reason: o.Reason, Forever: o.Forever && o.Kind == store.OpPurge,
		Filter: f.Fixed(o.At).String(),
	}
}

// lay leaves a standing rule.
func (l *Ledger) lay(tx Tx, o store.Operate, s *Sifted) (store.Operation, error) {
	if o.Rule == nil {
		return store.Operation{}, fmt.Errorf("operation %s adds no rule: %w", o.ID, store.ErrInvalid)
	}
	r, err := l.standing(o)
	if err != nil {
		return store.Operation{}, err
	}
	if r.Kind == store.RuleGroup {
		return l.layGroup(tx, o, r, s)
	}
	l.follow(tx, o.Term)
	op := l.book(tx, named(o, r.filter), nil, r)
	l.change(tx, r)
	return op.telling(), nil
}

// layGroup leaves a grouping rule, and gives what is there its homes.
func (l *Ledger) layGroup(tx Tx, o store.Operate, r *rule, s *Sifted) (store.Operation, error) {
	if s == nil {
		s = &Sifted{regrouping: newRegrouping(0, r.lays)}
	}
	inFlight, err := l.ask(tx, s.regrouping, l.movable(o.At))
	if err != nil {
		return store.Operation{}, err
	}
	if n := l.wouldOpen(s.regrouping, o.At); n > mostOpenings {
		return store.Operation{}, fmt.Errorf("the rule would open %d incidents at once, of mail that is there; at most %d can be: narrow its filter, or group more coarsely: %w", n, mostOpenings, store.ErrInvalid)
	}
	l.follow(tx, o.Term)
	moves := l.regroup(tx, s.regrouping, o)
	set, all := roaring64.New(), roaring64.New()
	for _, m := range moves {
		all.Or(m.set)
		if m.from != m.to {
			set.Or(m.set)
		}
	}
	told := named(o, r.filter)
	told.InFlight = inFlight
	told.Moves, told.Moved = tellMoves(moves)
	l.count(&told, set)
	op := l.book(tx, told, set, r)
	op.moves, op.groups = moves, all
	l.change(tx, r)
	putMoves(tx, Moves{Sequence: op.sequence, Operation: op.ID}, moves)
	l.settleHomes(s.facts)
	l.relocate(tx, moves, s.regrouping)
	return op.telling(), nil
}

// tellMoves are the moves of the most copies, and how many there are in all.
func tellMoves(moves []home) (most []store.Move, all int) {
	for _, m := range moves {
		if m.from == m.to {
			continue
		}
		most = append(most, store.Move{Reader: m.to.Reader, From: m.from.ID, To: m.to.ID, Copies: int(m.set.GetCardinality())})
	}
	slices.SortStableFunc(most, func(a, b store.Move) int { return cmp.Compare(b.Copies, a.Copies) })
	return most[:min(len(most), 20)], len(most)
}

// alter ends or extends a standing rule.
func (l *Ledger) alter(tx Tx, o store.Operate) (store.Operation, error) {
	if o.Rule == nil {
		return store.Operation{}, fmt.Errorf("operation %s names no rule: %w", o.ID, store.ErrInvalid)
	}
	r := l.rule(o.Rule.ID)
	if r == nil || !r.Active(o.At) {
		return store.Operation{}, fmt.Errorf("no rule %q applies: %w", o.Rule.ID, store.ErrNotFound)
	}
	if o.Kind == store.OpExtend && !o.Rule.Expires.IsZero() && !o.At.Before(o.Rule.Expires) {
		return store.Operation{}, fmt.Errorf("rule %s would end in the past: %w", r.ID, store.ErrInvalid)
	}
	told := named(o, r.filter)
	told.Rule, told.Before = r.ID, r.Expires
	if o.Kind == store.OpEnd {
		told.Before = r.Ended
		r.Ended = o.At
	} else {
		r.Expires = o.Rule.Expires
	}
	l.follow(tx, o.Term)
	op := l.book(tx, told, nil, nil)
	l.change(tx, r)
	return op.telling(), nil
}

// forget removes bodies that nobody can ask for any more: every copy was
// passed, or purged for good.
func (l *Ledger) forget(tx Tx, set *Set) {
	var end uint64
	for n := range roaring64.Values(set) {
		if n < end {
			continue
		}
		var first uint64
		first, end = l.message(n)
		if l.forgettable(first, end) {
			tx.DropBody(l.holding(first).first, first)
		}
	}
}

func (l *Ledger) forgettable(first, end uint64) bool {
	for n := first; n < end; n++ {
		r := l.row(n)
		if r == nil {
			continue
		}
		w := l.owners.byIndex[r.in]
		gone := r.fate == purged && w != nil && w.operation != nil && w.operation.Forever
		if r.fate != passed && !gone {
			return false
		}
	}
	return true
}
