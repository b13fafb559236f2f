package bolt

import (
	"cmp"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"lull/store"
	"lull/store/ledger"
)

// source reads records in one transaction of bbolt.
type source struct {
	tx      *bbolt.Tx
	records records
	dropped *atomic.Pointer[ledger.Set]
}

// Close ends the transaction.
func (s source) Close() { _ = s.tx.Rollback() }

// Messages are read in pages before they are given away: the one who takes
// them may write in the same transaction. Pages begin small, for those who
// want few, and grow.
const (
	firstPage = 32
	lastPage  = 1024
)

// Messages yields messages; a damaged one as its error, and goes on behind it.
func (s source) Messages(from uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		at, size := s.firstOf(from), firstPage
		for {
			found := s.decodeAll(s.page(at, size))
			for _, f := range found {
				if !yield(f.message, f.err) {
					return
				}
			}
			if len(found) == 0 {
				return
			}
			at, size = found[len(found)-1].first+1, min(2*size, lastPage)
		}
	}
}

// found is a message, or that it is damaged.
type found struct {
	first   uint64 // number of its first copy
	message *store.Message
	err     error
}

// firstOf is the number of the first copy of the message that holds a number,
// or else the number itself.
func (s source) firstOf(n uint64) uint64 {
	segment, ok := segmentOf(s.tx, n)
	if !ok {
		return n
	}
	c := s.tx.Bucket(segmentName(messagesOf, segment)).Cursor()
	if k, _ := c.Seek(number(n)); string(k) == string(number(n)) {
		return n
	}
	k, v := c.Prev()
	if k == nil {
		return n
	}
	m, err := s.records.decodeMessage(k, v)
	if err != nil || fromNumber(k)+uint64(len(m.Copies)) <= n {
		return n
	}
	return fromNumber(k)
}

// pair is a key and its value as bbolt has them, while the transaction lasts.
type pair struct{ key, value []byte }

// page reads the next messages at or after a number, of one segment.
func (s source) page(at uint64, size int) []pair {
	segment, ok := segmentOf(s.tx, at)
	if !ok {
		segment, ok = segmentAfter(s.tx, at)
	}
	var out []pair
	for ; ok && len(out) == 0; segment, ok = segmentAfter(s.tx, segment) {
		c := s.tx.Bucket(segmentName(messagesOf, segment)).Cursor()
		for k, v := c.Seek(number(at)); k != nil && len(out) < size; k, v = c.Next() {
			out = append(out, pair{k, v})
		}
	}
	return out
}

// few is how many messages are decoded on one processor in one go.
const few = 64

// decodeAll decodes messages on every processor.
func (s source) decodeAll(pairs []pair) []found {
	out := make([]found, len(pairs))
	var wg sync.WaitGroup
	for from := 0; from+few < len(pairs); from += few {
		wg.Go(func() { s.decode(out[from:from+few], pairs[from:from+few]) })
	}
	last := max(0, len(pairs)-1) / few * few
	s.decode(out[last:], pairs[last:])
	wg.Wait()
	return out
}

func (s source) decode(out []found, pairs []pair) {
	for i, p := range pairs {
		m, err := s.records.decodeMessage(p.key, p.value)
		out[i] = found{fromNumber(p.key), m, err}
	}
}

// Body is a message's body.
func (s source) Body(first uint64) ([]byte, error) {
	segment, ok := segmentOf(s.tx, first)
	if !ok || s.dropped.Load().Contains(first) {
		return nil, fmt.Errorf("body of copy number %d: %w", first, store.ErrNotFound)
	}
	return s.unpacked(string(segmentName(bodiesOf, segment)), number(first))
}

// Mail is the kept bytes of an open batch.
func (s source) Mail(batch string) ([]byte, error) {
	b, err := s.unpacked(mailBucket, name(batch))
	if err != nil && isMissing(err) {
		return nil, nil
	}
	return b, err
}

func (s source) unpacked(bucket string, key []byte) ([]byte, error) {
	b := s.tx.Bucket([]byte(bucket))
	if b == nil {
		return nil, fmt.Errorf("%s: %w", bucket, store.ErrNotFound)
	}
	first := b.Get(key)
	if first == nil {
		return nil, fmt.Errorf("%s: %w", bucket, store.ErrNotFound)
	}
	return unpack(key, first, b.Get)
}

// Slots yields the slots in order.
func (s source) Slots() iter.Seq2[store.Slot, error] {
	return func(yield func(store.Slot, error) bool) {
		slots, err := all[store.Slot](s, slotsBucket)
		give(slots, err, yield)
	}
}

// Seals yields the seals in order.
func (s source) Seals() iter.Seq2[store.Seal, error] {
	return func(yield func(store.Seal, error) bool) {
		seals, err := all[store.Seal](s, sealsBucket)
		give(seals, err, yield)
	}
}

// all reads a whole bucket of small records. The error is the first damage;
// the rest is read all the same.
func all[T any](s source, bucket string) ([]T, error) {
	var out []T
	var bad error
	err := s.tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
		var record T
		if err := s.records.decode(k, v, &record); err != nil {
			bad = cmp.Or(bad, fmt.Errorf("%s: %w", bucket, err))
			return nil
		}
		out = append(out, record)
		return nil
	})
	return out, cmp.Or(bad, err)
}

func give[T any](records []T, err error, yield func(T, error) bool) {
	for _, r := range records {
		if !yield(r, nil) {
			return
		}
	}
	if err != nil {
		var none T
		yield(none, err)
	}
}

var _ ledger.Source = source{}
