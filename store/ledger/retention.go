package ledger

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// keyed is how long a key is kept after its message.
const keyed = 30 * 24 * time.Hour

// prune removes what is past retention, sealed by segment, and returns the
// number of copies removed. What is more than one full segment is left for the
// next time, so that commands do not wait for long.
func (l *Ledger) prune(tx Tx, now time.Time) (uint64, error) {
	var sealed uint64
	for _, s := range slices.Clone(l.segments) {
		if sealed >= fullSegment {
			break
		}
		if now.Before(l.until(s)) {
			continue
		}
		if err := l.drop(tx, s, now); err != nil {
			return sealed, err
		}
		sealed += uint64(len(s.rows))
	}
	l.pruneBatches(tx, now)
	l.pruneOperations(tx, now)
	l.pruneIncidents(tx, now)
	l.pruneReaders(tx, now)
	l.pruneKeys(tx, now)
	return sealed, l.pruneSlots(tx, now)
}

// endless is past every retention.
func endless() time.Time { return time.Unix(1<<40, 0) }

// until is when the last copy of a segment is past its retention; endless
// while one is live.
func (l *Ledger) until(s *segment) time.Time {
	var until time.Time
	seen := make(map[row]bool) // by fate and owner
	for _, r := range s.rows {
		if r.fate.live() {
			return endless()
		}
		if of := (row{fate: r.fate, in: r.in}); !seen[of] {
			seen[of] = true
			until = later(until, l.keeps(s, of))
		}
	}
	return until
}

// keeps is how long a segment keeps copies of a fate and an owner.
func (l *Ledger) keeps(s *segment, of row) time.Time {
	o := l.owners.byIndex[of.in]
	if o != nil && o.operation != nil {
		return later(s.last, o.operation.At).Add(l.limits.Trash)
	}
	ended := later(s.last, s.ended)
	if o != nil {
		ended = later(ended, o.batch.Ended)
	}
	return ended.Add(l.limits.Retain)
}

// drop seals a segment and removes it.
func (l *Ledger) drop(tx Tx, s *segment, now time.Time) error {
	early, err := l.sumUp(tx, s, now)
	if err != nil {
		return err
	}
	l.sealSegment(tx, s, now)
	tx.DropSegment(s.first, s.first, s.end()-1)
	for _, key := range s.keys {
		l.keys[key] = now
		tx.PutKey(Key{Key: key, Dropped: now})
	}
	for _, id := range s.ids {
		delete(l.messages, id)
	}
	l.strike(s)
	l.segments = slices.DeleteFunc(l.segments, func(other *segment) bool { return other == s })
	l.recame(tx, early)
	return nil
}

// strike takes the numbers of a segment out of every set.
func (l *Ledger) strike(s *segment) {
	sets := append(l.fates[:], l.alerts, l.ended, l.returned, l.silenced)
	for _, b := range l.batches {
		if b.set != nil {
			sets = append(sets, b.set)
		}
	}
	for _, r := range l.byReader {
		sets = append(sets, r.mine)
	}
	for _, set := range sets {
		set.RemoveRange(s.first, s.end())
	}
	for _, r := range l.byReader {
		if r.mine.IsEmpty() {
			r.last = "" // told by copies alone
		}
	}
	for _, r := range s.rows {
		l.owners.count(r.in, -1)
	}
	gone := func(n uint64) bool { return s.first <= n && n < s.end() }
	maps.DeleteFunc(l.shown, func(n uint64, _ uint32) bool { return gone(n) })
	maps.DeleteFunc(l.progress, func(n uint64, _ store.Progress) bool { return gone(n) })
}

// sumUp adds the copies of a segment to what their incidents keep, and takes
// them out of the counts of incidents and operations. It returns the incidents
// that keep older copies: their totals must be put in order again.
func (l *Ledger) sumUp(tx Tx, s *segment, now time.Time) (early []*incident, err error) {
	gone := roaring64.New()
	gone.AddRange(s.first, s.end())
	var staying []*incident
	wanted := l.wanted()
	for _, i := range l.incidentsIn(gone) {
		if wanted[i] || l.stays(i, s, now) {
			staying = append(staying, i)
		}
	}
	if err := l.retain(tx, s, staying); err != nil {
		return nil, err
	}
	for _, r := range l.each(gone) {
		if i := l.incidents.get(r.incident); i != nil {
			i.counts[r.fate]--
		}
	}
	for _, i := range staying {
		i.Told, i.Since = i.Told || i.told, i.Since || i.since
		if i.low < s.first {
			early = append(early, i)
		} else {
			i.low = max(i.low, s.end())
		}
		tx.PutIncident(i.Incident)
	}
	l.discharge(tx, gone)
	return early, nil
}

// stays reports whether an incident outlives a segment.
func (l *Ledger) stays(i *incident, s *segment, now time.Time) bool {
	if now.Before(i.closes(l.limits).Add(l.limits.Again)) {
		return true
	}
	within := 0
	for k := range s.rows {
		if s.rows[k].incident == i.index {
			within++
		}
	}
	return i.kept() > within
}

// retain adds the copies of a segment to what incidents keep of removed copies.
func (l *Ledger) retain(tx Tx, s *segment, staying []*incident) error {
	came, base := make(map[string]*tally), make(map[string]*tally)
	wanted := roaring64.New()
	for _, i := range staying {
		came[i.ID], base[i.ID] = restored(i.Came), restored(i.Base)
		for k := range s.rows {
			if s.rows[k].incident == i.index {
				wanted.Add(s.first + uint64(k))
			}
		}
	}
	for f, err := range visit(context.Background(), tx, l.homes, wanted) {
		if err != nil {
			return err
		}
		came[f.copy.Incident].fold(f.message, l.limits.Objects)
		if l.row(f.copy.Number).fate != purged {
			base[f.copy.Incident].fold(f.message, l.limits.Objects)
		}
	}
	for _, i := range staying {
		i.Came, i.Base = came[i.ID].record(), base[i.ID].record()
	}
	return nil
}

// discharge takes copies out of what operations cover.
func (l *Ledger) discharge(tx Tx, gone *Set) {
	for _, o := range l.operations {
		if caught := o.caught.AndCardinality(gone); caught > 0 {
			o.Caught += int(caught)
			o.keep(tx)
		}
		o.covers.AndNot(gone)
		o.caught.AndNot(gone)
		o.groups.AndNot(gone)
	}
	l.strikeHomes(gone)
}
