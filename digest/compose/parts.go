package compose

import (
	"cmp"
	"slices"

	"lull/store"
)

// kind is a part of the digest, in the order in which parts are told.
type kind int

const (
	causes    kind = iota // incidents that probably have one cause; several parts
	fresh                 // open, told for the first time
	again                 // open again since the last digest
	before                // open since before
	quiet                 // open, without a mail in this cut
	cleared               // a cause of which nothing is open any more
	recovered             // all objects have recovered
	notices               // neither problem nor recovery
	late                  // every mail of the cut is late
	silenced              // by a rule: counted only
	kinds
)

// part is one part of the digest. The copies of all parts add up to the cut.
type part struct {
	kind  kind
	cause *Cause // of kinds causes and cleared
	// members are the incidents listed, the most urgent first; those of a
	// cause in its own order. The part silenced has members to be counted.
	members []*tally
	copies  int
}

// parts shares the cut out. Late and silenced copies of an incident that has
// others are counted in those parts, without the incident being listed there.
func parts(in Input, all []*tally) []part {
	var of [kinds]part
	for k := range of {
		of[k].kind = kind(k)
	}
	shared, causeOf := led(in.Causes, all)
	for _, t := range all {
		of[late].copies += t.late
		of[silenced].copies += t.silenced
		if t.silenced > 0 {
			of[silenced].members = append(of[silenced].members, t)
		}
		if t.copies() == 0 || causeOf[t.incident.ID] != nil {
			continue
		}
		home := &of[place(in, t)]
		home.members = append(home.members, t)
		home.copies += t.fresh
	}
	for i := range in.Quiet {
		of[quiet].members = append(of[quiet].members, newTally(in.Quiet[i]))
	}
	var told []part
	for k := range of {
		if k := kind(k); k == causes || k == cleared {
			told = append(told, causeParts(shared, all, causeOf, k)...)
			continue
		}
		if of[k].copies > 0 || len(of[k].members) > 0 {
			slices.SortStableFunc(of[k].members, urgency(of[k].kind))
			told = append(told, of[k])
		}
	}
	return told
}

// place is the part in which an incident with copies that are not silenced is listed.
func place(in Input, t *tally) kind {
	switch {
	case t.fresh == 0:
		return late
	case t.state() == store.Recovery:
		return recovered
	case t.state() == store.Notice:
		return notices
	case !t.incident.Before:
		return fresh
	case t.incident.Again > 0 && t.incident.Opened.After(in.Since):
		return again
	}
	return before
}

// maxCauses bounds the causes that are told; the incidents of others are told
// where they would be without.
const maxCauses = 5

// led are the causes that are told, and the cause under which an incident is:
// the first that names it and of which at least two have copies that are
// neither late nor silenced.
func led(named []Cause, all []*tally) (told []*Cause, causeOf map[string]*Cause) {
	free := make(map[string]bool)
	for _, t := range all {
		free[t.incident.ID] = t.fresh > 0
	}
	causeOf = make(map[string]*Cause)
	for i := range named {
		if len(told) == maxCauses {
			break
		}
		var members []string
		for _, id := range named[i].Incidents {
			if free[id] {
				members = append(members, id)
			}
		}
		if len(members) < 2 {
			continue
		}
		for _, id := range members {
			free[id], causeOf[id] = false, &named[i]
		}
		told = append(told, &named[i])
	}
	return told, causeOf
}

// causeParts are the causes of which something is open (kind causes), or
// nothing is (kind cleared).
func causeParts(shared []*Cause, all []*tally, causeOf map[string]*Cause, k kind) []part {
	byID := make(map[string]*tally, len(causeOf))
	for _, t := range all {
		if causeOf[t.incident.ID] != nil {
			byID[t.incident.ID] = t
		}
	}
	var told []part
	for _, c := range shared {
		p := part{kind: cleared, cause: c}
		for _, id := range c.Incidents {
			if t := byID[id]; t != nil && causeOf[id] == p.cause {
				delete(byID, id)
				p.members = append(p.members, t)
				p.copies += t.fresh
				if t.state() == store.Problem {
					p.kind = causes
				}
			}
		}
		if len(p.members) > 0 && p.kind == k {
			told = append(told, p)
		}
	}
	return told
}

// urgency orders the incidents of a part: what is open before what is not,
// the worst first, then those with the most mails, then the earliest. What is
// past is in the order in which it happened.
func urgency(k kind) func(a, b *tally) int {
	past := k == recovered
	return func(a, b *tally) int {
		if past {
			return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.incident.ID, b.incident.ID))
		}
		return cmp.Or(
			cmp.Compare(a.rank, b.rank),
			cmp.Compare(b.copies(), a.copies()),
			a.incident.First.Compare(b.incident.First),
			cmp.Compare(a.incident.ID, b.incident.ID),
		)
	}
}

func rankOf(t *tally) int {
	if !t.open() {
		return 10
	}
	return severityRank(severity(t))
}

func severityRank(s store.Severity) int {
	worst := []store.Severity{store.Critical, store.Warning, store.Unknown, "", store.Info}
	if i := slices.Index(worst, s); i >= 0 {
		return i
	}
	return len(worst)
}

// severity is the worst that an object with a problem has.
func severity(t *tally) store.Severity {
	worst := store.Info
	found := false
	for _, o := range t.incident.Objects {
		if o.State == store.Problem && (!found || severityRank(o.Severity) < severityRank(worst)) {
			worst, found = o.Severity, true
		}
	}
	if !found {
		return ""
	}
	return worst
}
