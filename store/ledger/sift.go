package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// Sifted is what the filter of an operation matched at one moment.
type Sifted struct {
	top         uint64 // numbers below were looked at
	alerts      *Set
	fates       [flight + 1]*Set // of the live copies at that moment
	matched     *Set
	homes       homes
	homed       int
	*regrouping // of a grouping rule
}

// Sift runs the filter of an operation over the live copies, without keeping
// commands waiting; it asks a grouping rule for its keys. Other kinds need none.
func (r *Reads) Sift(ctx context.Context, o store.Operate) (*Sifted, error) {
	switch o.Kind {
	case store.OpHold, store.OpRelease, store.OpPurge, store.OpExpire:
	case store.OpRule:
		return r.siftRule(ctx, o)
	default:
		return nil, nil
	}
	f, err := parse(o.Filter)
	if err != nil {
		return nil, err
	}
	var s *Sifted
	var set *Set
	r.locked(func(l *Ledger) {
		s, set = l.moment(), l.live()
		set.And(l.candidates(store.Query{}, f))
	})
	upTo(set, o.UpTo)
	s.matched, err = r.sift(ctx, s, f, o, set)
	return s, err
}

// sift runs the filter over a set, in as many parts as there are processors.
func (r *Reads) sift(ctx context.Context, s *Sifted, f filter.Filter, o store.Operate, set *Set) (*Set, error) {
	parts := split(set, runtime.GOMAXPROCS(0))
	matched, errs := make([]*Set, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for k, part := range parts {
		wg.Go(func() {
			errs[k] = r.source(func(src Source) (err error) {
				matched[k], err = s.match(ctx, src, f, o, part)
				return err
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return roaring64.FastOr(matched...), nil
}

// split cuts a set into parts of the same size, by number.
func split(set *Set, parts int) []*Set {
	var all []*Set
	for rest := set.Clone(); !rest.IsEmpty(); parts-- {
		part := rest.Clone()
		last, err := rest.Select((rest.GetCardinality() - 1) / uint64(max(1, parts)))
		if err == nil && last < rest.Maximum() {
			part.RemoveRange(last+1, rest.Maximum()+1)
		}
		rest.AndNot(part)
		all = append(all, part)
	}
	return all
}

func parse(text string) (filter.Filter, error) {
	f, err := filter.Parse(text)
	if err != nil {
		return f, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	return f, nil
}

// upTo removes the numbers above the highest that the operator was shown.
func upTo(set *Set, highest uint64) {
	if highest != 0 && !set.IsEmpty() && set.Maximum() > highest {
		set.RemoveRange(highest+1, set.Maximum()+1)
	}
}

// moment is the ledger as of now, for sifting.
func (l *Ledger) moment() *Sifted {
	s := &Sifted{top: l.next, alerts: l.alerts.Clone(), homes: l.homes, homed: l.homed}
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
	for c, err := range visit(ctx, src, s.homes, set) {
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
	upTo(live, o.UpTo)
	changed := roaring64.Xor(s.alerts, l.alerts)
	for i := range s.fates {
		changed.Or(roaring64.Xor(s.fates[i], l.fates[i]))
	}
	if s.homed != l.homed {
		changed.Or(s.homes.differing(l.homes))
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
