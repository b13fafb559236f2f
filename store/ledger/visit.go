package ledger

import (
	"context"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// gap is how many copies are read past rather than looked up.
const gap = 64

// visit calls f for the kept copies of a set, in order of number.
func visit(ctx context.Context, src Source, set *Set, f func(*store.Message, store.Copy) error) error {
	next := set.Iterator()
	for next.HasNext() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visitRun(ctx, src, next, f); err != nil {
			return err
		}
	}
	return nil
}

// visitRun visits copies until the next one lies far ahead.
func visitRun(ctx context.Context, src Source, next roaring64.IntPeekable64, f func(*store.Message, store.Copy) error) error {
	from := next.PeekNext()
	for m, err := range src.Messages(from) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, c := range m.Copies {
			next.AdvanceIfNeeded(c.Number)
			if !next.HasNext() {
				return nil
			}
			if next.PeekNext() != c.Number {
				continue
			}
			next.Next()
			if err := f(m, c); err != nil {
				return err
			}
		}
		if !next.HasNext() || next.PeekNext() > m.Copies[len(m.Copies)-1].Number+gap {
			return nil
		}
	}
	for next.HasNext() { // nothing is kept from there on
		next.Next()
	}
	return nil
}
