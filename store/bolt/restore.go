package bolt

import (
	"fmt"
	"runtime"

	"go.etcd.io/bbolt"

	"lull/store"
	"lull/store/ledger"
)

// restore rebuilds the ledger from the file. Damaged records are left out and
// remembered.
func (s *Store) restore() (l *ledger.Ledger, err error) {
	r := ledger.NewRestore(s.options.Limits)
	err = s.db.View(func(tx *bbolt.Tx) error {
		l := loader{source: s.source(tx), damage: &s.damage}
		s.dropped.Store(l.dropped())
		s.swept = true
		l.small(r)
		l.segments(r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	return r.Finish(), nil
}

// loader gives a ledger its records back.
type loader struct {
	source
	damage *[]error
}

func (l loader) note(bucket string, err error) {
	if err != nil {
		*l.damage = append(*l.damage, fmt.Errorf("%s: %w", bucket, err))
	}
}

// small gives everything back that is in no segment.
func (l loader) small(r *ledger.Restore) {
	each(l, headBucket, func(_ []byte, h ledger.Head) { r.Head(h) })
	each(l, sealsBucket, func(_ []byte, s store.Seal) { r.Seal(s) })
	each(l, readersBucket, func(_ []byte, s store.Reader) { r.Reader(s) })
	each(l, rulesBucket, func(_ []byte, s store.Rule) { r.Rule(s) })
	each(l, incidentsBucket, func(_ []byte, i ledger.Incident) { r.Incident(i) })
	each(l, slotsBucket, func(_ []byte, s store.Slot) { r.Slot(s) })
	each(l, keysBucket, func(_ []byte, k ledger.Key) { r.Key(k) })
	each(l, operationsBucket, func(k []byte, o store.Operation) {
		r.Operation(ledger.Operation{Sequence: fromNumber(k), Operation: o, Set: l.set(operationSets, k)})
	})
	each(l, movesBucket, func(_ []byte, m ledger.Moves) { r.Moves(m) })
	each(l, batchesBucket, func(k []byte, b store.Batch) {
		r.Batch(ledger.Batch{Sequence: fromNumber(k), Batch: b, Set: l.set(batchSets, k)})
	})
}

// each decodes the records of one bucket, if there is such a bucket.
func each[T any](l loader, bucket string, give func(key []byte, record T)) {
	b := l.tx.Bucket([]byte(bucket))
	if b == nil {
		return
	}
	err := b.ForEach(func(k, v []byte) error {
		var record T
		if err := l.records.decode(k, v, &record); err != nil {
			l.note(bucket, err)
			return nil
		}
		give(k, record)
		return nil
	})
	l.note(bucket, err)
}

// set reads a set; an empty one where none can be read.
func (l loader) set(bucket string, key []byte) *ledger.Set {
	set := new(ledger.Set)
	value := l.tx.Bucket([]byte(bucket)).Get(key)
	bits, err := unseal(key, value)
	if err == nil {
		err = set.UnmarshalBinary(bits)
	}
	l.note(bucket, err)
	return set
}

// dropped are the bodies that were still to be removed.
func (l loader) dropped() *ledger.Set {
	if l.tx.Bucket([]byte(droppedBucket)).Get(number(0)) == nil {
		return new(ledger.Set)
	}
	return l.set(droppedBucket, number(0))
}

// segments gives messages back, and what happened to single copies.
func (l loader) segments(r *ledger.Restore) {
	for segment, ok := segmentAt(l.tx, 0); ok; segment, ok = segmentAfter(l.tx, segment) {
		each(l, string(segmentName(progressOf, segment)), func(k []byte, p store.Progress) { r.Progress(fromNumber(k), p) })
		each(l, string(segmentName(endingsOf, segment)), func(k []byte, e ledger.Ending) { r.Ending(fromNumber(k), e) })
	}
	for segment, ok := segmentAt(l.tx, 0); ok; segment, ok = segmentAfter(l.tx, segment) {
		l.messages(r, segment)
	}
}

// messages gives one segment's messages back, in order.
func (l loader) messages(r *ledger.Restore, segment uint64) {
	bucket := l.tx.Bucket(segmentName(messagesOf, segment))
	for chunk := range l.decoded(bucket) {
		for _, f := range <-chunk {
			if f.err == nil {
				f.err = r.Message(segment, f.message)
			}
			if f.err != nil {
				r.Lost(f.first)
			}
			l.note("messages", f.err)
		}
	}
}

// chunk is how many messages are decoded in one go at a restore.
const chunk = 256

// decoded decodes a bucket of messages on every processor; the chunks come in
// order.
func (l loader) decoded(bucket *bbolt.Bucket) <-chan chan []found {
	out := make(chan chan []found, runtime.GOMAXPROCS(0))
	go func() {
		defer close(out)
		c := bucket.Cursor()
		for k, v := c.First(); k != nil; {
			var pairs []pair
			for ; k != nil && len(pairs) < chunk; k, v = c.Next() {
				pairs = append(pairs, pair{k, v})
			}
			done := make(chan []found, 1)
			out <- done
			go func() {
				found := make([]found, len(pairs))
				l.decode(found, pairs)
				done <- found
			}()
		}
	}()
	return out
}
