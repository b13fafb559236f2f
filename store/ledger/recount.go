package ledger

import (
	"cmp"
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

func byOpening(a, b *incident) int { return cmp.Compare(a.Sequence, b.Sequence) }

// recounting counts incidents anew from their records, after an operation took
// copies of theirs or gave some back.
type recounting struct {
	limit   int
	top     uint64 // numbers below are counted
	tallies map[string]*tally
	purges  map[string]int // what the incident's count of purges was
	numbers *Set           // the copies to count
	homes   homes
}

// recounting is what must be counted anew of some incidents.
func (l *Ledger) recounting(of []*incident) *recounting {
	c := &recounting{limit: l.limits.Objects, top: l.next, tallies: make(map[string]*tally), purges: make(map[string]int), homes: l.homes}
	wanted := make([]bool, len(l.incidents.items))
	low := l.next
	for _, i := range of {
		if i.tally() == nil {
			c.tallies[i.ID], c.purges[i.ID] = restored(i.Base), i.purges
			wanted[i.index] = true
			low = min(low, max(i.low, 1))
		}
	}
	c.numbers = l.numbersOf(wanted, low, purged)
	return c
}

// recame counts all that came of incidents anew, in order of numbers, as a
// restore would: older copies joined, or later ones were removed. If they
// cannot be read, the counts stay as they are.
func (l *Ledger) recame(tx Source, of []*incident) {
	wanted := make([]bool, len(l.incidents.items))
	c := recounting{limit: l.limits.Objects, tallies: make(map[string]*tally), homes: l.homes}
	low := l.next
	for _, i := range of {
		wanted[i.index], c.tallies[i.ID] = true, restored(i.Came)
		low = min(low, i.low)
	}
	c.numbers = l.numbersOf(wanted, low, fates)
	if err := c.run(context.Background(), tx); err != nil {
		return
	}
	for _, i := range of {
		i.came, i.seen = c.tallies[i.ID], nil
	}
}

// numbersOf are the kept copies of incidents, by their indices, from a number
// on, but for those of one fate.
func (l *Ledger) numbersOf(wanted []bool, low uint64, but fate) *Set {
	set := roaring64.New()
	var batch []uint64
	for _, s := range l.segments {
		if s.end() <= low {
			continue
		}
		batch = batch[:0]
		for k := range s.rows {
			if r := &s.rows[k]; wanted[r.incident] && r.fate != but {
				batch = append(batch, s.first+uint64(k))
			}
		}
		set.AddMany(batch)
	}
	return set
}

// run reads the copies and counts them.
func (c *recounting) run(ctx context.Context, src Source) error {
	if len(c.tallies) == 0 {
		return nil
	}
	for f, err := range visit(ctx, src, c.homes, c.numbers) {
		if err != nil {
			return err
		}
		if t := c.tallies[f.copy.Incident]; t != nil {
			t.fold(f.message, c.limit)
		}
	}
	return nil
}

// recount counts incidents anew where that is needed.
func (l *Ledger) recount(tx Source, of []*incident) error {
	c := l.recounting(of)
	if err := c.run(context.Background(), tx); err != nil {
		return err
	}
	for id, t := range c.tallies {
		l.byIncident[id].seen = t
	}
	return nil
}

// install keeps what was counted without the lock, and adds what came
// meanwhile. Incidents of which copies were purged or given back meanwhile are left.
func (l *Ledger) install(c *recounting, src Source) error {
	var still []*incident
	for id := range c.tallies {
		i := l.byIncident[id]
		if i == nil || i.purges != c.purges[id] || i.seen != nil {
			delete(c.tallies, id)
			continue
		}
		still = append(still, i)
	}
	late := l.recounting(still)
	c.numbers = late.numbers
	c.numbers.RemoveRange(0, c.top)
	if err := c.run(context.Background(), src); err != nil {
		return err
	}
	for _, i := range still {
		i.seen = c.tallies[i.ID]
	}
	return nil
}

// Recount counts the incidents of a reader, or of all (""), anew where
// operations made that necessary. Reads of incidents do so themselves; engines
// call it before a cut, so that the cut need not do it with the lock held.
func (r *Reads) Recount(ctx context.Context, reader string) error {
	return r.recount(ctx, func(l *Ledger) []*incident { return l.incidentsOf(reader) })
}

func (r *Reads) recount(ctx context.Context, of func(*Ledger) []*incident) error {
	var c *recounting
	r.locked(func(l *Ledger) { c = l.recounting(of(l)) })
	if len(c.tallies) == 0 {
		return nil
	}
	return r.recountOnce(ctx, c)
}

// counted calls tell with incidents that are all counted. Operations may run
// between counting and telling: then it counts again, at last with the lock held.
func (r *Reads) counted(ctx context.Context, of func(*Ledger) []*incident, tell func(*Ledger, []*incident)) error {
	for range 3 {
		if err := r.recount(ctx, of); err != nil {
			return err
		}
		done := false
		r.locked(func(l *Ledger) {
			some := of(l)
			if done = !slices.ContainsFunc(some, func(i *incident) bool { return i.tally() == nil }); done {
				tell(l, some)
			}
		})
		if done {
			return nil
		}
	}
	r.ledger.Lock()
	defer r.ledger.Unlock()
	some := of(r.ledger)
	if err := r.source(func(src Source) error { return r.ledger.recount(src, some) }); err != nil {
		return err
	}
	tell(r.ledger, some)
	return nil
}

func (r *Reads) recountOnce(ctx context.Context, c *recounting) error {
	if err := r.source(func(src Source) error { return c.run(ctx, src) }); err != nil {
		return err
	}
	r.ledger.Lock()
	defer r.ledger.Unlock()
	return r.source(func(src Source) error { return r.ledger.install(c, src) })
}

// incidentsOf are the incidents of a reader, or of all.
func (l *Ledger) incidentsOf(reader string) []*incident {
	if reader == "" {
		return l.incidents.all()
	}
	if r := l.byReader[reader]; r != nil {
		return r.incidents
	}
	return nil
}
