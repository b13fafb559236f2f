package ledger

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Incident is one incident by id.
func (r *Reads) Incident(ctx context.Context, id string, now time.Time) (store.Incident, error) {
	all, err := r.telling(ctx, []string{id}, now)
	if err != nil {
		return store.Incident{}, err
	}
	if len(all) == 0 {
		return store.Incident{}, fmt.Errorf("incident %s: %w", id, store.ErrNotFound)
	}
	return all[0], nil
}

// Incidents yields the incidents of a reader, or of all, in order of opening.
// Those of which every copy was purged are left out.
func (r *Reads) Incidents(ctx context.Context, reader string, now time.Time) iter.Seq2[store.Incident, error] {
	return func(yield func(store.Incident, error) bool) {
		for ids := range slices.Chunk(r.visible(reader), page) {
			some, err := r.telling(ctx, ids, now)
			if err != nil {
				yield(store.Incident{}, err)
				return
			}
			for _, i := range some {
				if i.Copies > 0 && !yield(i, nil) {
					return
				}
			}
		}
	}
}

// visible are the incidents with visible copies, in order of opening.
func (r *Reads) visible(reader string) []string {
	var places []rank
	r.locked(func(l *Ledger) {
		for _, i := range l.incidentsOf(reader) {
			if i.visible() > 0 {
				places = append(places, rank{i.Sequence, i.ID})
			}
		}
	})
	return inOrder(places)
}

// telling is how the incidents of some ids are told, as far as they are kept.
func (r *Reads) telling(ctx context.Context, ids []string, now time.Time) ([]store.Incident, error) {
	var told []store.Incident
	err := r.counted(ctx, func(l *Ledger) []*incident { return l.incidentsBy(ids) }, func(l *Ledger, some []*incident) {
		for _, i := range some {
			told = append(told, l.telling(i, now))
		}
	})
	return told, err
}

func (l *Ledger) incidentsBy(ids []string) []*incident {
	var some []*incident
	for _, id := range ids {
		if i := l.byIncident[id]; i != nil {
			some = append(some, i)
		}
	}
	return some
}

// News are a reader's incidents that opened and were neither announced nor
// told, each with the first copy that waits and is not silenced.
func (r *Reads) News(ctx context.Context, reader string, now time.Time, limit int) ([]store.News, error) {
	var numbers []uint64
	r.locked(func(l *Ledger) { numbers = l.newsOf(reader, limit) })
	entries, err := r.named(ctx, numbers)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(entries))
	for k, e := range entries {
		ids[k] = e.Copy.Incident
	}
	incidents, err := r.telling(ctx, ids, now)
	if err != nil {
		return nil, err
	}
	var all []store.News
	for _, i := range incidents {
		e := entries[slices.Index(ids, i.ID)]
		all = append(all, store.News{Incident: i, Entry: e})
	}
	return all, nil
}

// newsOf are the first copies of a reader's news, oldest first.
func (l *Ledger) newsOf(name string, limit int) []uint64 {
	var numbers []uint64
	r := l.byReader[name]
	if r == nil {
		return nil
	}
	for _, i := range r.incidents {
		if len(numbers) >= limit {
			break
		}
		if n := l.news(i); n != 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// named are the entries of some copies, in the order of their numbers as given.
func (r *Reads) named(ctx context.Context, numbers []uint64) ([]store.Entry, error) {
	var read []found
	err := r.source(func(src Source) error {
		for f, err := range visit(ctx, src, nil, setOf(numbers)) {
			if err != nil {
				return err
			}
			read = append(read, f)
		}
		return nil
	})
	slices.SortFunc(read, func(a, b found) int {
		return slices.Index(numbers, a.copy.Number) - slices.Index(numbers, b.copy.Number)
	})
	var entries []store.Entry
	for e := range r.entries(read) {
		entries = append(entries, e)
	}
	return entries, err
}

// Due are the waiting pass copies that may be tried now, oldest first.
func (r *Reads) Due(ctx context.Context, now time.Time, limit int) ([]store.Entry, time.Time, error) {
	var numbers []uint64
	var next time.Time
	r.locked(func(l *Ledger) { numbers, next = l.due(now, limit) })
	due, err := r.named(ctx, numbers)
	return due, next, err
}

func (l *Ledger) due(now time.Time, limit int) (due []uint64, next time.Time) {
	for n := range roaring64.Values(roaring64.AndNot(l.fates[waiting], l.alerts)) {
		switch at := l.progress[n].Next; {
		case at.After(now):
			next = earlier(next, at)
		case len(due) < limit:
			due = append(due, n)
		}
	}
	return due, next
}

// Preview is what an Operate would do now.
func (r *Reads) Preview(ctx context.Context, o store.Operate) (store.Preview, error) {
	p := store.Preview{Readers: make(map[string]int), Incidents: make(map[string]int)}
	s, err := r.Sift(ctx, o)
	if s == nil || s.matched == nil || err != nil {
		return p, err
	}
	var samples []uint64
	r.locked(func(l *Ledger) { samples = l.preview(&p, s.matched, o) })
	p.Samples, err = r.named(ctx, samples)
	return p, err
}

// preview counts what an operation would touch and picks samples.
func (l *Ledger) preview(p *store.Preview, matched *Set, o store.Operate) []uint64 {
	f, _ := parse(o.Filter) // sifting parsed it
	p.InFlight = int(matched.AndCardinality(l.fates[flight]))
	set := roaring64.And(matched, l.reachable(o, f))
	for _, r := range l.each(set) {
		p.Readers[l.readers.get(r.reader).Name]++
		if i := l.incidents.get(r.incident); i != nil {
			p.Incidents[i.ID]++
		}
	}
	p.Copies = int(set.GetCardinality())
	if p.Copies > 0 {
		p.Highest = set.Maximum()
	}
	return spread(set, 5)
}

// spread picks some members of a set, evenly.
func spread(set *Set, count int) []uint64 {
	all := int(set.GetCardinality())
	count = min(count, all)
	picked := make([]uint64, 0, count)
	for k := range count {
		n, err := set.Select(uint64(k * all / count))
		if err == nil {
			picked = append(picked, n)
		}
	}
	return picked
}
