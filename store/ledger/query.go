package ledger

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// page is how many copies are read at a time: between pages no lock is held
// and no Source is open.
const page = 256

// Copies yields what the query selects, in order of acceptance.
func (r *Reads) Copies(ctx context.Context, q store.Query) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		f, err := parse(q.Filter)
		if err != nil {
			yield(store.Entry{}, err)
			return
		}
		var set *Set
		r.locked(func(l *Ledger) { set = l.candidates(q, f) })
		for !set.IsEmpty() {
			read, err := r.page(ctx, set)
			if err != nil {
				yield(store.Entry{}, err)
				return
			}
			for e, err := range r.entries(read) {
				if (err != nil || f.Match(e, q.At, r.body(e))) && !yield(e, err) {
					return
				}
			}
		}
	}
}

// Count is how many copies a query selects, if sets tell.
func (r *Reads) Count(ctx context.Context, q store.Query) (n uint64, known bool, err error) {
	f, err := parse(q.Filter)
	if err != nil {
		return 0, false, err
	}
	r.locked(func(l *Ledger) {
		if known = l.decided(f); known {
			n = l.candidates(q, f).GetCardinality()
		}
	})
	return n, known, ctx.Err()
}

// decided reports whether candidates leaves nothing for the filter to decide.
func (l *Ledger) decided(f filter.Filter) bool {
	for _, key := range f.Keys() {
		values := f.Values(key)
		if key == "fate" || key == "id" && l.knows(values) || (key == "reader" || key == "incident") && exact(values) {
			continue
		}
		return false
	}
	return true
}

// body reads an entry's body when a filter asks for it.
func (r *Reads) body(e store.Entry) func() []byte {
	return func() (body []byte) {
		_ = r.source(func(src Source) error { // what cannot be read matches nothing
			body = bodyOf(src, e.Message)()
			return nil
		})
		return body
	}
}

// page reads the first copies of a set, and takes them out of it.
func (r *Reads) page(ctx context.Context, set *Set) ([]found, error) {
	var read []found
	err := r.source(func(src Source) error {
		for f, err := range visitAll(ctx, src, nil, set) {
			if err != nil {
				return err
			}
			read = append(read, f)
			if len(read) >= page && f.damage == nil {
				set.RemoveRange(0, f.copy.Number+1)
				return nil
			}
		}
		set.Clear()
		return nil
	})
	return read, err
}

// entries completes what was read, and tells of damage. What was removed
// meanwhile is left out.
func (r *Reads) entries(read []found) iter.Seq2[store.Entry, error] {
	entries := make([]store.Entry, len(read))
	r.locked(func(l *Ledger) {
		for k, f := range read {
			if row := l.row(f.copy.Number); row != nil {
				entries[k] = l.entry(f, row)
			}
		}
	})
	return func(yield func(store.Entry, error) bool) {
		for k, f := range read {
			if f.damage == nil && entries[k].Message == nil {
				continue
			}
			if !yield(entries[k], f.damage) {
				return
			}
		}
	}
}

func (l *Ledger) entry(f found, r *row) store.Entry {
	n := f.copy.Number
	e := store.Entry{
		Message: f.message, Copy: l.effective(l.homes.at(f.copy)), Fate: r.fate.name(),
		In: l.owners.byIndex[r.in].id(), Progress: l.progress[n],
	}
	if b := l.shown[n]; b != 0 {
		e.Shown = l.owners.byIndex[b].id()
	}
	return e
}

// candidates are the copies that a query may select, as far as sets tell.
func (l *Ledger) candidates(q store.Query, f filter.Filter) *Set {
	set := l.all()
	if fates := f.Values("fate"); fates != nil {
		set.And(l.ofFates(fates))
	}
	if readers := f.Values("reader"); exact(readers) {
		set.And(l.ofReaders(readers))
	}
	if incidents := f.Values("incident"); exact(incidents) {
		set.And(l.ofIncidents(incidents))
	}
	if ids := f.Values("id"); len(ids) > 0 && l.knows(ids) {
		set.And(l.ofIDs(ids))
	}
	if len(q.Numbers) > 0 {
		set.And(setOf(q.Numbers))
	}
	if q.Batch != "" {
		set.And(l.ofBatch(q.Batch))
	}
	if q.Operation != "" {
		set.And(l.ofOperation(q.Operation))
	}
	if len(q.IDs) > 0 {
		set.And(l.ofIDs(q.IDs))
	}
	if q.After > 0 {
		set.RemoveRange(0, q.After+1)
	}
	return set
}

// all are the kept copies.
func (l *Ledger) all() *Set {
	set := roaring64.New()
	for _, s := range l.segments {
		set.AddRange(s.first, s.end())
		for _, n := range s.lost {
			set.Remove(n)
		}
	}
	return set
}

func (l *Ledger) ofFates(names []string) *Set {
	set := roaring64.New()
	for _, name := range names {
		if f, ok := fateOf(store.Fate(name)); ok {
			set.Or(l.fates[f])
		}
	}
	return set
}

// exact reports whether there are values, none of which is a pattern.
func exact(values []string) bool {
	for _, v := range values {
		if strings.ContainsAny(v, "*") || strings.HasPrefix(v, "@") || v == "<>" {
			return false
		}
	}
	return len(values) > 0
}

func (l *Ledger) ofReaders(names []string) *Set {
	set := roaring64.New()
	for _, name := range names {
		if r := l.byReader[name]; r != nil {
			set.Or(r.mine)
		}
	}
	return set
}

func (l *Ledger) ofIncidents(ids []string) *Set {
	for k, id := range ids {
		ids[k] = strings.ToLower(id)
	}
	wanted := make([]bool, len(l.incidents.items)+1)
	low := l.next
	for _, i := range l.incidentsBy(ids) {
		wanted[i.index] = true
		low = min(low, i.low)
	}
	return l.numbersOf(wanted, low, fates)
}

func (l *Ledger) ofBatch(id string) *Set {
	if b := l.batches[id]; b != nil {
		return l.copies(b)
	}
	return roaring64.New()
}

func (l *Ledger) ofOperation(id string) *Set {
	if o := l.operation[id]; o != nil {
		return o.covers
	}
	return roaring64.New()
}

// knows reports whether every id is kept as written: filters also match ids
// in other letters.
func (l *Ledger) knows(ids []string) bool {
	for _, id := range ids {
		if l.messages[refOf(id)] == 0 && l.copyNumber(id) == 0 {
			return false
		}
	}
	return true
}

// ofIDs are the copies of the messages that ids of copies or messages name.
func (l *Ledger) ofIDs(ids []string) *Set {
	set := roaring64.New()
	for _, id := range ids {
		if first := l.messages[refOf(id)]; first != 0 {
			_, end := l.message(first)
			set.AddRange(first, end)
		}
		if n := l.copyNumber(id); n != 0 {
			set.Add(n)
		}
	}
	return set
}

// copyNumber is the number of a copy by its id, 0 if it is not kept.
func (l *Ledger) copyNumber(id string) uint64 {
	dot := strings.LastIndexByte(id, '.')
	if dot < 0 {
		return 0
	}
	index, err := strconv.ParseUint(id[dot+1:], 10, 32)
	first := l.messages[refOf(id[:dot])]
	if err != nil || first == 0 || index == 0 {
		return 0
	}
	if _, end := l.message(first); first+index-1 < end {
		return first + index - 1
	}
	return 0
}
