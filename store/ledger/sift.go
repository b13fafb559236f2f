package ledger

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// Sifted is what the filter of an operation matched at one moment.
type Sifted struct {
	top     uint64 // numbers below were looked at
	alerts  *Set
	fates   [flight + 1]*Set // of the live copies at that moment
	matched *Set
}

// Sift runs the filter of an operation over the live copies, without keeping
// commands waiting. Kinds that touch no copy need none.
func (r *Reads) Sift(ctx context.Context, o store.Operate) (*Sifted, error) {
	switch o.Kind {
	case store.OpHold, store.OpRelease, store.OpPurge, store.OpExpire:
	default:
		return nil, nil
	}
	f, err := parse(o.Filter)
	if err != nil {
		return nil, err
	}
	r.ledger.RLock()
	s := r.ledger.moment()
	r.ledger.RUnlock()
	src, err := r.open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	set := roaring64.FastOr(s.fates[:]...)
	cap(set, o.UpTo)
	s.matched, err = s.match(ctx, src, f, o, set)
	return s, err
}

func parse(text string) (filter.Filter, error) {
	f, err := filter.Parse(text)
	if err != nil {
		return f, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return f, nil
}

// cap removes the numbers above the highest that the operator was shown.
func cap(set *Set, upTo uint64) {
	if upTo != 0 && !set.IsEmpty() && set.Maximum() > upTo {
		set.RemoveRange(upTo+1, set.Maximum()+1)
	}
}

// moment is the ledger as of now, for sifting.
func (l *Ledger) moment() *Sifted {
	s := &Sifted{top: l.next, alerts: l.alerts.Clone()}
	for f := range s.fates {
		s.fates[f] = l.fates[f].Clone()
	}
	return s
}

func (s *Sifted) fate(n uint64) store.Fate {
	for f := range s.fates {
		if s.fates[f].Contains(n) {
			return fate(f).name()
		}
	}
	return ""
}

// match runs a filter over the copies of a set.
func (s *Sifted) match(ctx context.Context, src Source, f filter.Filter, o store.Operate, set *Set) (*Set, error) {
	matched := roaring64.New()
	for c, err := range visit(ctx, src, set) {
		if err != nil {
			return nil, err
		}
		e := store.Entry{Message: c.message, Copy: c.copy, Fate: s.fate(c.copy.Number)}
		if f.Match(e, o.At, bodyOf(src, c.message)) {
			matched.Add(c.copy.Number)
		}
	}
	return matched, nil
}

// bodyOf reads a message's body when a filter asks for it; a body that was
// dropped matches nothing.
func bodyOf(src Source, m *store.Message) func() []byte {
	return func() []byte {
		body, err := src.Body(m.Copies[0].Number)
		if err != nil {
			return nil
		}
		return body
	}
}

// complete looks again at the copies that came or changed since the sifting,
// and returns what matches now among the live ones.
func (l *Ledger) complete(tx Tx, o store.Operate, s *Sifted) (*Set, filter.Filter, error) {
	f, err := parse(o.Filter)
	if err != nil {
		return nil, f, err
	}
	if s == nil {
		s = &Sifted{alerts: roaring64.New(), matched: roaring64.New(), fates: [flight + 1]*Set{roaring64.New(), roaring64.New(), roaring64.New()}}
	}
	live := l.live()
	cap(live, o.UpTo)
	changed := roaring64.Xor(s.alerts, l.alerts)
	for i := range s.fates {
		changed.Or(roaring64.Xor(s.fates[i], l.fates[i]))
	}
	changed.And(live)
	matched := roaring64.And(s.matched, live)
	matched.AndNot(changed)
	again, err := l.moment().match(context.Background(), tx, f, o, changed)
	if err != nil {
		return nil, f, err
	}
	matched.Or(again)
	return matched, f, nil
}
