package ledger

import (
	"context"
	"errors"
	"iter"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// found is a copy that was read, before its fate is looked up.
type found struct {
	message *store.Message
	copy    store.Copy
	damage  error // instead of both: a record that cannot be read
}

// gap is how many copies are read past rather than looked up.
const gap = 64

// visit yields the kept copies of a set, in order of number, with the incidents
// that their homes say; without homes, with those they came to. Messages that
// cannot be read are left out.
func visit(ctx context.Context, src Source, h homes, set *Set) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for f, err := range visitAll(ctx, src, h, set) {
			if f.damage == nil && !yield(f, err) {
				return
			}
		}
	}
}

// visitAll also yields the damage of messages on the way that cannot be read.
func visitAll(ctx context.Context, src Source, h homes, set *Set) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		v := visitor{ctx: ctx, src: src, homes: h, next: set.Iterator(), yield: yield}
		for v.next.HasNext() && v.run() {
		}
	}
}

// visitor walks through the members of a set.
type visitor struct {
	ctx   context.Context
	src   Source
	homes homes
	next  roaring64.IntPeekable64
	yield func(found, error) bool
}

// run reads messages until the next member lies far ahead, and reports whether to go on.
func (v *visitor) run() bool {
	for m, err := range v.src.Messages(v.next.PeekNext()) {
		if ended := v.ctx.Err(); ended != nil {
			v.yield(found{}, ended)
			return false
		}
		switch {
		case errors.Is(err, store.ErrCorrupt):
			if !v.yield(found{damage: err}, nil) {
				return false
			}
			continue
		case err != nil:
			v.yield(found{}, err)
			return false
		}
		if !v.message(m) {
			return false
		}
		if !v.next.HasNext() || v.next.PeekNext() > last(m)+gap {
			return true
		}
	}
	return false // nothing is kept from there on
}

// message yields the copies of a message that are members.
func (v *visitor) message(m *store.Message) bool {
	for _, c := range m.Copies {
		v.next.AdvanceIfNeeded(c.Number)
		if !v.next.HasNext() {
			return true
		}
		if v.next.PeekNext() != c.Number {
			continue
		}
		v.next.Next()
		if !v.yield(found{message: m, copy: v.homes.at(c)}, nil) {
			return false
		}
	}
	return true
}

// last is the number of a message's last copy.
func last(m *store.Message) uint64 { return m.Copies[len(m.Copies)-1].Number }
