package ledger

import (
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Return records that a digest came back: its copies wait again, but for
// those that came back before.
func (l *Ledger) Return(tx Tx, id string, at time.Time) error {
	b := l.batches[id]
	if b == nil || b.Kind != store.KindDigest || b.Open() {
		return fmt.Errorf("digest %q: %w", id, store.ErrNotFound)
	}
	if !b.Returned.IsZero() || !b.tells() {
		return nil
	}
	b.Returned = at
	b.keep(tx)
	l.bringBack(b, l.copies(b))
	return nil
}

// bringBack lets copies of a returned digest wait again, once.
func (l *Ledger) bringBack(b *batch, set *Set) {
	back := roaring64.AndNot(set, l.returned)
	l.returned.Or(back)
	l.ended.AndNot(back)
	l.settle(back)
	b.set = back
}
