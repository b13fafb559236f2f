package compose

import (
	"slices"
	"strings"

	"lull/store"
)

// Columns that foreign texts may take.
const (
	titleColumns   = 150
	excerptColumns = 160
	reasonColumns  = 200
)

// section puts one part into words, within limits; what is left out is added to out.
func (a *account) section(p *part, l limits, out *Omitted) section {
	s := section{Kind: kindWord(p.kind), Title: a.title(p), Count: counted(p), Notes: a.partNotes(p, l)}
	if p.kind == silenced {
		return s
	}
	if p.cause != nil {
		s.Lead = shown(p.cause.Title, titleColumns)
	}
	if p.kind >= quiet {
		l.full = 0
	}
	listed := min(l.listed, len(p.members))
	var said []string
	for i, t := range p.members[:listed] {
		line, named := a.line(p.kind, t, l, i < l.full)
		if slices.Equal(line.Excerpt, said) {
			line.Excerpt = nil // as the one before
		} else {
			said = line.Excerpt
		}
		out.Objects += objectsOf(&t.incident) - named
		s.Lines = append(s.Lines, line)
	}
	if rest := p.members[listed:]; len(rest) > 0 {
		n := 0
		for _, t := range rest {
			n += t.copies()
			out.Objects += objectsOf(&t.incident)
		}
		out.Incidents += len(rest)
		out.Copies += n
		s.Rest = rested(len(rest), n, listed)
		s.Command = a.command("incidents")
	}
	return s
}

func rested(n, copies, listed int) string {
	more := ""
	if listed > 0 {
		more = " more"
	}
	s := "and " + count(n, "incident", "incidents")
	s = strings.Replace(s, " incident", more+" incident", 1)
	return s + some(copies, " with "+mails(copies)) + ":"
}

func kindWord(k kind) string {
	return [kinds]string{"cause", "new", "again", "before", "quiet", "cleared", "recovered", "notices", "late", "silenced"}[k]
}

func (a *account) title(p *part) string {
	if p.cause != nil {
		return "Probably one cause"
	}
	return [kinds]string{
		fresh: "New and open", again: "Open again", before: "Open since before", quiet: "Open, no new mail",
		recovered: "Recovered", notices: "Notices", late: "Late", silenced: "Silenced",
	}[p.kind]
}

func counted(p *part) string {
	return list(", ", some(len(p.members), incidents(len(p.members))), some(p.copies, mails(p.copies)))
}

// partNotes are what there is to say of a part before its incidents.
func (a *account) partNotes(p *part, l limits) []string {
	switch p.kind {
	case causes, cleared:
		return a.reasons(p, l.reasons)
	case late:
		return a.lateNotes(p)
	case silenced:
		return []string{"Kept quiet by " + rulesOf(a.Entries) + "; see lull rules."}
	}
	return nil
}

func (a *account) reasons(p *part, limit int) []string {
	first := p.members[0]
	for _, t := range p.members {
		if t.incident.First.Before(first.incident.First) {
			first = t
		}
	}
	notes := []string{"Earliest at " + a.clock.at(first.incident.First) + ": " + shown(first.incident.Title, titleColumns)}
	var because []string
	for _, r := range p.cause.Reasons[:min(limit, len(p.cause.Reasons))] {
		because = append(because, shown(r, reasonColumns))
	}
	if why := list("; ", because...); why != "" {
		notes = append(notes, "Because: "+why)
	}
	return notes
}

func (a *account) lateNotes(p *part) []string {
	notes := []string{"Sent more than " + lasting(a.LateAfter) + " before this digest; the times are the mails' own."}
	elsewhere, of := 0, 0
	for _, t := range a.tallies {
		if t.late > 0 && t.fresh > 0 {
			elsewhere += t.late
			of++
		}
	}
	if of > 0 {
		notes = append(notes, "Counted here: "+mails(elsewhere)+" of "+incidents(of)+" told above.")
	}
	return notes
}

// rulesOf names the rules that silenced copies, with how many each.
func rulesOf(entries []store.Entry) string {
	by := make(map[string]int)
	var ids []string
	for i := range entries {
		if id := entries[i].Copy.Silenced; id != "" {
			if by[id]++; by[id] == 1 {
				ids = append(ids, id)
			}
		}
	}
	slices.SortStableFunc(ids, func(x, y string) int { return by[y] - by[x] })
	const most = 3
	var names []string
	for _, id := range ids[:min(most, len(ids))] {
		names = append(names, "rule "+clean(id, 40)+" ("+mails(by[id])+")")
	}
	if more := len(ids) - most; more > 0 {
		names = append(names, count(more, "other rule", "other rules"))
	}
	return strings.Join(names, ", ")
}
