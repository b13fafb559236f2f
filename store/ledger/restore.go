package ledger

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// Restore rebuilds a ledger from kept records: first everything but messages,
// in any order, then Message for every kept message in order of number, then
// Finish. It reads what [Writer] wrote.
type Restore struct {
	ledger     *Ledger
	rules      map[string]store.Rule
	incidents  []Incident
	operations []Operation
	batches    []Batch
	moves      []Moves
	books      []*batch // in order of sequence
	endings    map[uint64]Ending
	ready      bool
}

// NewRestore begins a restore.
func NewRestore(limits store.Limits) *Restore {
	return &Restore{ledger: New(limits), rules: make(map[string]store.Rule), endings: make(map[uint64]Ending)}
}

// Head gives the head back.
func (r *Restore) Head(h Head) { r.ledger.head = h }

// Seal gives a seal back; seals come in order of Sequence.
func (r *Restore) Seal(s store.Seal) {
	r.ledger.sealOn(s)
	r.ledger.next = max(r.ledger.next, s.Last+1)
}

// Reader gives a reader back.
func (r *Restore) Reader(s store.Reader) { r.ledger.reader(s.Name).Reader = s }

// Rule gives a rule back.
func (r *Restore) Rule(s store.Rule) {
	r.rules[s.ID] = s
	r.ledger.head.Version = max(r.ledger.head.Version, s.Version)
}

// Incident gives an incident back.
func (r *Restore) Incident(i Incident) { r.incidents = append(r.incidents, i) }

// Operation gives an operation back. The restore takes the Set over.
func (r *Restore) Operation(o Operation) { r.operations = append(r.operations, o) }

// Batch gives a batch back. The restore takes the Set over.
func (r *Restore) Batch(b Batch) { r.batches = append(r.batches, b) }

// Progress gives a copy's progress back.
func (r *Restore) Progress(number uint64, p store.Progress) { r.ledger.progress[number] = p }

// Ending gives a copy's ending back.
func (r *Restore) Ending(number uint64, e Ending) { r.endings[number] = e }

// Slot gives a slot back.
func (r *Restore) Slot(s store.Slot) {
	r.ledger.slots.add(&s)
	r.ledger.gate(max(s.Began, s.Ended))
}

// Key gives the key of a message that was removed back.
func (r *Restore) Key(k Key) { r.ledger.keys[k.Key] = k.Dropped }

// Message gives a message back, with the segment it was kept in. An error
// wraps ErrCorrupt: the message contradicts other records and counts as lost.
func (r *Restore) Message(segment uint64, m *store.Message) error {
	r.prepare()
	l := r.ledger
	s := r.segment(segment, m)
	for k := range m.Copies {
		c := &m.Copies[k]
		if c.Number < s.end() {
			return fmt.Errorf("message %s: copy %d comes after copy %d: %w", m.ID, c.Number, s.end()-1, store.ErrCorrupt)
		}
		s.lose(c.Number)
		i := l.incidentBack(c, m)
		l.enter(s, m, c, i)
		l.place(c.Number, m, i, nil)
		for _, o := range l.catchers(*c) {
			l.cover(o, c.Number)
		}
		if o := l.operation[c.Grouped]; o != nil {
			l.cover(o, c.Number)
			o.groups.Add(c.Number)
		}
	}
	return nil
}

// incidentBack is the incident that a kept copy belongs to. Where its record
// was lost it begins with that copy.
func (l *Ledger) incidentBack(c *store.Copy, m *store.Message) *incident {
	if c.Class != store.Alert {
		return nil
	}
	if w := l.homes[c.Number]; w.in != nil {
		w.came = l.byIncident[c.Incident]
		l.homes[c.Number] = w
		return w.in
	}
	if i := l.byIncident[c.Incident]; i != nil {
		return i
	}
	i := newIncident(c.Incident, c.Reader, m.Reading.Signature.ID, m.Reading.Signature, c.Number, m.Accepted)
	l.enlist(i, l.reader(c.Reader))
	return i
}

// lose fills a segment up to a number with copies that cannot be read.
func (s *segment) lose(to uint64) {
	for s.end() < to {
		s.lost = append(s.lost, s.end())
		s.rows = append(s.rows, row{fate: lost})
	}
}

// Lost tells of a message that cannot be read: its numbers are not given again.
// What else is known of its copies is dropped, and an audit tells of them.
func (r *Restore) Lost(first uint64) { r.ledger.next = max(r.ledger.next, first+margin) }

