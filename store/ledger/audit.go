package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

	"lull/store"
)

// audit is a recount under way.
type audit struct {
	store.Audit
	next   uint64
	seals  uint64 // how many there are
	fates  [fates]*Set
	ranges map[uint64]uint64 // kept segments: first number to the one after the last
}

// Audit recounts every kept copy and the sealed totals. A retention that runs
// meanwhile makes it begin again.
func (r *Reads) Audit(ctx context.Context) (store.Audit, error) {
	for {
		a := r.snapshot()
		again, err := r.auditOnce(ctx, a)
		if err != nil {
			return store.Audit{}, err
		}
		if !again {
			r.auditRows(a)
			return a.Audit, nil
		}
	}
}

// snapshot is the ledger as of now.
func (r *Reads) snapshot() *audit {
	a := &audit{ranges: make(map[uint64]uint64)}
	a.ByFate, a.Sealed = make(map[store.Fate]uint64), make(map[store.Fate]uint64)
	r.locked(func(l *Ledger) {
		a.next, a.seals, a.Accepted = l.next, l.seal.Sequence, l.next-1
		maps.Copy(a.Sealed, l.sealed)
		for f := range a.fates {
			a.fates[f] = l.fates[f].Clone()
		}
		for _, s := range l.segments {
			a.ranges[s.first] = s.end()
		}
	})
	return a
}

func (a *audit) differ(format string, args ...any) {
	if len(a.Differences) < 100 {
		a.Differences = append(a.Differences, fmt.Sprintf(format, args...))
	}
}

func (r *Reads) auditOnce(ctx context.Context, a *audit) (again bool, err error) {
	err = r.source(func(src Source) error {
		if again, err = a.auditSeals(src); again || err != nil {
			return err
		}
		return a.auditCopies(ctx, src)
	})
	return again, err
}

// auditSeals checks the chain of seals, adds them up, and sees that they and
// the kept segments cover every number once.
func (a *audit) auditSeals(src Source) (again bool, err error) {
	sums := make(map[store.Fate]uint64)
	var last store.Seal
	for s, err := range src.Seals() {
		if err != nil {
			return false, err
		}
		a.auditSeal(s, last, sums)
		last = s
	}
	if last.Sequence > a.seals {
		return true, nil
	}
	if last.Sequence < a.seals {
		a.differ("seals %d to %d are missing", last.Sequence+1, a.seals)
	}
	for f, n := range a.Sealed {
		if sums[f] != n {
			a.differ("%d copies were sealed as %s, the ledger says %d", sums[f], f, n)
		}
	}
	a.auditRanges()
	return false, nil
}

func (a *audit) auditSeal(s, last store.Seal, sums map[store.Fate]uint64) {
	var counted uint64
	for f, n := range s.Counts {
		sums[f] += n
		counted += n
	}
	if s.Sequence != last.Sequence+1 {
		a.differ("seal %d follows %d", s.Sequence, last.Sequence)
	}
	if last.Sequence > 0 && !bytes.Equal(s.Previous, Checksum(last)) {
		a.differ("seal %d does not match the one before", s.Sequence)
	}
	if counted != s.Last-s.First+1 {
		a.differ("seal %d counts %d copies of %d", s.Sequence, counted, s.Last-s.First+1)
	}
	if _, twice := a.ranges[s.First]; twice {
		a.differ("copy %d is kept and sealed", s.First)
	}
	a.ranges[s.First] = s.Last + 1
}

// auditRanges sees that kept and sealed numbers follow each other without gaps.
func (a *audit) auditRanges() {
	at := uint64(1)
	for at < a.next {
		end, ok := a.ranges[at]
		if !ok || end <= at {
			a.differ("copy %d is neither kept nor sealed", at)
			return
		}
		at = end
	}
}

// auditCopies counts the fates of the copies that are kept as records.
func (a *audit) auditCopies(ctx context.Context, src Source) error {
	var before uint64
	for m, err := range src.Messages(0) {
		if errors.Is(err, store.ErrCorrupt) {
			a.differ("%v", err)
			continue
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		for _, c := range m.Copies {
			if c.Number >= a.next {
				break
			}
			if c.Number <= before {
				a.differ("copy %s has number %d, after %d", store.CopyID(m.ID, c.Index), c.Number, before)
			}
			before = c.Number
			a.auditFate(m, c)
		}
	}
	for f, set := range a.fates {
		if name := fate(f).name(); a.ByFate[name] != set.GetCardinality() {
			a.differ("%d copies are %s, the ledger says %d", a.ByFate[name], name, set.GetCardinality())
		}
	}
	a.auditSum()
	return nil
}

func (a *audit) auditFate(m *store.Message, c store.Copy) {
	found := 0
	for f, set := range a.fates {
		if set.Contains(c.Number) {
			a.ByFate[fate(f).name()]++
			found++
		}
	}
	if found != 1 {
		a.differ("copy %s has %d fates", store.CopyID(m.ID, c.Index), found)
	}
}

func (a *audit) auditSum() {
	var sum uint64
	for f := range fates {
		sum += a.ByFate[f.name()] + a.Sealed[f.name()]
	}
	if sum != a.Accepted {
		a.differ("%d copies were accepted, %d are kept or sealed", a.Accepted, sum)
	}
}

// auditRows sees that what is known of single copies agrees with the sets, and
// the counts of incidents with their copies. Commands may run between segments.
func (r *Reads) auditRows(a *audit) {
	for first := range a.ranges {
		r.locked(func(l *Ledger) {
			if s := l.holding(first); s != nil {
				l.auditSegment(a, s)
			}
		})
	}
	r.locked(func(l *Ledger) { l.auditIncidents(a) })
}

func (l *Ledger) auditSegment(a *audit, s *segment) {
	for k := range s.rows {
		n, r := s.first+uint64(k), &s.rows[k]
		if r.fate == lost {
			continue
		}
		if !l.fates[r.fate].Contains(n) {
			a.differ("copy %d is not among those %s", n, r.fate.name())
		}
		owned := r.fate != waiting && r.fate != passed && r.fate != bounced && r.fate != expired
		if owned && l.owners.byIndex[r.in] == nil {
			a.differ("copy %d is %s by nothing", n, r.fate.name())
		}
		if l.alerts.Contains(n) != (r.incident != 0) {
			a.differ("copy %d and its incident differ", n)
		}
		if final := !r.fate.live() && r.fate != purged && r.fate != expired; final && !l.ended.Contains(n) {
			a.differ("copy %d is %s but not for good", n, r.fate.name())
		}
	}
}

// auditIncidents recounts the copies of every incident.
func (l *Ledger) auditIncidents(a *audit) {
	counts := make([][fates]int, len(l.incidents.items))
	for _, s := range l.segments {
		for _, r := range s.rows {
			if r.incident != 0 {
				counts[r.incident][r.fate]++
			}
		}
	}
	for n, w := range l.homes {
		if r := l.row(n); r == nil || l.incidents.get(r.incident) != w.in {
			a.differ("copy %d is not in incident %s, where a rule moved it", n, w.in.ID)
		}
	}
	for k, i := range l.incidents.items {
		if i != nil && i.counts != counts[k] {
			a.differ("incident %s counts %v, its copies are %v", i.ID, i.counts, counts[k])
		}
	}
}
