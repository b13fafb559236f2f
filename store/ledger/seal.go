package ledger

import (
	"crypto/sha256"
	"fmt"
	"time"

	"lull/store"
)

// sealSegment adds up a segment that is about to be removed.
func (l *Ledger) sealSegment(tx Tx, s *segment, now time.Time) {
	seal := store.Seal{
		Sequence: l.seal.Sequence + 1, Day: s.hour.UTC().Format(time.DateOnly),
		First: s.first, Last: s.end() - 1, Counts: make(map[store.Fate]uint64), At: now,
	}
	if seal.Sequence > 1 {
		seal.Previous = Checksum(l.seal)
	}
	for _, r := range s.rows {
		if r.fate != lost {
			seal.Counts[r.fate.name()]++
		}
	}
	l.sealOn(seal)
	tx.PutSeal(seal)
}

// sealOn adds a seal to the totals.
func (l *Ledger) sealOn(s store.Seal) {
	l.seal = s
	for f, n := range s.Counts {
		l.sealed[f] += n
	}
}

// Checksum is the SHA-256 of a seal, which the next one repeats.
func Checksum(s store.Seal) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %d-%d %d %x", s.Sequence, s.Day, s.First, s.Last, s.At.UnixNano(), s.Previous)
	for _, f := range store.Fates() {
		fmt.Fprintf(h, " %s=%d", f, s.Counts[f])
	}
	return h.Sum(nil)
}
