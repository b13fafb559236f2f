package bolt

import (
	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store/ledger"
)

// Bodies that are dropped go a few with each commit, and further commits
// follow until all are gone: removing 100,000 in one would keep mail waiting
// for seconds. Those still to go are kept as a set, and no read finds them.
const (
	sweepBytes = 2 * mebibyte // about what one commit writes for it
	leastSweep = mebibyte / 2
	pageBytes  = 4 << 10
)

// sweep removes bodies, as far as the budget allows, and keeps the rest for
// later commits.
func (s *Store) sweep(t *transaction, budget int64) {
	before := s.dropped.Load()
	s.swept = false
	if before.IsEmpty() && len(t.drops) == 0 {
		return
	}
	rest := before.Clone()
	rest.AddMany(t.drops)
	if s.swept = budget >= leastSweep; s.swept {
		t.remove(rest, budget)
	}
	if !rest.Equals(before) {
		t.putSet(droppedBucket, 0, rest)
	}
	s.dropped.Store(rest)
}

// remove removes bodies from the file and from the set of those to remove.
func (t *transaction) remove(bodies *ledger.Set, budget int64) {
	var gone []uint64
	for first := range roaring64.Values(bodies) {
		segment, ok := segmentOf(t.tx, first)
		if ok && !t.dropBody(segmentName(bodiesOf, segment), number(first), &budget) {
			break
		}
		gone = append(gone, first)
	}
	for _, first := range gone {
		bodies.Remove(first)
	}
}

// dropBody removes the pieces of a body, from the last to the first, as long as
// the budget lasts, and reports whether all are gone.
func (t *transaction) dropBody(bucket, key []byte, budget *int64) bool {
	b := t.tx.Bucket(bucket)
	if b == nil || b.Get(key) == nil {
		return true
	}
	if *budget <= 0 {
		return false
	}
	for i := pieceCount(b.Get(key)) - 1; i > 0; i-- {
		if *budget <= 0 {
			return false
		}
		*budget -= pageBytes + pieceSize
		t.drop(bucket, pieceKey(key, i))
	}
	*budget -= pageBytes
	t.drop(bucket, key)
	return true
}

// unswept reports whether bodies are left to remove, and there was room for it.
func (s *Store) unswept() bool { return s.swept && !s.dropped.Load().IsEmpty() }

// notice has what is unswept removed by further commits.
func (s *Store) notice() {
	if !s.unswept() {
		return
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}
