package ledger

import (
	"math"
	"strings"
	"time"

	"lull/store"
)

// object is a [store.Object] in half the space: incidents have many.
type object struct {
	name, kind        string
	first, last       instant
	since             instant
	stated            instant // time of the report that gave the state
	reports, problems uint32
	state             state
	severity          severity
}

// instant is a time in nanoseconds since 1970, never for the zero time.
type instant int64

const never instant = math.MinInt64

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return never
	}
	return instant(t.UnixNano())
}

func (i instant) time() time.Time {
	if i == never {
		return time.Time{}
	}
	return time.Unix(0, int64(i)).UTC()
}

// state is a [store.State].
type state uint8

const (
	unsaid state = iota
	problem
	recovery
	notice
)

func stateOf(s store.State) state {
	switch s {
	case "":
		return unsaid
	case store.Problem:
		return problem
	case store.Recovery:
		return recovery
	}
	return notice
}

func (s state) name() store.State {
	return [...]store.State{"", store.Problem, store.Recovery, store.Notice}[s]
}

// severity is a [store.Severity]; others than the known ones are not kept.
type severity uint8

func severities() [5]store.Severity {
	return [...]store.Severity{"", store.Critical, store.Warning, store.Unknown, store.Info}
}

func severityOf(s store.Severity) severity {
	for i, known := range severities() {
		if s == known {
			return severity(i)
		}
	}
	return 0
}

// compact is the object of a record.
func compact(o store.Object, stated time.Time) object {
	return object{
		name: o.Name, kind: o.Kind, first: instantOf(o.First), last: instantOf(o.Last), since: instantOf(o.Since),
		stated: instantOf(stated), reports: uint32(o.Reports), problems: uint32(o.Problems),
		state: stateOf(o.State), severity: severityOf(o.Severity),
	}
}

// telling is the object as it is told.
func (o *object) telling() store.Object {
	return store.Object{
		Name: o.name, State: o.state.name(), Kind: o.kind, Severity: severities()[o.severity],
		Reports: int(o.reports), First: o.first.time(), Last: o.last.time(), Since: o.since.time(), Problems: int(o.problems),
	}
}

// add takes a report, and returns the state before and after it.
func (o *object) add(r store.Report, at instant) (from, to state) {
	from = o.state
	newest := at >= o.last
	o.reports++
	if o.first == never || at < o.first {
		o.first = at
	}
	o.last = max(o.last, at)
	if newest && r.Severity != "" {
		o.severity = severityOf(r.Severity)
	}
	switch s := stateOf(r.State); {
	case s != problem && s != recovery:
		o.note(r, at, newest)
	case at >= o.stated:
		o.turn(s, r, at)
	}
	return from, o.state
}

// note takes a notice: it does not change the state of an object that has a
// problem or recovered, so an acknowledged problem stays one.
func (o *object) note(r store.Report, at instant, newest bool) {
	if o.state == unsaid {
		o.state, o.since = notice, at
	}
	if newest {
		o.kind = strings.Clone(r.Kind)
	}
}

// turn takes a problem or a recovery that is not older than the state.
func (o *object) turn(s state, r store.Report, at instant) {
	o.stated, o.kind = at, strings.Clone(r.Kind)
	if o.state == s {
		return
	}
	o.state, o.since = s, at
	if s == problem {
		o.problems++
	}
}
