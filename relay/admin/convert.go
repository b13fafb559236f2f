package admin

import (
	"slices"
	"time"

	"lull/store"
	"lull/store/filter"
)

func copyOf(e store.Entry, now time.Time) Copy {
	m := e.Message
	c := Copy{
		ID: e.ID(), Message: m.ID,
		From: m.Envelope.From, To: e.Copy.To, Reader: e.Copy.Reader,
		Subject: m.Reading.Subject, Accepted: m.Accepted.UTC(),
		Age:   int64(now.Sub(filter.Sent(m)) / time.Second),
		Class: string(e.Copy.Class), Reason: e.Copy.Reason,
		Signature: m.Reading.Signature.ID, Title: m.Reading.Signature.Title,
		Incident: e.Copy.Incident, Fate: string(e.Fate), In: e.In, Notice: e.Shown,
		Client: m.Envelope.Client, Size: m.Size, Number: e.Copy.Number, Grouped: e.Copy.Grouped,
		Attempts: e.Progress.Attempts, Retry: utc(e.Progress.Next),
	}
	if e.Progress.Joined != "" {
		c.Reason = e.Progress.Joined
	}
	if e.Progress.Attempts > 0 {
		c.Reply = e.Progress.Reply.String()
	}
	if len(m.Reading.Reports) > 0 {
		worst := m.Reading.Reports[0]
		c.Object, c.State, c.Severity = worst.Object, string(worst.State), string(worst.Severity)
	}
	return c
}

// utc is the time in UTC; the zero time stays zero.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

func incidentOf(i store.Incident) Incident {
	return Incident{
		ID: i.ID, Reader: i.Reader, Title: i.Title, Signature: i.Signature,
		State: string(i.State()), Objects: i.ObjectCount, Copies: i.Copies,
		First: utc(i.First), Last: utc(i.Last),
		Key: i.Key, Format: i.Format, Open: i.Open(), Again: i.Again,
		Closed: utc(i.Closed), Announced: utc(i.Announced), Notice: i.Notice,
		Worst: worst(i.Objects, 10),
	}
}

// worst are the objects in the most trouble, at most n.
func worst(objects []store.Object, n int) []Affected {
	rank := map[store.State]int{store.Problem: 0, store.Notice: 1, store.Recovery: 2}
	sorted := slices.SortedStableFunc(slices.Values(objects), func(a, b store.Object) int {
		return rank[a.State] - rank[b.State]
	})
	var list []Affected
	for _, o := range sorted[:min(n, len(sorted))] {
		list = append(list, Affected{Object: o.Name, State: string(o.State), Kind: o.Kind, Reports: o.Reports, Since: utc(o.Since)})
	}
	return list
}

func operationOf(o store.Operation) Operation {
	return Operation{
		Operation: o.ID, Kind: string(o.Kind), By: o.By, At: utc(o.At), Reason: o.Reason,
		Copies: o.Copies, Undone: !o.Undone.IsZero(), UndoneAt: utc(o.Undone), UndoneBy: o.UndoneBy,
		Filter: o.Filter, Caught: o.Caught, Readers: o.Readers, Incidents: o.Incidents,
		Rule: o.Rule, Forever: o.Forever, Gone: o.Gone, Moves: movesOf(o), Moved: o.Moved,
	}
}

func movesOf(o store.Operation) []Move {
	var all []Move
	for _, m := range o.Moves {
		all = append(all, Move{Reader: m.Reader, From: m.From, To: m.To, Copies: m.Copies})
	}
	return all
}

func ruleOf(r store.Rule, now time.Time) Rule {
	return Rule{
		ID: r.ID, Kind: string(r.Kind), Filter: r.Filter, Key: r.Key, By: r.By, Reason: r.Reason,
		Created: utc(r.Created), Expires: utc(r.Expires), Ended: utc(r.Ended),
		Active: r.Active(now), Operation: r.Operation, Caught: r.Caught,
	}
}

func changedOf(o store.Operation) Changed {
	c := Changed{
		Operation: o.ID, Kind: string(o.Kind), Copies: o.Copies, Incidents: o.Incidents,
		Readers: o.Readers, InFlight: o.InFlight, Rule: o.Rule, Left: o.Left,
		Caught: o.Caught, Undone: !o.Undone.IsZero(),
		Moves: movesOf(o), Moved: o.Moved, Gone: o.Gone,
	}
	if !o.Forever && o.Undone.IsZero() {
		c.Undo = "lull undo " + o.ID
	}
	return c
}
