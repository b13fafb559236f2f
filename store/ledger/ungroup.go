package ledger

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// SiftUndo reads what an undo must know of mail, without keeping commands
// waiting: that of a grouping rule takes copies back to where they would be.
func (r *Reads) SiftUndo(ctx context.Context, u store.Undo) (*Sifted, error) {
	var g *regrouping
	var set *Set
	r.locked(func(l *Ledger) {
		if o := l.operation[u.Operation]; o != nil && o.acts() && o.regroups() {
			g, set = newRegrouping(l.head.Version, l.without(o)), o.caught.Clone()
		}
	})
	if g == nil {
		return nil, nil
	}
	if err := r.survey(ctx, g, set, u.At); err != nil {
		return nil, err
	}
	r.locked(func(l *Ledger) { set = l.touchedBy(u.Operation, g) })
	return &Sifted{regrouping: g}, r.source(func(src Source) error { return g.learn(ctx, src, set) })
}

// regroups reports whether the operation left a rule that groups.
func (o *operation) regroups() bool { return o.rule != nil && o.rule.Kind == store.RuleGroup }

// touchedBy are all copies of the incidents that an operation moved copies
// from or to.
func (l *Ledger) touchedBy(id string, g *regrouping) *Set {
	wanted, returns := make([]bool, len(l.incidents.items)+1), l.returns()
	if o := l.operation[id]; o != nil {
		for _, m := range o.moves {
			wanted[m.from.index], wanted[m.to.index] = true, true
		}
		for n, r := range l.each(o.covers) {
			wanted[r.incident] = true
			if i := l.base(returns, n, g.facts[n].came); i != nil {
				wanted[i.index] = true
			}
		}
	}
	wanted[0] = false
	return l.numbersOf(wanted, 0, fates)
}

// without is the key that copies which came under an operation's rule would
// have had without it: by an older rule that stood then, or by the signature.
func (l *Ledger) without(o *operation) func(store.Entry, func() []byte) (string, *operation) {
	var older []rule
	for _, r := range l.rules {
		if r.operation == o {
			break
		}
		if r.operation.acts() && r.Kind == store.RuleGroup {
			older = append(older, *r)
		}
	}
	return func(e store.Entry, body func() []byte) (string, *operation) {
		for _, r := range slices.Backward(older) {
			if !r.stood(e.Message.Accepted) {
				continue
			}
			if key := r.decides(e, body); key != "" {
				return key, r.operation
			}
		}
		return e.Message.Reading.Signature.ID, nil
	}
}

// stood reports whether a rule had not ended at a time.
func (r *rule) stood(at time.Time) bool {
	return (r.Ended.IsZero() || at.Before(r.Ended)) && (r.Expires.IsZero() || at.Before(r.Expires))
}

// reconsider is what an undo of a grouping rule must know, up to date.
func (l *Ledger) reconsider(tx Tx, o *operation, s *Sifted) (*regrouping, error) {
	var g *regrouping
	if s != nil {
		g = s.regrouping
	}
	if g == nil || g.version != l.head.Version {
		g = newRegrouping(l.head.Version, l.without(o))
	}
	if _, err := l.ask(tx, g, o.caught.Clone()); err != nil {
		return nil, err
	}
	return g, g.learn(context.Background(), tx, l.touchedBy(o.ID, g))
}

// ungroup takes the copies of an operation that was just undone to where they
// are without it, and those that came under its rule as well.
func (l *Ledger) ungroup(tx Tx, o *operation, g *regrouping, at time.Time) {
	l.settleHomes(g.facts)
	var homes moving
	for _, m := range o.moves {
		for n := range roaring64.Values(m.set) {
			if f, known := g.facts[n]; known {
				homes.add(n, home{to: l.homeOf(tx, n, f)})
			}
		}
	}
	l.relocate(tx, homes.moves, g)
	if moves := l.returnLater(tx, o, g, at); len(moves) > 0 {
		l.handBack(tx, o, moves, g)
	}
	l.dropEmptied(tx, o)
}

// handBack takes copies out of a rule under which they came.
func (l *Ledger) handBack(tx Tx, o *operation, moves []home, g *regrouping) {
	o.back, o.backAt = moves, l.sequence()
	putMoves(tx, Moves{Sequence: o.backAt, Operation: o.ID, Back: true}, moves)
	l.settleHomes(g.facts)
	o.coverBack()
	var homes moving
	var counted []*incident
	for _, m := range moves {
		counted = append(counted, m.to)
		for n := range roaring64.Values(m.set) {
			homes.add(n, home{to: l.homes[n].in}) // that of a later rule, it may be
		}
	}
	l.relocate(tx, homes.moves, g, counted...)
}

// dropEmptied removes the incidents that an operation had opened, once no copy
// is in them any more.
func (l *Ledger) dropEmptied(tx Tx, o *operation) {
	wanted := l.wanted()
	readers := make(map[*reader]bool)
	for _, m := range o.moves {
		readers[m.to.reader] = true
	}
	for r := range readers {
		l.dropIncidents(tx, r, func(i *incident) bool {
			return i.Split == o.ID && i.kept() == 0 && i.Came == nil && !wanted[i]
		})
	}
}

// homeOf is where a copy is; its incident opens anew if it was lost.
func (l *Ledger) homeOf(tx Tx, n uint64, f fact) *incident {
	if i := l.homes[n].in; i != nil {
		return i
	}
	if i := l.byIncident[f.came]; i != nil {
		return i
	}
	old := l.incidents.get(l.row(n).incident)
	i := &incident{Incident: old.Incident}
	i.ID, i.Number, i.Opened, i.Split, i.Also, i.Came, i.Base = f.came, n, f.accepted, "", nil, nil, nil
	return l.begin(tx, old.reader, i)
}

// returnLater finds where the copies would be that came under a rule, in the
// order in which they came.
func (l *Ledger) returnLater(tx Tx, o *operation, g *regrouping, at time.Time) []home {
	var all moving
	opened, returns := make(map[opener]int), l.returns()
	for _, c := range g.arrivals() {
		f := g.facts[c.number]
		from := l.base(returns, c.number, f.came)
		if from == nil {
			continue
		}
		if from.has(c.key) {
			if c.by != nil {
				all.add(c.number, home{from: from, to: from, by: c.by})
			}
			continue
		}
		r := l.reader(c.reader)
		to := r.current[c.key]
		if to == nil || !to.takes(f.accepted, l.limits) && !to.takes(at, l.limits) {
			to = l.splitOff(tx, r, c.key, c.number, g, o.ID, at, opened)
		}
		to.came.take(f.accepted, f.reports, l.limits.Objects)
		all.add(c.number, home{from: from, to: to, by: c.by})
	}
	return all.moves
}

// arrival is a copy with the key that it would have.
type arrival struct {
	place
	number uint64
}

// arrivals are the copies of all places, in order.
func (g *regrouping) arrivals() []arrival {
	var all []arrival
	for p, set := range g.places {
		for n := range roaring64.Values(set) {
			all = append(all, arrival{p, n})
		}
	}
	slices.SortFunc(all, byNumber)
	return all
}

func byNumber(a, b arrival) int { return cmp.Compare(a.number, b.number) }
