package ledger

import (
	"fmt"
	"strings"
	"time"

	"lull/store"
)

// overflowFormat is the format of an overflow incident.
const overflowFormat = "overflow"

// burst counts the incidents of a reader that opened in one hour (a segment).
type burst struct {
	hour     time.Time
	bySource map[string]int
}

// overflow is the incident that takes a mail of a new key once its source has
// opened as many as it may, or the reader has as many as are
// kept; nil while there is room. Every mail in it is counted and listed like
// any other. It closes after quiet: nobody can say what all recovered from.
func (l *Ledger) overflow(tx Tx, r *reader, s store.Signature, n uint64, at time.Time, opened int) *incident {
	source := s.Source
	var key, title string
	switch {
	case over(len(r.incidents), l.limits.Incidents):
		source = ""
		key = overflowFormat
		title = fmt.Sprintf("Further mail of all kinds, beyond %d incidents", l.limits.Incidents)
	case over(opened, l.limits.Openings):
		key = overflowFormat + " " + source
		title = fmt.Sprintf("Further kinds of mail from %s, beyond %d", sourceName(source), l.limits.Openings)
	default:
		return nil
	}
	if i := r.current[key]; i != nil && (i.came.copies == 0 || i.closed(at, l.limits).IsZero()) {
		return i
	}
	i := newIncident(l.incidentID(n), r.Name, key, s, n, at)
	i.Title, i.Signature, i.Format, i.Recovers, i.Source = title, key, overflowFormat, false, strings.Clone(source)
	return l.begin(tx, r, i)
}

// over reports whether a count has reached a bound; 0 is no bound.
func over(n, bound int) bool { return bound > 0 && n >= bound }

func sourceName(source string) string {
	if source == "" {
		return "an unknown source"
	}
	return source
}

// burst is how many incidents of a reader opened in the hour of a time, by source.
func (l *Ledger) burst(r *reader, at time.Time) map[string]int {
	hour := at.Truncate(l.limits.Segment)
	if b := &r.burst; b.bySource == nil || !b.hour.Equal(hour) {
		*b = burst{hour: hour, bySource: make(map[string]int)}
		for _, i := range r.incidents {
			l.surge(r, i)
		}
	}
	return r.burst.bySource
}

// surge counts an incident that opened in the hour that is counted.
func (l *Ledger) surge(r *reader, i *incident) {
	if b := &r.burst; b.bySource != nil && i.Format != overflowFormat && b.hour.Equal(i.Opened.Truncate(l.limits.Segment)) {
		b.bySource[i.Source]++
	}
}
