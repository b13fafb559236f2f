package memory

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"lull/store"
	"lull/store/ledger"
)

// records are the maps that a command writes and a read looks into.
type records struct {
	mu         sync.RWMutex // around each single access
	segments   map[uint64]uint64
	messages   map[uint64]*store.Message // by number of the first copy
	order      []uint64                  // those numbers; replaced, not changed, when some go
	bodies     map[uint64][]byte
	progress   map[uint64]store.Progress
	endings    map[uint64]ledger.Ending
	batches    map[uint64]ledger.Batch
	mails      map[string][]byte
	operations map[uint64]ledger.Operation
	moves      map[uint64]ledger.Moves
	rules      map[string]store.Rule
	slots      map[string]store.Slot
	readers    map[string]store.Reader
	incidents  map[string]ledger.Incident
	keys       map[string]ledger.Key
	seals      []store.Seal
	head       ledger.Head
}

var _ ledger.Tx = (*records)(nil)

func newRecords() *records {
	return &records{
		segments: make(map[uint64]uint64), messages: make(map[uint64]*store.Message), bodies: make(map[uint64][]byte),
		progress: make(map[uint64]store.Progress), endings: make(map[uint64]ledger.Ending),
		batches: make(map[uint64]ledger.Batch), mails: make(map[string][]byte), operations: make(map[uint64]ledger.Operation),
		moves: make(map[uint64]ledger.Moves),
		rules: make(map[string]store.Rule), slots: make(map[string]store.Slot), readers: make(map[string]store.Reader),
		incidents: make(map[string]ledger.Incident), keys: make(map[string]ledger.Key),
	}
}

// put and drop change one map.
func put[K comparable, V any](r *records, m map[K]V, key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m[key] = value
}

func drop[K comparable, V any](r *records, m map[K]V, key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(m, key)
}

// Messages yields the messages that were kept when it was called.
func (r *records) Messages(from uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		r.mu.RLock()
		order := r.order
		r.mu.RUnlock()
		at, exact := slices.BinarySearch(order, from)
		if !exact && at > 0 {
			at-- // it may hold from
		}
		for _, first := range order[at:] {
			r.mu.RLock()
			m := r.messages[first]
			r.mu.RUnlock()
			if m != nil && m.Copies[len(m.Copies)-1].Number >= from && !yield(m, nil) {
				return
			}
		}
	}
}

// Body is a message as received.
func (r *records) Body(first uint64) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	body, ok := r.bodies[first]
	if !ok {
		return nil, fmt.Errorf("body %d: %w", first, store.ErrNotFound)
	}
	return body, nil
}

// Mail is what is kept for an open batch.
func (r *records) Mail(batch string) ([]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.mails[batch], nil
}

// Slots yields the slots.
func (r *records) Slots() iter.Seq2[store.Slot, error] {
	r.mu.RLock()
	all := slices.SortedFunc(maps.Values(r.slots), func(a, b store.Slot) int {
		return cmp.Or(cmp.Compare(a.Began, b.Began), cmp.Compare(a.ID, b.ID))
	})
	r.mu.RUnlock()
	return each(all)
}

// Seals yields the seals.
func (r *records) Seals() iter.Seq2[store.Seal, error] {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return each(r.seals)
}

func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range all {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Close does nothing: maps need no closing.
func (r *records) Close() {}

// PutMessage keeps a message and its body.
func (r *records) PutMessage(segment uint64, m *store.Message, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := m.Copies[0].Number
	if r.messages[first] == nil {
		r.order = append(r.order, first)
	}
	r.messages[first], r.segments[first] = m, segment
	if body != nil {
		r.bodies[first] = body
	}
}

// DropBody removes a body.
func (r *records) DropBody(_, first uint64) { drop(r, r.bodies, first) }

// DropSegment removes the messages of a segment and what belongs to their copies.
func (r *records) DropSegment(segment, first, last uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := first; n <= last; n++ {
		delete(r.messages, n)
		delete(r.segments, n)
		delete(r.bodies, n)
		delete(r.progress, n)
		delete(r.endings, n)
	}
	var kept []uint64
	for _, n := range r.order {
		if n < first || n > last {
			kept = append(kept, n)
		}
	}
	r.order = kept
}

// PutBatch keeps a batch, with its set the first time.
func (r *records) PutBatch(b ledger.Batch) {
	if b.Set == nil {
		b.Set = r.batches[b.Sequence].Set
	}
	put(r, r.batches, b.Sequence, b)
}

// PutOperation keeps an operation, with its set the first time.
func (r *records) PutOperation(o ledger.Operation) {
	if o.Set == nil {
		o.Set = r.operations[o.Sequence].Set
	}
	put(r, r.operations, o.Sequence, o)
}

// PutMail keeps the bytes of an open batch.
func (r *records) PutMail(batch string, mail []byte) {
	if mail == nil {
		drop(r, r.mails, batch)
		return
	}
	put(r, r.mails, batch, mail)
}

// PutSeal adds a seal.
func (r *records) PutSeal(s store.Seal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seals = append(r.seals, s)
}

// PutHead replaces the head.
func (r *records) PutHead(h ledger.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head = h
}

// The rest is one map each.

func (r *records) PutProgress(number uint64, p store.Progress) { put(r, r.progress, number, p) }
func (r *records) PutEnding(number uint64, e ledger.Ending)    { put(r, r.endings, number, e) }
func (r *records) DropBatch(sequence uint64)                   { drop(r, r.batches, sequence) }
func (r *records) DropOperation(sequence uint64)               { drop(r, r.operations, sequence) }
func (r *records) PutMoves(m ledger.Moves)                     { put(r, r.moves, m.Sequence, m) }
func (r *records) DropMoves(sequence uint64)                   { drop(r, r.moves, sequence) }
func (r *records) PutRule(rule store.Rule)                     { put(r, r.rules, rule.ID, rule) }
func (r *records) DropRule(id string)                          { drop(r, r.rules, id) }
func (r *records) PutSlot(s store.Slot)                        { put(r, r.slots, s.ID, s) }
func (r *records) DropSlot(s store.Slot)                       { drop(r, r.slots, s.ID) }
func (r *records) PutReader(reader store.Reader)               { put(r, r.readers, reader.Name, reader) }
func (r *records) DropReader(name string)                      { drop(r, r.readers, name) }
func (r *records) PutIncident(i ledger.Incident)               { put(r, r.incidents, i.ID, i) }
func (r *records) DropIncident(id string)                      { drop(r, r.incidents, id) }
func (r *records) PutKey(k ledger.Key)                         { put(r, r.keys, k.Key, k) }
func (r *records) DropKey(key string)                          { drop(r, r.keys, key) }
