package ledger

import (
	"fmt"
	"slices"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// batch is one batch in the books.
type batch struct {
	store.Batch
	sequence uint64
	index    uint32
	// set are its copies: while it is open, and afterwards where they are
	// not the rows that it owns: those that a notice showed, those that came back.
	set *Set
}

// draft is a batch that may be made, with what it would take.
type draft struct {
	store.Batch
	set    *Set
	reader *reader
}

// Cut takes copies into a new batch.
func (l *Ledger) Cut(tx Tx, c store.Cut) (store.Taken, error) {
	if b := l.batches[c.ID]; b != nil {
		return l.taken(tx, b)
	}
	if err := l.current(c.Term); err != nil {
		return store.Taken{}, err
	}
	d, err := l.draft(c)
	if err != nil {
		return store.Taken{}, err
	}
	if err := l.recount(tx, l.incidentsIn(d.set)); err != nil {
		return store.Taken{}, err
	}
	l.follow(tx, c.Term)
	return l.taken(tx, l.cut(tx, c, d))
}

// draft checks a cut and finds what it takes.
func (l *Ledger) draft(c store.Cut) (draft, error) {
	d := draft{Batch: store.Batch{ID: c.ID, Kind: c.Kind, Reader: c.Reader, To: c.To, At: c.At}}
	if c.ID == "" || c.At.IsZero() {
		return d, fmt.Errorf("batch %q without id or time: %w", c.ID, store.ErrInvalid)
	}
	var err error
	switch c.Kind {
	case store.KindDigest:
		err = l.draftDigest(&d)
	case store.KindNotice, store.KindPass, store.KindDSN:
		d.set, err = l.named(c)
	default:
		err = fmt.Errorf("batch %s of kind %q: %w", c.ID, c.Kind, store.ErrInvalid)
	}
	if err != nil {
		return d, err
	}
	d.Copies, d.Incidents = int(d.set.GetCardinality()), len(l.incidentsIn(d.set))
	return d, nil
}

// draftDigest takes every waiting alert copy of a reader.
func (l *Ledger) draftDigest(d *draft) error {
	if d.Reader == "" {
		return fmt.Errorf("digest %s for no reader: %w", d.ID, store.ErrInvalid)
	}
	d.reader = l.byReader[d.Reader]
	if d.reader == nil {
		return fmt.Errorf("digest %s for %s: %w", d.ID, d.Reader, store.ErrNothing)
	}
	if open := d.reader.digest; open != nil {
		return fmt.Errorf("digest %s for %s: %s is open: %w", d.ID, d.Reader, open.ID, store.ErrPinned)
	}
	if d.set = l.waitingAlerts(d.reader); d.set.IsEmpty() {
		return fmt.Errorf("digest %s for %s: %w", d.ID, d.Reader, store.ErrNothing)
	}
	return nil
}

// named are the copies that a cut names. All must wait, and be of its class.
func (l *Ledger) named(c store.Cut) (*Set, error) {
	set := setOf(c.Numbers)
	if set.IsEmpty() && c.Kind == store.KindPass {
		return nil, fmt.Errorf("batch %s: %w", c.ID, store.ErrNothing)
	}
	for n, r := range l.each(set) {
		if r.fate != waiting {
			return nil, fmt.Errorf("batch %s: copy %d is %s: %w", c.ID, n, r.fate.name(), store.ErrGone)
		}
		if l.alerts.Contains(n) != (c.Kind == store.KindNotice) {
			return nil, fmt.Errorf("batch %s: copy %d is of another class: %w", c.ID, n, store.ErrGone)
		}
	}
	for _, n := range c.Numbers {
		if !l.kept(n) {
			return nil, fmt.Errorf("batch %s: copy %d is not kept: %w", c.ID, n, store.ErrGone)
		}
	}
	return set, nil
}

// cut makes a batch that was checked.
func (l *Ledger) cut(tx Tx, c store.Cut, d draft) *batch {
	b := &batch{Batch: d.Batch, sequence: l.sequence(), set: d.set}
	l.enroll(b)
	l.move(b.set, flight, b.index)
	tx.PutBatch(Batch{Sequence: b.sequence, Batch: b.Batch, Set: b.set.Clone()})
	switch b.Kind {
	case store.KindDigest:
		d.reader.digest = b
		if !c.Next.IsZero() {
			d.reader.Next = c.Next
			tx.PutReader(d.reader.Reader)
		}
	case store.KindNotice:
		l.announcing(b, 1)
	}
	return b
}

// enroll puts a batch into the books.
func (l *Ledger) enroll(b *batch) {
	b.index = l.owners.add(&owner{batch: b})
	l.batches[b.ID] = b
	if b.Open() {
		l.underway[b.ID] = b
	}
}

// announcing counts the open notices of a batch's incidents.
func (l *Ledger) announcing(b *batch, by int) {
	for _, i := range l.incidentsIn(b.set) {
		i.pinned += by
	}
}

// keep writes a batch without its set.
func (b *batch) keep(tx Tx) { tx.PutBatch(Batch{Sequence: b.sequence, Batch: b.Batch}) }

// copies are the copies that a batch holds, told, or showed.
func (l *Ledger) copies(b *batch) *Set {
	if b.set != nil {
		return b.set
	}
	set := roaring64.New()
	for _, s := range l.segments {
		for k, r := range s.rows {
			if r.in == b.index {
				set.Add(s.first + uint64(k))
			}
		}
	}
	return set
}

// taken is the answer to a cut: the batch with its incidents.
func (l *Ledger) taken(tx Tx, b *batch) (store.Taken, error) {
	lately := make(map[uint32]int)
	for _, r := range l.each(l.copies(b)) {
		lately[r.incident]++
	}
	incidents := l.incidentsIn(l.copies(b))
	if err := l.recount(tx, incidents); err != nil {
		return store.Taken{}, err
	}
	taken := store.Taken{Batch: b.Batch}
	for _, i := range incidents {
		t := l.telling(i, b.At)
		t.Lately = lately[i.index]
		taken.Incidents = append(taken.Incidents, t)
	}
	return taken, nil
}

// incidentsIn are the incidents of some copies, in order of opening.
func (l *Ledger) incidentsIn(set *Set) []*incident {
	seen := make(map[uint32]bool)
	var all []*incident
	for _, r := range l.each(set) {
		if r.incident != 0 && !seen[r.incident] {
			seen[r.incident] = true
			all = append(all, l.incidents.get(r.incident))
		}
	}
	slices.SortFunc(all, byOpening)
	return all
}
