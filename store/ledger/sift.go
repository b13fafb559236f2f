package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// Sifted is what the filter of an operation matched at one moment.
type Sifted struct {
	top         uint64 // numbers below were looked at
	alerts      *Set
	fates       [fates]*Set // at that moment, of the fates that the operation reaches
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
		s = l.moment(l.reaches(o, f))
		set = s.all()
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

// reaches are the fates of which an operation may touch copies, or count them:
// those of live copies, and for a purge for good the trash, if it is named.
func (l *Ledger) reaches(o store.Operate, f filter.Filter) []fate {
	live := []fate{waiting, held, flight}
	if o.Forever && o.Kind == store.OpPurge && slices.Contains(f.Values("fate"), string(store.Purged)) {
		return append(live, purged)
	}
	return live
}

// all are the copies of the fates that the operation reaches.
func (s *Sifted) all() *Set {
	set := roaring64.New()
	for _, of := range s.fates {
		if of != nil {
			set.Or(of)
		}
	}
	return set
}

// moment is the ledger as of now, for sifting, as far as some fates go.
func (l *Ledger) moment(reach []fate) *Sifted {
	s := &Sifted{top: l.next, alerts: l.alerts.Clone(), homes: l.homes, homed: l.homed}
	for _, f := range reach {
		s.fates[f] = l.fates[f].Clone()
	}
	return s
}

func (s *Sifted) fate(n uint64) store.Fate {
	for f := range s.fates {
		if s.fates[f] != nil && s.fates[f].Contains(n) {
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

// differing are the copies that a filter may decide about otherwise now.
func (s *Sifted) differing(now *Sifted) *Set {
	changed := roaring64.Xor(s.alerts, now.alerts)
	for f, set := range now.fates {
		switch {
		case set == nil:
		case s.fates[f] == nil:
			changed.Or(set)
		default:
			changed.Or(roaring64.Xor(s.fates[f], set))
		}
	}
	if s.homed != now.homed {
		changed.Or(s.homes.differing(now.homes))
	}
	return changed
}

// complete looks again at the copies that came or changed since the sifting,
// and returns what matches now among those that the operation reaches.
func (l *Ledger) complete(tx Tx, o store.Operate, s *Sifted) (*Set, filter.Filter, error) {
	f, err := parse(o.Filter)
	if err != nil {
		return nil, f, err
	}
	now := l.moment(l.reaches(o, f))
	if s == nil {
		s = &Sifted{alerts: roaring64.New(), matched: roaring64.New(), homed: l.homed}
	}
	reached := now.all()
	upTo(reached, o.UpTo)
	changed := s.differing(now)
	changed.And(reached)
	matched := roaring64.And(s.matched, reached)
	matched.AndNot(changed)
	again, err := now.match(context.Background(), tx, f, o, changed)
	if err != nil {
		return nil, f, err
	}
	matched.Or(again)
	return matched, f, nil
}
