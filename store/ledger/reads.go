package ledger

import (
	"context"
	"fmt"
	"iter"
	"time"

	"lull/store"
)

// Reads are the reads of [store.Reads], all of them, over a ledger and the
// records of its engine. Status leaves Bytes to the engine.
type Reads struct {
	ledger *Ledger
	open   func() (Source, error)
	settle func()
}

// NewReads returns the reads. open gives a Source as of now: everything that
// was committed before the ledger's lock was last released. It may be called
// with the ledger's lock held. settle is called before each read, without it:
// when it returns, the ledger has everything that was accepted before the read.
func NewReads(l *Ledger, open func() (Source, error), settle func()) *Reads {
	return &Reads{ledger: l, open: open, settle: settle}
}

// source runs f with the records as of now. f must not take the ledger's lock.
func (r *Reads) source(f func(Source) error) error {
	src, err := r.open()
	if err != nil {
		return err
	}
	defer src.Close()
	return f(src)
}

// locked runs f with the ledger's lock held for reading.
func (r *Reads) locked(f func(*Ledger)) {
	r.settle()
	r.ledger.RLock()
	defer r.ledger.RUnlock()
	f(r.ledger)
}

// Status is the whole at a glance.
func (r *Reads) Status(ctx context.Context, now time.Time) (store.Status, error) {
	var s store.Status
	var oldest uint64
	r.locked(func(l *Ledger) { s, oldest = l.status(now) })
	if oldest == 0 {
		return s, ctx.Err()
	}
	err := r.source(func(src Source) error {
		for f, err := range visit(ctx, src, nil, setOf([]uint64{oldest})) {
			if err != nil {
				return err
			}
			s.Oldest = f.message.Accepted
		}
		return nil
	})
	return s, err
}

// status counts, and names the waiting copy with the lowest number.
func (l *Ledger) status(now time.Time) (store.Status, uint64) {
	s := store.Status{
		Accepted: l.next - 1, Fates: make(map[store.Fate]uint64),
		Gate: l.head.Gate, Term: l.head.Term, Uncertain: l.head.Uncertain,
	}
	for f := range fates {
		s.Fates[f.name()] = l.fates[f].GetCardinality() + l.sealed[f.name()]
	}
	for _, i := range l.incidents.items {
		if i != nil && i.visible() > 0 && i.closed(now, l.limits).IsZero() {
			s.IncidentsOpen++
		}
	}
	for _, r := range l.byReader {
		if l.shows(r) {
			s.Readers++
		}
	}
	if l.fates[waiting].IsEmpty() {
		return s, 0
	}
	return s, l.fates[waiting].Minimum()
}

// messagesOf are the messages of some copies.
func messagesOf(src Source, set *Set) ([]*store.Message, error) {
	var all []*store.Message
	for f, err := range visit(context.Background(), src, nil, set) {
		if err != nil {
			return nil, err
		}
		if n := len(all); n == 0 || all[n-1].ID != f.message.ID {
			all = append(all, f.message)
		}
	}
	return all, nil
}

// Body is the message as received.
func (r *Reads) Body(ctx context.Context, message string) ([]byte, error) {
	var first uint64
	r.locked(func(l *Ledger) { first = l.messages[refOf(message)] })
	if first == 0 {
		return nil, fmt.Errorf("message %s: %w", message, store.ErrNotFound)
	}
	var body []byte
	err := r.source(func(src Source) (err error) {
		body, err = src.Body(first)
		return err
	})
	return body, err
}

// Readers yields readers by name.
func (r *Reads) Readers(ctx context.Context) iter.Seq2[store.Reader, error] {
	return func(yield func(store.Reader, error) bool) {
		var all []string
		r.locked(func(l *Ledger) { all = names(l.byReader) })
		for _, name := range all {
			s, err := r.Reader(ctx, name)
			if err == nil && !yield(s, nil) {
				return
			}
		}
	}
}

// Reader is one reader that has a live copy, a plan or a refusal.
func (r *Reads) Reader(ctx context.Context, name string) (store.Reader, error) {
	r.settle()
	r.ledger.RLock()
	defer r.ledger.RUnlock()
	found := r.ledger.byReader[name]
	if found == nil || !r.ledger.shows(found) {
		return store.Reader{}, fmt.Errorf("reader %s: %w", name, store.ErrNotFound)
	}
	return r.ledger.reading(found), nil
}

// Usage is what of the budgets is taken.
func (r *Reads) Usage(_ context.Context, reader, to string, gate, window time.Duration) (store.Usage, error) {
	r.settle()
	r.ledger.RLock()
	defer r.ledger.RUnlock()
	return r.ledger.slots.usage(reader, to, max(gate, r.ledger.head.Gate), window), nil
}

// Slots yields the kept slots.
func (r *Reads) Slots(ctx context.Context) iter.Seq2[store.Slot, error] {
	return func(yield func(store.Slot, error) bool) {
		var all []store.Slot
		err := r.source(func(src Source) error {
			for s, err := range src.Slots() {
				if err != nil {
					return err
				}
				all = append(all, s)
			}
			return nil
		})
		if err != nil {
			yield(store.Slot{}, err)
			return
		}
		for _, s := range all {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// Operations yields operations in the order of their commits.
func (r *Reads) Operations(context.Context) iter.Seq2[store.Operation, error] {
	var all []store.Operation
	r.locked(func(l *Ledger) {
		gone := l.gone()
		for _, o := range l.operations {
			all = append(all, l.lasting(o, gone))
		}
	})
	return listed(all)
}

// Rules yields rules in the order of their operations.
func (r *Reads) Rules(context.Context) iter.Seq2[store.Rule, error] {
	var all []store.Rule
	r.locked(func(l *Ledger) {
		for _, rule := range l.rules {
			told := rule.Rule
			told.Caught = rule.operation.telling().Caught
			all = append(all, told)
		}
	})
	return listed(all)
}

// listed yields what was gathered.
func listed[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range all {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Known reports whether Accept would answer a message of that key with
// store.ErrKnown.
func (r *Reads) Known(key string) bool {
	var known bool
	r.locked(func(l *Ledger) { _, known = l.keys[key] })
	return known && key != ""
}