// margin is more than the copies that any message has.
const margin = 1 << 16

// segment is the segment of the next message.
func (r *Restore) segment(first uint64, m *store.Message) *segment {
	if n := len(r.ledger.segments); n > 0 && r.ledger.segments[n-1].first == first {
		return r.ledger.segments[n-1]
	}
	return &segment{first: first, hour: m.Accepted.Truncate(r.ledger.limits.Segment)}
}

// prepare enters what messages refer to.
func (r *Restore) prepare() {
	if r.ready {
		return
	}
	r.ready = true
	l := r.ledger
	slices.SortFunc(r.incidents, func(a, b Incident) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, i := range r.incidents {
		l.enlist(&incident{Incident: i}, l.reader(i.Reader))
		l.head.Sequence = max(l.head.Sequence, i.Sequence)
	}
	l.realias()
	slices.SortFunc(r.operations, func(a, b Operation) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, o := range r.operations {
		r.file(o)
	}
	r.moveIn()
	slices.SortFunc(r.batches, func(a, b Batch) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, b := range r.batches {
		book := &batch{Batch: b.Batch, sequence: b.Sequence, set: orEmpty(b.Set)}
		l.enroll(book)
		l.head.Sequence = max(l.head.Sequence, b.Sequence)
		r.books = append(r.books, book)
	}
	r.incidents, r.operations, r.batches = nil, nil, nil
}

func orEmpty(set *Set) *Set {
	if set == nil {
		return roaring64.New()
	}
	return set
}

// file enters an operation with the rule that it left.
func (r *Restore) file(o Operation) {
	l := r.ledger
	book := &operation{
		Operation: o.Operation, sequence: o.Sequence, rule: r.rule(o.Operation),
		covers: orEmpty(o.Set), caught: roaring64.New(), groups: roaring64.New(),
	}
	book.effect = effectOf(book.Kind, book.rule)
	l.head.Sequence = max(l.head.Sequence, o.Sequence)
	l.file(book)
}

// rule is the rule that an operation left, nil if it left none.
func (r *Restore) rule(o store.Operation) *rule {
	kept, ok := r.rules[o.Rule]
	if !ok || kept.Operation != o.ID {
		return nil
	}
	f, err := filter.Parse(kept.Filter)
	return &rule{Rule: kept, filter: f, broken: err != nil}
}

// Finish settles what was read and returns the ledger.
func (r *Restore) Finish() *Ledger {
	r.prepare()
	l := r.ledger
	all := l.all()
	for _, o := range l.operations {
		o.covers.And(all)
		for _, m := range slices.Concat(o.moves, o.back) {
			m.set.And(all)
		}
	}
	l.settleHomes(nil)
	for _, o := range l.operations {
		for _, m := range o.moves {
			o.groups.Or(m.set)
		}
		o.coverBack()
	}
	for _, b := range r.books {
		b.set.And(all)
		r.replay(b)
	}
	r.end()
	rest := roaring64.AndNot(all, l.ended)
	l.settle(rest)
	return l
}

// replay lets a batch take the copies that it holds, told, or showed.
func (r *Restore) replay(b *batch) {
	l := r.ledger
	switch {
	case b.Open():
		l.move(b.set, flight, b.index)
		if b.Kind == store.KindNotice {
			l.announcing(b, 1)
		}
		if b.Kind == store.KindDigest {
			l.reader(b.Reader).digest = b
		}
	case b.Kind == store.KindDigest && b.tells():
		set := b.set
		l.tell(b)
		if !b.Returned.IsZero() {
			l.bringBack(b, set)
		}
	case b.Kind == store.KindNotice && b.showed():
		l.show(b)
	default:
		b.set = nil
	}
}

// end gives single copies their endings.
func (r *Restore) end() {
	l := r.ledger
	indices := make(map[uint64]uint32)
	for _, b := range r.books {
		indices[b.sequence] = b.index
	}
	type group struct {
		fate fate
		in   uint32
	}
	groups := make(map[group]*Set)
	for n, e := range r.endings {
		s := l.holding(n)
		to, known := fateOf(e.Fate)
		if s == nil || !known {
			continue // its message was lost
		}
		s.ended = later(s.ended, e.At)
		g := group{to, indices[e.In]}
		if groups[g] == nil {
			groups[g] = roaring64.New()
		}
		groups[g].Add(n)
	}
	for g, set := range groups {
		l.ended.Or(set)
		l.move(set, g.fate, g.in)
	}
}
