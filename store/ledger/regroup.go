package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// regrouping is what a grouping rule, or its undo, has to say about copies that
// are there. Most of it is read without the lock: what it says of a copy does
// not change.
type regrouping struct {
	// key is the key of a copy, "" where the rule says nothing, and by whose
	// rule it is given, if that is not the one that is laid.
	key     func(e store.Entry, body func() []byte) (key string, by *operation)
	version uint64 // of the rules that key asks
	looked  *Set
	places  map[place]*Set
	facts   map[uint64]fact
}

// place is an incident key of one reader.
type place struct {
	reader, key string
	by          *operation
}

// fact is what a tally takes of a copy, and the incident that it came to.
type fact struct {
	accepted time.Time
	reports  []store.Report
	came     string
}

func newRegrouping(version uint64, key func(store.Entry, func() []byte) (string, *operation)) *regrouping {
	return &regrouping{
		key: key, version: version, looked: roaring64.New(), places: make(map[place]*Set),
		facts: make(map[uint64]fact),
	}
}

// look asks for the keys of copies.
func (g *regrouping) look(ctx context.Context, src Source, set *Set) error {
	for f, err := range visit(ctx, src, nil, set) {
		if err != nil {
			return err
		}
		g.looked.Add(f.copy.Number)
		g.note(f)
		e := store.Entry{Message: f.message, Copy: f.copy, Fate: store.Waiting}
		e.Copy.Incident = "" // as it came
		if key, by := g.key(e, bodyOf(src, f.message)); key != "" {
			g.put(place{f.copy.Reader, key, by}, f)
		}
	}
	return nil
}

// put notes that a copy belongs to a place.
func (g *regrouping) put(p place, f found) {
	set := g.places[p]
	if set == nil {
		set = roaring64.New()
		g.places[p] = set
	}
	set.Add(f.copy.Number)
}

func (g *regrouping) note(f found) {
	g.facts[f.copy.Number] = fact{f.message.Accepted, f.message.Reading.Reports, f.copy.Incident}
}

// learn reads what is not known yet of copies.
func (g *regrouping) learn(ctx context.Context, src Source, set *Set) error {
	missing := roaring64.New()
	for n := range roaring64.Values(set) {
		if _, known := g.facts[n]; !known {
			missing.Add(n)
		}
	}
	for f, err := range visit(ctx, src, nil, missing) {
		if err != nil {
			return err
		}
		g.note(f)
	}
	return nil
}

// keep leaves out what may not be moved, and returns how many of the copies
// are in flight: they are left out, too.
func (g *regrouping) keep(may, flight *Set) (inFlight int) {
	for p, set := range g.places {
		set.And(may)
		inFlight += int(set.AndCardinality(flight))
		set.AndNot(flight)
		if set.IsEmpty() {
			delete(g.places, p)
		}
	}
	return inFlight
}

// inOrder are the places in the order of their first copies.
func (g *regrouping) inOrder() []place {
	var firsts []arrival
	for p, set := range g.places {
		firsts = append(firsts, arrival{p, set.Minimum()})
	}
	slices.SortFunc(firsts, byNumber)
	all := make([]place, len(firsts))
	for k, f := range firsts {
		all[k] = f.place
	}
	return all
}

// Bytes are about how many the records of it take.
func (s *Sifted) Bytes() int64 {
	const incident, run = 1 << 10, 16
	if s == nil || s.regrouping == nil {
		return 0
	}
	return int64(len(s.places))*incident + int64(s.looked.GetCardinality())*run
}

// siftRule asks a grouping rule about what is there, without keeping commands
// waiting.
func (r *Reads) siftRule(ctx context.Context, o store.Operate) (*Sifted, error) {
	if o.Rule == nil || o.Rule.Kind != store.RuleGroup {
		return nil, nil
	}
	var g *regrouping
	var set *Set
	r.locked(func(l *Ledger) {
		if rule, err := l.standing(o); err == nil {
			g, set = newRegrouping(0, rule.lays), l.movable(o.At)
		}
	})
	if g == nil {
		return nil, nil // the command will say why
	}
	return &Sifted{regrouping: g}, r.survey(ctx, g, set, o.At)
}

