package compose

import (
	"strings"
	"time"

	"lull/store"
)

// line puts one incident into words. named is how many of its objects are.
func (a *account) line(k kind, t *tally, l limits, full bool) (out line, named int) {
	out = line{Title: shown(t.incident.Title, titleColumns), Level: "calm"}
	if out.Title == "" {
		out.Title = "(no title)"
	}
	objects, named := objectFacts(t, l.names)
	switch {
	case k == quiet || t.copies() == 0:
		out.Level, out.Label = level(t)
		out.Facts = append([]string{mails(t.incident.Copies) + " " + a.clock.between(t.incident.First, t.incident.Last)}, objects...)
		return out, named
	case k <= before && t.state() != store.Problem:
		out.Label = overLabel(t.state())
		out.Facts = append([]string{a.past(k, t) + " " + a.clock.between(a.begin(t), t.last)}, objects...)
	case k == late || t.state() != store.Problem:
		out.When = a.clock.span(a.begin(t), t.last)
		out.Facts = append(objects, a.past(k, t))
	default:
		out.Level, out.Label = level(t)
		out.Facts = append([]string{a.going(t)}, objects...)
	}
	out.Facts = append(out.Facts, a.asides(t)...)
	if t.open() {
		out.ID = clean(t.telling().ID(), 60)
	}
	if full && t.open() {
		out.Full, out.Excerpt = true, excerpt(t.telling(), l.excerpt)
	}
	return out, named
}

// level is how bad it is, and the word for it.
func level(t *tally) (level, label string) {
	switch s := severity(t); s {
	case store.Critical, store.Warning, store.Unknown, store.Info:
		return string(s), string(s)
	}
	return "problem", ""
}

// begin is when the trouble began that the copies tell the end of.
func (a *account) begin(t *tally) time.Time {
	if t.incident.Before && t.incident.Opened.Before(t.first) {
		return t.incident.Opened
	}
	return t.first
}

// going tells the mails of trouble that goes on.
func (a *account) going(t *tally) string {
	s := mails(t.fresh)
	if t.late > 0 {
		s += " and " + count(t.late, "late one", "late ones")
	}
	s += " " + a.clock.between(t.first, t.last)
	if total := t.incident.Copies; total > t.copies() {
		s += ", " + digits(total) + " since " + a.clock.at(t.incident.First)
	}
	if t.incident.Again > 0 {
		s += "; opened again at " + a.clock.at(t.incident.Opened)
	}
	return s
}

// past tells the mails of what is over, or late.
func (a *account) past(k kind, t *tally) string {
	s := mails(t.copies())
	if total := t.incident.Copies; total > t.copies() {
		s += " of " + digits(total)
	}
	switch {
	case t.open() && k == late:
		s += ", still open"
	case t.state() == store.Problem:
		s += ", then quiet"
	case t.state() == store.Recovery && k == late:
		s += ", recovered"
	}
	if begin := a.begin(t); k > before && !a.clock.sameDay(begin, t.last) {
		s += ", until " + a.clock.at(t.last)
	}
	return s
}

// asides are what else a reader should know of the mails.
func (a *account) asides(t *tally) []string {
	var facts []string
	if t.shown > 0 {
		facts = append(facts, a.announcement(t))
	}
	if t.doubtful > 0 {
		facts = append(facts, count(t.doubtful, "mail claims", "mails claim")+" an impossible time and is shown by its arrival")
	}
	if t.joined != "" {
		facts = append(facts, "not passed on singly: "+shown(t.joined, reasonColumns))
	}
	return facts
}

// announcement tells of the copies that notices showed whole.
func (a *account) announcement(t *tally) string {
	s := "announced to you"
	if t.shown > 1 {
		s = digits(t.shown) + " of them sent to you at once, the first"
	}
	if at := a.announced(t); !at.IsZero() {
		s += " at " + a.clock.at(at)
	}
	return s
}

// announced is when the notice went that showed mail of the incident.
func (a *account) announced(t *tally) time.Time {
	for i := range a.Notices {
		if n := &a.Notices[i]; n.ID == t.notice {
			if n.Ended.IsZero() {
				return n.At
			}
			return n.Ended
		}
	}
	return t.incident.Announced
}

// objectFacts tell the objects by state, at most so many names in each.
func objectFacts(t *tally, limit int) (facts []string, names int) {
	clusters := t.clusters()
	for _, c := range clusters {
		list, n := listed(c.names, limit)
		names += n
		if len(clusters) > 1 {
			facts = append(facts, clusterWord(c)+" on "+numbered(digits(len(c.names)), list, n, len(c.names)))
		} else if fact := onlyFact(t, c, list, n); fact != "" {
			facts = append(facts, fact)
		}
	}
	if n := t.incident.Others; n > 0 {
		facts = append(facts, count(n, "report", "reports")+" about other objects")
	}
	if f := flappingFact(t.incident.Objects, limit); f != "" {
		facts = append(facts, f)
	}
	return facts, names
}

// onlyFact tells the objects of an incident that are all in one state. One
// that the title names already is not named again.
func onlyFact(t *tally, c cluster, list string, n int) string {
	total := len(c.names)
	switch {
	case total == 1 && n == 1 && strings.Contains(shown(t.incident.Title, titleColumns), list):
		return ""
	case total == n && n <= 3:
		return "on " + list
	}
	return "on " + numbered(count(total, "object", "objects"), list, n, total)
}

func clusterWord(c cluster) string {
	switch {
	case c.state == store.Problem:
		return "problem"
	case c.state == store.Recovery:
		return "recovered"
	case c.kind != "":
		return clean(c.kind, 30)
	}
	return "notice"
}

// overLabel is the word for an incident told among open ones.
func overLabel(s store.State) string {
	if s == store.Recovery {
		return "recovered"
	}
	return string(s)
}
