package ledger

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"lull/store"
)

// incident is one incident key for one reader.
//
// When it opens and closes is decided by everything that came, whatever
// operators purged, so that an undo finds the same incidents. What is told of
// it leaves purged copies out.
type incident struct {
	Incident
	index  uint32
	reader *reader
	low    uint64 // its lowest kept copy; 0 before there is one
	came   *tally // all copies
	seen   *tally // without purged ones; nil when it must be counted anew
	counts [fates]int
	pinned int  // open notices about it
	told   bool // by digests whose copies are kept,
	since  bool // one of which was cut after it opened last
	purges int  // times that copies were purged or given back
}

// kept is how many copies of it are kept.
func (i *incident) kept() int {
	sum := 0
	for _, n := range i.counts {
		sum += n
	}
	return sum
}

// visible is how many copies came and were not purged.
func (i *incident) visible() int {
	removed := 0
	if i.Came != nil {
		removed = i.Came.Copies - i.Base.Copies
	}
	return i.came.copies - removed - i.counts[purged]
}

// tally is what is told of it; nil when it must be counted anew.
func (i *incident) tally() *tally {
	if i.seen == nil && i.visible() == i.came.copies {
		return i.came
	}
	return i.seen
}

// moved notes that one of its copies changed its fate.
func (i *incident) moved(from, to fate) {
	i.counts[from]--
	i.counts[to]++
	if (from == purged) != (to == purged) {
		i.seen = nil
		i.purges++
	}
}

// fold adds a copy that came.
func (i *incident) fold(m *store.Message, to fate, limit int) {
	i.came.fold(m, limit)
	if i.seen != nil && to != purged {
		i.seen.fold(m, limit)
	}
}

// closes is when the incident closes if nothing more comes.
func (i *incident) closes(limits store.Limits) time.Time {
	switch t := i.came; {
	case i.Recovers && t.problems > 0:
		return i.Opened.Add(limits.Longest)
	case i.recovered():
		return later(t.cleared, i.Opened)
	default:
		return t.last.Add(limits.Quiet)
	}
}

// recovered reports whether every object that had a problem recovered.
func (i *incident) recovered() bool {
	return i.Recovers && i.came.problems == 0 && i.came.recoveries > 0 && i.came.others == 0
}

// closed is when it closed, as of now; zero while it is open.
func (i *incident) closed(now time.Time, limits store.Limits) time.Time {
	closes := i.closes(limits)
	if now.Before(closes) && !i.recovered() {
		return time.Time{}
	}
	return closes
}

// fresh reports whether it opened and was neither announced nor told.
func (i *incident) fresh() bool {
	return i.Announced.IsZero() && !i.Since && !i.since
}

// incidentOf is the incident that an alert copy belongs to at a time: the open
// one of its key, one that opens again, or a new one.
func (l *Ledger) incidentOf(tx Tx, r *reader, key string, m *store.Message, n uint64, at time.Time) *incident {
	i := r.current[key]
	if i == nil {
		return l.open(tx, r, key, m, n, at)
	}
	closed := i.closed(at, l.limits)
	switch {
	case closed.IsZero() || i.came.copies == 0:
		return i
	case at.Sub(closed) >= l.limits.Again:
		return l.open(tx, r, key, m, n, at)
	case i.recovered() && !i.came.raises(m):
		return i
	}
	counted := i.Opened.Truncate(l.limits.Segment).Equal(at.Truncate(l.limits.Segment))
	i.Number, i.Opened, i.Again, i.Sequence = n, at, i.Again+1, l.sequence()
	if !counted {
		l.surge(r, i)
	}
	i.Notice, i.Announced = "", time.Time{}
	i.Since, i.since = false, false
	r.reopens(i)
	tx.PutIncident(i.Incident)
	return i
}

// open opens a new incident with the copy numbered n, or takes the one for
// what is too much.
func (l *Ledger) open(tx Tx, r *reader, key string, m *store.Message, n uint64, at time.Time) *incident {
	if i := l.overflow(tx, r, m.Reading.Signature, n, at, l.burst(r, at)[m.Reading.Signature.Source]); i != nil {
		return i
	}
	i := newIncident(l.incidentID(n), r.Name, key, m.Reading.Signature, n, at)
	l.begin(tx, r, i)
	l.surge(r, i)
	return i
}

// begin enters a new incident.
func (l *Ledger) begin(tx Tx, r *reader, i *incident) *incident {
	i.Sequence = l.sequence()
	l.enlist(i, r)
	tx.PutIncident(i.Incident)
	return i
}

// incidentID names an incident after the copy that opened it. A copy that was
// moved may open another.
func (l *Ledger) incidentID(n uint64) string {
	id := "i" + strconv.FormatUint(n, 10)
	for k, first := 2, id; l.byIncident[id] != nil; k++ {
		id = first + "-" + strconv.Itoa(k)
	}
	return id
}

// newIncident is an incident as its first copy opens it.
func newIncident(id, reader, key string, s store.Signature, n uint64, at time.Time) *incident {
	return &incident{Incident: Incident{
		ID: id, Reader: reader, Key: strings.Clone(key), // not to keep the whole mail
		Title: strings.Clone(s.Title), Signature: strings.Clone(s.ID), Format: strings.Clone(s.Format), Recovers: s.Recovers,
		Source: strings.Clone(s.Source), Number: n, Opened: at,
	}}
}

// enlist puts an incident into the books.
func (l *Ledger) enlist(i *incident, r *reader) {
	i.reader, i.index = r, l.incidents.add(i)
	i.came = restored(i.Came)
	l.byIncident[i.ID] = i
	r.opens(i)
}

// opens makes an incident the current one of its key, and the last opened.
func (r *reader) opens(i *incident) {
	r.incidents = append(r.incidents, i)
	r.current[i.Key] = i
}

// reopens moves an incident to the last opened.
func (r *reader) reopens(i *incident) {
	old := slices.Index(r.incidents, i)
	r.incidents = append(slices.Delete(r.incidents, old, old+1), i)
}

// telling is the incident as it is told, as of now. Its tally must be counted.
func (l *Ledger) telling(i *incident, now time.Time) store.Incident {
	t := i.tally()
	if t == nil {
		t = &tally{}
	}
	return store.Incident{
		ID: i.ID, Reader: i.Reader, Key: i.Key, Title: i.Title, Signature: i.Signature,
		Format: i.Format, Recovers: i.Recovers, Opened: i.Opened, Again: i.Again,
		Closed: i.closed(now, l.limits), Copies: i.visible(), First: t.first, Last: t.last,
		Objects: t.list(), ObjectCount: len(t.objects), Others: t.others,
		Notice: i.Notice, Announced: i.Announced, Before: i.Told || i.told, Also: i.also(),
	}
}