// survey looks at copies, and learns of all copies of the incidents concerned.
func (r *Reads) survey(ctx context.Context, g *regrouping, set *Set, at time.Time) error {
	if err := r.source(func(src Source) error { return g.look(ctx, src, set) }); err != nil {
		return err
	}
	r.locked(func(l *Ledger) { set = l.concerned(g) })
	return r.source(func(src Source) error { return g.learn(ctx, src, set) })
}

// lays is decides for a rule that is being laid.
func (r *rule) lays(e store.Entry, body func() []byte) (string, *operation) {
	return r.decides(e, body), nil
}

// movable are the copies that a grouping rule may move: those that wait or are
// held, all of their incidents, and all of open ones. Some may be in flight.
func (l *Ledger) movable(at time.Time) *Set {
	wanted := make([]bool, len(l.incidents.items)+1)
	for _, i := range l.incidents.all() {
		wanted[i.index] = i.waits() || i.closed(at, l.limits).IsZero()
	}
	return l.numbersOf(wanted, 0, fates)
}

// waits reports whether a copy of it waits or is held.
func (i *incident) waits() bool { return i.counts[waiting]+i.counts[held] > 0 }

// concerned are all copies of the incidents that copies are in, or may go to.
func (l *Ledger) concerned(g *regrouping) *Set {
	wanted, returns := make([]bool, len(l.incidents.items)+1), l.returns()
	for p, set := range g.places {
		if r := l.byReader[p.reader]; r != nil && r.current[p.key] != nil {
			wanted[r.current[p.key].index] = true
		}
		for n, r := range l.each(set) {
			wanted[r.incident] = true
			if i := l.base(returns, n, g.facts[n].came); i != nil {
				wanted[i.index] = true
			}
		}
	}
	wanted[0] = false
	return l.numbersOf(wanted, 0, fates)
}

// ask brings a regrouping up to date: what came since is looked at.
func (l *Ledger) ask(tx Tx, g *regrouping, may *Set) (inFlight int, err error) {
	if err := g.look(context.Background(), tx, roaring64.AndNot(may, g.looked)); err != nil {
		return 0, err
	}
	inFlight = g.keep(may, l.fates[flight])
	return inFlight, g.learn(context.Background(), tx, l.concerned(g))
}

// regroup moves what is there to the incidents that the keys of a rule lead to.
func (l *Ledger) regroup(tx Tx, g *regrouping, o store.Operate) []home {
	var all moving
	opened := make(map[opener]int)
	for _, p := range g.inOrder() {
		set := g.places[p]
		to := l.destination(tx, g, p, set.Minimum(), o, opened)
		for n, r := range l.each(set) {
			all.add(n, home{from: l.incidents.get(r.incident), to: to})
		}
	}
	return all.moves
}

// destination is the incident that a key leads to, or that copy n opens.
func (l *Ledger) destination(tx Tx, g *regrouping, p place, n uint64, o store.Operate, opened map[opener]int) *incident {
	r := l.reader(p.reader)
	if i := r.current[p.key]; i != nil && l.leads(i, o.At) {
		return i
	}
	return l.splitOff(tx, r, p.key, n, g, o.ID, o.At, opened)
}

// mostOpenings bounds what one operation does while commands wait.
const mostOpenings = 10_000

// wouldOpen is how many incidents regroup would open.
func (l *Ledger) wouldOpen(g *regrouping, at time.Time) (n int) {
	by := make(map[string]int)
	for p := range g.places {
		if r := l.byReader[p.reader]; r.current[p.key] == nil || !l.leads(r.current[p.key], at) {
			by[p.reader]++
		}
	}
	for _, opened := range by {
		if l.limits.Openings > 0 {
			opened = min(opened, l.limits.Openings+1)
		}
		n += opened
	}
	return n
}

// leads reports whether a key leads to the incident that has it.
func (l *Ledger) leads(i *incident, at time.Time) bool { return i.waits() || i.takes(at, l.limits) }

// opener is who opens incidents of a reader.
type opener struct{ reader, name string }

