package storetest

import (
	"fmt"
	"slices"
	"time"

	"lull/store"
)

// templates draws the key of a grouping rule.
func (m *machine) template() (template string, key func(*copyModel) string) {
	object := func(c *copyModel) string { return c.message.Reading.Reports[0].Object }
	switch one(m, "key", []string{"{signature} {object}", "{object}", "s1-disk", "{id}"}) {
	case "{object}":
		return "{object}", object
	case "{signature} {object}":
		return "{signature} {object}", func(c *copyModel) string { return c.message.Reading.Signature.ID + " " + object(c) }
	case "{id}":
		return "{id}", func(c *copyModel) string { return c.id }
	}
	return "s1-disk", func(*copyModel) string { return "s1-disk" }
}

// regroup lays a grouping rule.
func (m *machine) regroup() {
	f := m.choice()
	o := m.order(store.OpRule, "")
	left := m.draftRule(store.RuleGroup, f, o)
	template, key := m.template()
	o.Rule = &store.Rule{ID: left.ID, Kind: store.RuleGroup, Filter: f.text, Key: template, Expires: left.Expires}
	for range 1 + m.pick("times", 2) {
		m.each("regroup", nil, func(s store.Store) error {
			_, err := s.Operate(m.Context(), o)
			return err
		})
	}
	m.book(o, "group", nil, left)
	op := m.model.ops[len(m.model.ops)-1]
	op.key, op.loose = key, make(map[*copyModel]bool)
	for _, c := range m.model.copies {
		if c.Class != store.Alert || c.sealed != "" || !f.matches(c) {
			continue
		}
		switch {
		case m.model.is(c, store.Waiting, store.Held):
			op.covers[c] = true
		case !m.model.is(c, store.InFlight):
			op.loose[c] = true // as its incident is open, or not
		}
	}
}

// group lets a copy come under a grouping rule.
func (o *opModel) group(c *copyModel) {
	if c.Class != store.Alert || o.undone || !o.rule.filter.matches(c) {
		return
	}
	if o.rule.Active(c.message.Accepted) {
		o.covers[c] = true
		return
	}
	o.loose[c] = true // ends and expiries change
}

// letGo is what retention does to a grouping rule of which nothing is left but
// what later rules have: should those be undone, it is not asked again.
func (o *opModel) letGo() {
	for c := range o.covers {
		c.loose = true
	}
	clear(o.covers)
}

// key is the incident key of a copy, by the newest rule that gives it one;
// known is false where the model does not tell.
func (m *model) key(c *copyModel) (key string, known bool) {
	if c.loose {
		return "", false
	}
	for _, o := range slices.Backward(m.ops) {
		switch {
		case o.key == nil || o.undone:
		case o.loose[c]:
			return "", false
		case o.covers[c]:
			return o.key(c), true
		}
	}
	return c.message.Reading.Signature.ID, true
}

// ungroup is the undo of a grouping rule. What was in flight stays where it
// came to; clocks that step make older rules stand when they did not.
func (m *model) ungroup(o *opModel) {
	for c := range o.covers {
		if m.is(c, store.InFlight) {
			c.loose = true
		}
		for _, older := range m.ops {
			if older == o {
				break
			}
			if older.key == nil || older.undone || !older.rule.filter.matches(c) {
				continue
			}
			if r := older.rule; older.covers[c] != stood(r.Rule, c.message.Accepted) {
				c.loose = true
			}
		}
	}
}

func stood(r store.Rule, at time.Time) bool {
	return (r.Ended.IsZero() || at.Before(r.Ended)) && (r.Expires.IsZero() || at.Before(r.Expires))
}

// checkKeys sees that every copy is in an incident of its key.
func (m *machine) checkKeys(w *world, entries []store.Entry, kept []*copyModel) {
	keys := make(map[string]string)
	for k, e := range entries {
		want, known := m.model.key(kept[k])
		if e.Copy.Class != store.Alert || !known {
			continue
		}
		if keys[e.Copy.Incident] == "" {
			keys[e.Copy.Incident] = got(w.Store.Incident(m.Context(), e.Copy.Incident, m.now)).or(w).Key
		}
		if key := keys[e.Copy.Incident]; key != want {
			m.Fatalf("copy %s is in incident %s of key %q, want %q", e.ID(), e.Copy.Incident, key, want)
		}
	}
}

// byKey sums up incidents by reader and key: what is the same in whatever
// order mail was grouped.
func byKey(incidents []store.Incident) string {
	type sum struct {
		copies, others int
		objects        map[string]int
		first, last    time.Time
	}
	sums := make(map[string]sum)
	for _, i := range incidents {
		s := sums[i.Reader+" "+i.Key]
		if s.objects == nil {
			s.objects = make(map[string]int)
		}
		s.copies += i.Copies
		s.others += i.Others
		for _, o := range i.Objects {
			s.objects[o.Name] += o.Reports
		}
		if s.first.IsZero() || i.First.Before(s.first) {
			s.first = i.First
		}
		if i.Last.After(s.last) {
			s.last = i.Last
		}
		sums[i.Reader+" "+i.Key] = s
	}
	return fmt.Sprint(sums)
}
