package ledger

import (
	"fmt"
	"slices"
	"time"

	"lull/store"
	"lull/store/filter"
)

// rule is a standing rule with its operation.
type rule struct {
	store.Rule
	filter    filter.Filter
	broken    bool // the filter cannot be read: it matches nothing
	operation *operation
}

// matches reports whether the rule applies to a copy that is being admitted.
func (r *rule) matches(e store.Entry, body []byte) bool {
	return !r.broken && r.Active(e.Message.Accepted) &&
		r.filter.Match(e, e.Message.Accepted, func() []byte { return body })
}

// key is the incident key of a copy: that of the newest group rule that
// matches, so that a correction corrects what stood before, else the signature.
func (l *Ledger) key(m *store.Message, c store.Copy, body []byte) (string, *operation) {
	e := store.Entry{Message: m, Copy: c, Fate: store.Waiting}
	for _, r := range slices.Backward(l.rules) {
		if !r.Active(m.Accepted) {
			continue
		}
		if key := r.decides(e, func() []byte { return body }); key != "" {
			return key, r.operation
		}
	}
	return m.Reading.Signature.ID, nil
}

// group notes that a copy came under the rule of an operation, if any.
func (l *Ledger) group(c *store.Copy, by *operation) {
	c.Grouped = ""
	if by != nil {
		c.Grouped = by.ID
		l.cover(by, c.Number)
		by.groups.Add(c.Number)
	}
}

// grouper is the operation for whose rule a copy is in its incident: the
// latest that was not undone.
func (l *Ledger) grouper(n uint64) string {
	for _, o := range slices.Backward(l.operations) {
		if o.regroups() && o.acts() && o.groups.Contains(n) {
			return o.ID
		}
	}
	return ""
}

// decides is the key that a rule gives a copy that comes, "" for none.
func (r *rule) decides(e store.Entry, body func() []byte) string {
	if r.Kind != store.RuleGroup || r.broken || !r.filter.Match(e, e.Message.Accepted, body) {
		return ""
	}
	return r.filter.Key(r.Key, e)
}

// catch lets the standing rules act on a copy that is being admitted, and
// returns the operation that gives it its fate, if any. All rules that match
// are noted: when one is undone the others still hold.
func (l *Ledger) catch(m *store.Message, c *store.Copy, body []byte) *operation {
	e := store.Entry{Message: m, Copy: *c, Fate: store.Waiting}
	var by []*operation
	for _, r := range l.rules {
		if r.catches(c.Class) && r.matches(e, body) {
			by = append(by, r.operation)
		}
	}
	for _, o := range by {
		l.cover(o, c.Number)
	}
	return l.mark(c, by)
}

// catches reports whether the rule gives copies of a class a fate or a mark.
func (r *rule) catches(c store.Class) bool {
	switch r.Kind {
	case store.RuleHold, store.RulePurge:
		return true
	case store.RuleSilence:
		return c == store.Alert
	}
	return false
}

// cover adds a copy to those that an operation's rule caught.
func (l *Ledger) cover(o *operation, n uint64) {
	o.covers.Add(n)
	o.caught.Add(n)
	if o.effect == silences && o.acts() {
		l.silenced.Add(n)
	}
}

// mark writes on a copy which of the operations, in their order, holds or
// purges it, which rule silences it, and which are left: purges count before
// holds, later ones before earlier ones; the first silence counts.
func (l *Ledger) mark(c *store.Copy, by []*operation) *operation {
	c.Caught, c.Silenced, c.Also = "", "", nil
	by = slices.DeleteFunc(by, func(o *operation) bool { return !o.acts() })
	var caught *operation
	for _, o := range by {
		switch {
		case o.effect == silences && c.Silenced == "":
			c.Silenced = o.Rule
		case o.effect != silences && (caught == nil || o.effect >= caught.effect):
			caught, c.Caught = o, o.ID
		}
	}
	for _, o := range by {
		if o.ID != c.Caught && (o.effect != silences || o.Rule != c.Silenced) {
			c.Also = append(c.Also, o.ID)
		}
	}
	return caught
}

// effective is a copy's record as of now: without what was undone.
func (l *Ledger) effective(c store.Copy) store.Copy {
	if c.Caught != "" || c.Silenced != "" {
		l.mark(&c, l.catchers(c))
	}
	c.Grouped = l.grouper(c.Number)
	return c
}

// catchers are the operations whose rules matched a copy when it came, in order.
func (l *Ledger) catchers(c store.Copy) []*operation {
	var all []*operation
	add := func(id string) {
		if o := l.operation[id]; o != nil {
			all = append(all, o)
		}
	}
	add(c.Caught)
	if r := l.rule(c.Silenced); r != nil {
		add(r.Operation)
	}
	for _, id := range c.Also {
		add(id)
	}
	slices.SortFunc(all, bySequence)
	return all
}

func (l *Ledger) rule(id string) *rule {
	for _, r := range l.rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// standing checks a rule that an operation is to leave, and completes it.
func (l *Ledger) standing(o store.Operate) (*rule, error) {
	r := &rule{Rule: *o.Rule}
	if r.ID == "" {
		r.ID = o.ID
	}
	if r.Filter == "" {
		r.Filter = o.Filter
	}
	if l.rule(r.ID) != nil {
		return nil, fmt.Errorf("rule %s exists: %w", r.ID, store.ErrInvalid)
	}
	if !r.Expires.IsZero() && !o.At.Before(r.Expires) {
		return nil, fmt.Errorf("rule %s has expired: %w", r.ID, store.ErrInvalid)
	}
	f, err := filter.Parse(r.Filter)
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w: %w", r.ID, store.ErrInvalid, err)
	}
	r.filter = f.Fixed(o.At)
	r.Filter = r.filter.String()
	r.By, r.Created, r.Ended, r.Operation = o.By, o.At, time.Time{}, o.ID
	if r.Reason == "" {
		r.Reason = o.Reason
	}
	return r, r.check(o.Kind)
}

// check says whether the rule fits the operation that is to leave it.
func (r *rule) check(kind store.OpKind) error {
	fits := kind == store.OpRule
	switch r.Kind {
	case store.RuleHold:
		fits = fits || kind == store.OpHold
	case store.RulePurge:
		fits = fits || kind == store.OpPurge
	case store.RuleSilence:
	case store.RuleGroup:
		fits = fits && r.Key != ""
	default:
		fits = false
	}
	if !fits {
		return fmt.Errorf("operation %s cannot leave a rule of kind %q: %w", kind, r.Kind, store.ErrInvalid)
	}
	return nil
}

// change gives a rule its new version and keeps it.
func (l *Ledger) change(tx Tx, r *rule) {
	l.head.Version++
	r.Version = l.head.Version
	tx.PutRule(r.Rule)
}