// splitOff opens an incident with a copy that is in another one. It is news
// only if that one is.
func (l *Ledger) splitOff(tx Tx, r *reader, key string, n uint64, g *regrouping, op string, at time.Time, opened map[opener]int) *incident {
	old := l.incidents.get(l.row(n).incident)
	s := l.signatureOf(tx, n, old)
	by := opener{r.Name, s.Source}
	i := l.overflow(tx, r, s, n, at, opened[by])
	switch {
	case i == nil:
		opened[by]++
		i = l.begin(tx, r, newIncident(l.incidentID(n), r.Name, key, s, n, g.facts[n].accepted))
	case i.came.copies > 0 || i.Split == op:
		return i
	}
	i.Split, i.Since = op, !old.fresh() || old.pinned > 0
	tx.PutIncident(i.Incident)
	return i
}

// signatureOf is the signature of a copy, or, should its record be damaged,
// what is known of its incident.
func (l *Ledger) signatureOf(tx Tx, n uint64, in *incident) store.Signature {
	found, err := messagesOf(tx, setOf([]uint64{n}))
	if err != nil || len(found) == 0 {
		return store.Signature{ID: in.Signature, Title: in.Title, Format: in.Format, Source: in.Source, Recovers: in.Recovers}
	}
	return found[0].Reading.Signature
}

// relocate moves the rows of copies to their homes, and counts anew what that
// touches, and some incidents more.
func (l *Ledger) relocate(tx Tx, moves []home, g *regrouping, more ...*incident) {
	touched := make(map[*incident]bool)
	for _, i := range more {
		touched[i] = true
	}
	for _, m := range moves {
		if m.from == m.to {
			continue
		}
		for n := range roaring64.Values(m.set) {
			if l.row(n) != nil {
				touched[l.rehome(n, m.to)], touched[m.to] = true, true
			}
		}
	}
	l.recast(tx, touched, g)
}

// recast counts incidents anew, as a restore would. What it needs and was not
// read before is read now; if that fails, the counts stay as they are.
func (l *Ledger) recast(tx Tx, touched map[*incident]bool, g *regrouping) {
	if len(touched) == 0 {
		return
	}
	tallies, wanted := make([]*tally, len(l.incidents.items)), make([]bool, len(l.incidents.items))
	for i := range touched {
		tallies[i.index], wanted[i.index] = restored(i.Came), true
	}
	l.retell(touched)
	if err := g.learn(context.Background(), tx, l.numbersOf(wanted, 0, fates)); err != nil {
		return
	}
	for _, s := range l.segments {
		for k := range s.rows {
			f, known := g.facts[s.first+uint64(k)]
			if t := tallies[s.rows[k].incident]; t != nil && known {
				t.take(f.accepted, f.reports, l.limits.Objects)
			}
		}
	}
	for i := range touched {
		i.came, i.seen = tallies[i.index], nil
		i.purges++
	}
}

// retell finds out anew which incidents digests told, and which open notices
// are about.
func (l *Ledger) retell(touched map[*incident]bool) {
	for i := range touched {
		i.told, i.since, i.pinned = false, false, 0
	}
	for _, r := range l.each(l.fates[told]) {
		if i := l.incidents.get(r.incident); touched[i] {
			if w := l.owners.byIndex[r.in]; w != nil && w.batch != nil {
				i.tells(w.batch)
			}
		}
	}
	for _, b := range l.batches {
		about := l.about(b, touched)
		for _, i := range about {
			if b.Kind == store.KindDigest {
				i.tells(b)
			} else {
				i.pinned++
			}
		}
	}
}

// about are those of some incidents that an open notice is about, or that a
// digest which came back had told.
func (l *Ledger) about(b *batch, some map[*incident]bool) []*incident {
	notice := b.Kind == store.KindNotice && b.Open()
	returned := b.Kind == store.KindDigest && !b.Returned.IsZero()
	if !notice && !returned || b.set == nil {
		return nil
	}
	return slices.DeleteFunc(l.incidentsIn(b.set), func(i *incident) bool { return !some[i] })
}

// tells notes that a digest told it.
func (i *incident) tells(b *batch) {
	i.told = true
	i.since = i.since || b.sequence > i.Sequence
}
