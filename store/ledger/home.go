package ledger

import (
	"cmp"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// homes tell of copies that were moved. They are replaced, not changed, so that
// a read may go on with those it has.
type homes map[uint64]whereabouts

// whereabouts is where a copy is, and where it was as it came: nil if that is not kept.
type whereabouts struct{ in, came *incident }

// at is a copy's record with the incident that it is in.
func (h homes) at(c store.Copy) store.Copy {
	if i := h[c.Number].in; i != nil {
		c.Incident = i.ID
	}
	return c
}

// differing are the copies that have other homes.
func (h homes) differing(other homes) *Set {
	set := roaring64.New()
	for n, p := range h {
		if other[n].in != p.in {
			set.Add(n)
		}
	}
	for n := range other {
		if h[n].in == nil {
			set.Add(n)
		}
	}
	return set
}

// home is where copies of one incident were moved to.
type home struct {
	from, to *incident
	by       *operation // of an undo's: under whose rule they are now
	set      *Set
}

// settleHomes finds out anew where moved copies are. What is not known of one
// moved lately is in the facts.
func (l *Ledger) settleHomes(facts map[uint64]fact) {
	all := l.resolve()
	for n, p := range all {
		if p.came = l.homes[n].came; p.came == nil {
			p.came = l.byIncident[facts[n].came]
		}
		all[n] = p
	}
	l.homes = all
	l.homed++
}

// resolve is where each copy is that was moved: where the latest operation
// that was not undone took it, else where the latest undo did.
func (l *Ledger) resolve() homes {
	all := make(homes)
	for _, o := range l.returns() {
		all.enter(o.back)
	}
	for _, o := range l.operations {
		if o.acts() {
			all.enter(o.moves)
		}
	}
	return all
}

// moving gathers moves, those between two incidents together.
type moving struct {
	moves []home
	at    map[home]int // without a set
}

func (m *moving) add(n uint64, h home) {
	k, known := m.at[h]
	if !known {
		if m.at == nil {
			m.at = make(map[home]int)
		}
		k = len(m.moves)
		m.at[h] = k
		h.set = roaring64.New()
		m.moves = append(m.moves, h)
	}
	m.moves[k].set.Add(n)
}

func (h homes) enter(moves []home) {
	for _, m := range moves {
		for n := range roaring64.Values(m.set) {
			h[n] = whereabouts{in: m.to}
		}
	}
}

// returns are the operations whose undo took copies out of their rules, in
// order of the undos.
func (l *Ledger) returns() []*operation {
	var all []*operation
	for _, o := range l.operations {
		if len(o.back) > 0 {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *operation) int { return cmp.Compare(a.backAt, b.backAt) })
	return all
}

// base is the incident that a copy is in but for moves that may be undone:
// where the latest of the returns took it, else the one that it came to. Nil if
// that is not kept.
func (l *Ledger) base(returns []*operation, n uint64, came string) *incident {
	for _, o := range slices.Backward(returns) {
		for _, m := range o.back {
			if m.set.Contains(n) {
				return m.to
			}
		}
	}
	return l.byIncident[came]
}

// rehome moves the row of a copy to the incident that is its home, and
// returns the one it was in.
func (l *Ledger) rehome(n uint64, to *incident) (from *incident) {
	r := l.row(n)
	from = l.incidents.get(r.incident)
	from.counts[r.fate]--
	to.counts[r.fate]++
	r.incident = to.index
	if to.low == 0 || n < to.low {
		to.low = n
	}
	return from
}

// strikeHomes lets go of copies that retention removes.
func (l *Ledger) strikeHomes(gone *Set) {
	struck := false
	for _, o := range l.operations {
		for _, m := range slices.Concat(o.moves, o.back) {
			struck = struck || m.set.Intersects(gone)
			m.set.AndNot(gone)
		}
	}
	if struck {
		l.settleHomes(nil)
	}
}

// wanted are the incidents that moves may take copies to, or back to.
func (l *Ledger) wanted() map[*incident]bool {
	all := make(map[*incident]bool)
	for _, o := range l.operations {
		moves := o.back
		if o.acts() {
			moves = o.moves
		}
		for _, m := range moves {
			if !m.set.IsEmpty() {
				all[m.from], all[m.to] = true, true
			}
		}
	}
	for _, p := range l.homes {
		all[p.came] = true
	}
	return all
}

// returning reports whether an undo's moves still count.
func (o *operation) returning() bool {
	return slices.ContainsFunc(o.back, func(m home) bool { return !m.set.IsEmpty() })
}

// putMoves keeps where an operation, or its undo, took copies.
func putMoves(tx Tx, m Moves, moves []home) {
	for _, h := range moves {
		kept := Home{From: h.from.ID, To: h.to.ID, Set: h.set.Clone()}
		if h.by != nil {
			kept.By = h.by.ID
		}
		m.Homes = append(m.Homes, kept)
	}
	tx.PutMoves(m)
}

// coverBack lets the rules under which an undo took copies have them.
func (o *operation) coverBack() {
	for _, m := range o.back {
		if m.by != nil {
			m.by.covers.Or(m.set)
			m.by.caught.Or(m.set)
			m.by.groups.Or(m.set)
		}
	}
}

// Moves gives moves back. The restore takes their sets over.
func (r *Restore) Moves(m Moves) { r.moves = append(r.moves, m) }

// moveIn lets operations have their moves again. Those of which an incident was
// lost are left out.
func (r *Restore) moveIn() {
	l := r.ledger
	for _, m := range r.moves {
		l.head.Sequence = max(l.head.Sequence, m.Sequence)
		o := l.operation[m.Operation]
		if o == nil {
			continue
		}
		var moves []home
		for _, h := range m.Homes {
			from, to := l.byIncident[h.From], l.byIncident[h.To]
			if from != nil && to != nil {
				moves = append(moves, home{from, to, l.operation[h.By], orEmpty(h.Set)})
			}
		}
		if m.Back {
			o.back, o.backAt = moves, m.Sequence
		} else {
			o.moves = moves
		}
	}
	r.moves = nil
	l.settleHomes(nil)
}
