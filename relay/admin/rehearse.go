package admin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"lull/store"
	"lull/store/filter"
)

// testRule shows what a grouping rule, or a correction, would have done with
// the mail in the store.
func (s *Server) testRule(w http.ResponseWriter, r *http.Request) error {
	c, err := read[RuleChange](r)
	if err != nil {
		return err
	}
	now := time.Now()
	if c.Kind == "split" || c.Kind == "merge" {
		if c, err = s.correction(r.Context(), c.Kind, c, now); err != nil {
			return err
		}
	}
	if c.Kind != string(store.RuleGroup) {
		return usage(fmt.Sprintf("only grouping rules are tested, not %q; `lull list FILTER` shows what other rules would match", c.Kind))
	}
	rule, err := newRule(c, now)
	if err != nil {
		return err
	}
	t, err := s.rehearse(r.Context(), rule, now)
	if err != nil {
		return err
	}
	return answer(w, t)
}

// flow is how many copies of a reader went under one key and would go under
// another; the keys are the same for those that the rule leaves alone.
type flow struct{ reader, from, to string }

// rehearse gives the rule every alert that is kept, as it came.
func (s *Server) rehearse(ctx context.Context, rule store.Rule, now time.Time) (RuleTested, error) {
	t := RuleTested{Filter: rule.Filter, Key: rule.Key}
	f, err := filter.Parse(rule.Filter)
	if err != nil {
		return t, err
	}
	incidents, latest, err := s.latest(ctx, now)
	if err != nil {
		return t, err
	}
	flows := make(map[flow]int)
	for e, err := range s.cfg.Store.Copies(ctx, store.Query{}) {
		if err != nil {
			return t, err
		}
		i, known := incidents[e.Copy.Incident]
		if !known || e.Copy.Class != store.Alert {
			continue
		}
		t.Copies++
		to := i.Key
		if s.groups(ctx, f, e) {
			t.Matched++
			to = cmp.Or(f.Key(rule.Key, e), to)
		}
		flows[flow{i.Reader, i.Key, to}]++
	}
	t.Splits = regrouped(flows, func(f flow) (string, string) { return f.from, f.to }, latest)
	t.Merges = regrouped(flows, func(f flow) (string, string) { return f.to, f.from }, latest)
	return t, nil
}

// groups reports whether a rule would match a copy when it came.
func (s *Server) groups(ctx context.Context, f filter.Filter, e store.Entry) bool {
	e.Copy.Incident, e.Fate = "", store.Waiting
	return f.Match(e, e.Message.Accepted, func() []byte {
		body, _ := s.cfg.Store.Body(ctx, e.Message.ID) // removed after its time: the excerpt must do
		return body
	})
}

// latest are all incidents by id, and the last one of each key and reader.
func (s *Server) latest(ctx context.Context, now time.Time) (byID map[string]store.Incident, last map[[2]string]store.Incident, err error) {
	byID, last = make(map[string]store.Incident), make(map[[2]string]store.Incident)
	for i, err := range s.cfg.Store.Incidents(ctx, "", now) {
		if err != nil {
			return nil, nil, err
		}
		i.Objects = nil
		byID[i.ID] = i
		last[[2]string{i.Reader, i.Key}] = i
	}
	return byID, last, nil
}

// shownParts are told of each key, the others counted.
const shownParts = 20

// regrouped are the keys on one side of the flows that have several on the
// other, those with the most copies first.
func regrouped(flows map[flow]int, sides func(flow) (one, many string), latest map[[2]string]store.Incident) []Regrouped {
	by := make(map[[2]string]*Regrouped)
	for f, n := range flows {
		one, many := sides(f)
		at := [2]string{f.reader, one}
		if by[at] == nil {
			by[at] = &Regrouped{Reader: f.reader, Part: part(f.reader, one, 0, latest)}
		}
		by[at].Copies += n
		by[at].Parts = append(by[at].Parts, part(f.reader, many, n, latest))
	}
	maps.DeleteFunc(by, func(_ [2]string, g *Regrouped) bool { return len(g.Parts) < 2 })
	all := []Regrouped{}
	for _, g := range by {
		slices.SortFunc(g.Parts, mostCopies)
		g.Of, g.Parts = len(g.Parts), g.Parts[:min(shownParts, len(g.Parts))]
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Regrouped) int {
		return cmp.Or(mostCopies(a.Part, b.Part), cmp.Compare(a.Reader, b.Reader))
	})
	return all
}

func part(reader, key string, copies int, latest map[[2]string]store.Incident) Part {
	i := latest[[2]string{reader, key}]
	return Part{Key: key, Incident: i.ID, Title: i.Title, Copies: copies}
}

func mostCopies(a, b Part) int {
	return cmp.Or(cmp.Compare(b.Copies, a.Copies), cmp.Compare(a.Key, b.Key))
}
