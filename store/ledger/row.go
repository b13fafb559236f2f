package ledger

import (
	"iter"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
)

// row is what the ledger knows of one kept copy. Sets of numbers say the same
// of fates; rows answer for a single copy, sets for many.
type row struct {
	reader   uint32
	incident uint32 // 0 for pass copies
	in       uint32 // owner of its fate: a batch or an operation
	fate     fate
	first    bool // of its message
}

// fullSegment is how many copies a segment takes. It bounds what is removed in
// one go, while commands wait.
const fullSegment = 10_000

// segment is one accept interval, or in a storm a part of it: its rows have
// consecutive numbers.
type segment struct {
	first uint64
	hour  time.Time // the interval
	last  time.Time // the latest acceptance
	ended time.Time // when the last copy ended on its own
	rows  []row
	ids   []ref // of its messages
	keys  []string
	lost  []uint64 // copies that cannot be read
}

func (s *segment) end() uint64 { return s.first + uint64(len(s.rows)) }

// segmentFor is where a message accepted then belongs. A clock that steps back
// a little does not begin another interval.
func (l *Ledger) segmentFor(accepted time.Time) *segment {
	hour := accepted.Truncate(l.limits.Segment)
	if n := len(l.segments); n > 0 {
		last := l.segments[n-1]
		near := !hour.After(last.hour) && last.hour.Sub(hour) <= l.limits.Segment
		if near && last.end() == l.next && len(last.rows) < fullSegment {
			return last
		}
	}
	return &segment{first: l.next, hour: hour}
}

// holding is the segment that holds a number, nil if it is not kept.
func (l *Ledger) holding(n uint64) *segment {
	i, found := slices.BinarySearchFunc(l.segments, n, func(s *segment, n uint64) int {
		switch {
		case s.first > n:
			return 1
		case s.end() <= n:
			return -1
		}
		return 0
	})
	if !found {
		return nil
	}
	return l.segments[i]
}

// row is the row of a kept copy, nil if it is not kept.
func (l *Ledger) row(n uint64) *row {
	s := l.holding(n)
	if s == nil || s.rows[n-s.first].fate == lost {
		return nil
	}
	return &s.rows[n-s.first]
}

// each yields the rows of a set's copies. The set must not change meanwhile.
func (l *Ledger) each(set *Set) iter.Seq2[uint64, *row] {
	return func(yield func(uint64, *row) bool) {
		var s *segment
		for n := range roaring64.Values(set) {
			if s == nil || n >= s.end() || n < s.first {
				s = l.holding(n)
			}
			if s == nil || s.rows[n-s.first].fate == lost {
				continue
			}
			if !yield(n, &s.rows[n-s.first]) {
				return
			}
		}
	}
}

// message is the range of copies of the message that holds a number.
func (l *Ledger) message(n uint64) (first, end uint64) {
	s := l.holding(n)
	if s == nil {
		return 0, 0
	}
	i := int(n - s.first)
	j := i + 1
	for i > 0 && !s.rows[i].first {
		i--
	}
	for j < len(s.rows) && !s.rows[j].first {
		j++
	}
	return s.first + uint64(i), s.first + uint64(j)
}

// kept reports whether a number is kept.
func (l *Ledger) kept(n uint64) bool { return l.row(n) != nil }

// setOf is the set of some numbers.
func setOf(numbers []uint64) *Set {
	set := roaring64.New()
	set.AddMany(numbers)
	return set
}
