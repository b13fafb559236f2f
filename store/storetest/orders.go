package storetest

import (
	"fmt"
	"slices"
	"time"

	"lull/store"
)

// choice draws a filter.
func (m *machine) choice() choice {
	all := []choice{
		{"", func(*copyModel) bool { return true }},
		{"--class pass", func(c *copyModel) bool { return c.Class == store.Pass }},
		{"--is problem", func(c *copyModel) bool { return c.message.Reading.Reports[0].State == store.Problem }},
	}
	for _, reader := range []string{ann, bob} {
		all = append(all, choice{"--reader " + reader, func(c *copyModel) bool { return c.Reader == reader }})
	}
	for _, object := range []string{"host1", "host2"} {
		all = append(all, choice{"--object " + object, func(c *copyModel) bool { return c.message.Reading.Reports[0].Object == object }})
	}
	all = append(all,
		choice{"--signature s1-load", func(c *copyModel) bool { return c.message.Reading.Signature.ID == "s1-load" }},
		choice{"--signature s1-disk --to " + ann, func(c *copyModel) bool {
			return c.message.Reading.Signature.ID == "s1-disk" && c.To == ann
		}},
	)
	return one(m, "filter", all)
}

func (m *machine) order(kind store.OpKind, filter string) store.Operate {
	return store.Operate{ID: m.id("o"), At: m.now, Kind: kind, By: "op", Reason: "test", Filter: filter}
}

// operate runs an operation on copies, now and then with a rule.
func (m *machine) operate() {
	f := m.choice()
	o := m.order(one(m, "kind", []store.OpKind{store.OpHold, store.OpHold, store.OpRelease, store.OpPurge, store.OpPurge, store.OpExpire}), f.text)
	var left *ruleModel
	if (o.Kind == store.OpHold || o.Kind == store.OpPurge) && m.pick("with a rule", 3) == 0 {
		left = m.draftRule(store.RuleKind(o.Kind), f, o)
		o.Rule = &store.Rule{ID: left.ID, Kind: left.Kind, Expires: left.Expires}
	}
	if m.pick("token", 3) == 0 && len(m.model.copies) > 0 {
		o.UpTo = 1 + uint64(m.pick("up to", len(m.model.copies)))
	}
	set, inFlight := m.model.operate(o, f)
	var want error
	if len(set) == 0 && left == nil {
		want = store.ErrNothing
	}
	for range 1 + m.pick("times", 2) {
		m.each("operate", want, func(s store.Store) error {
			done, err := s.Operate(m.Context(), o)
			if err == nil && (done.Copies != len(set) || done.InFlight != inFlight) {
				m.Fatalf("operation %+v, want %d copies and %d in flight", done, len(set), inFlight)
			}
			return err
		})
	}
	if want == nil {
		m.book(o, string(o.Kind), set, left)
	}
}

func (m *machine) draftRule(kind store.RuleKind, f choice, o store.Operate) *ruleModel {
	r := &ruleModel{Rule: store.Rule{ID: m.id("r"), Kind: kind, Operation: o.ID}, filter: f}
	if m.pick("expires", 2) == 0 {
		r.Expires = m.now.Add(time.Duration(1+m.pick("hours", 30)) * time.Hour)
	}
	return r
}

// book enters an operation into the model.
func (m *machine) book(o store.Operate, effect string, set []*copyModel, left *ruleModel) {
	op := &opModel{Operation: store.Operation{ID: o.ID, Kind: o.Kind, At: o.At}, effect: effect, covers: make(map[*copyModel]bool), rule: left}
	for _, c := range set {
		op.covers[c] = true
	}
	if left != nil {
		op.Operation.Rule, op.Before = left.ID, left.Expires
	}
	m.model.ops = append(m.model.ops, op)
}

// lay leaves a standing rule without touching a copy.
func (m *machine) lay() {
	f := m.choice()
	o := m.order(store.OpRule, "")
	kind := one(m, "kind", []store.RuleKind{store.RuleHold, store.RulePurge, store.RuleSilence})
	left := m.draftRule(kind, f, o)
	o.Rule = &store.Rule{ID: left.ID, Kind: kind, Filter: f.text, Expires: left.Expires}
	m.each("lay", nil, func(s store.Store) error {
		_, err := s.Operate(m.Context(), o)
		return err
	})
	m.book(o, string(kind), nil, left)
}

// alter ends or extends a rule.
func (m *machine) alter() {
	var rules []*ruleModel
	for _, o := range m.model.ops {
		if o.rule != nil {
			rules = append(rules, o.rule)
		}
	}
	if len(rules) == 0 {
		return
	}
	r := one(m, "rule", rules)
	o := m.order(one(m, "kind", []store.OpKind{store.OpEnd, store.OpExtend}), "")
	o.Rule = &store.Rule{ID: r.ID}
	if o.Kind == store.OpExtend && m.pick("for ever", 3) > 0 {
		o.Rule.Expires = m.now.Add(time.Duration(1+m.pick("hours", 30)) * time.Hour)
	}
	var want error
	if !r.Active(m.now) {
		want = store.ErrNotFound
	}
	m.each("alter", want, func(s store.Store) error {
		_, err := s.Operate(m.Context(), o)
		return err
	})
	if want != nil {
		return
	}
	op := &opModel{Operation: store.Operation{ID: o.ID, Kind: o.Kind, At: o.At, Rule: r.ID}}
	if o.Kind == store.OpEnd {
		r.Ended = m.now
	} else {
		op.Before, r.Expires = o.Rule.Expires, o.Rule.Expires // the model keeps what it became
	}
	m.model.ops = append(m.model.ops, op)
}

func (m *machine) undo() {
	kept := slices.DeleteFunc(slices.Clone(m.model.ops), func(o *opModel) bool { return o.gone })
	if len(kept) > 0 {
		m.takeBack(one(m, "operation", kept))
	}
}

// takeBack undoes an operation on every store and in the model.
func (m *machine) takeBack(o *opModel) {
	m.each("undo "+o.ID, nil, func(s store.Store) error {
		done, err := s.Undo(m.Context(), store.Undo{Operation: o.ID, At: m.now, By: "op"})
		if err == nil && done.Undone.IsZero() {
			m.Fatalf("undone %+v", done)
		}
		return err
	})
	m.model.undo(o, m.now)
}

func (m *machine) tend() {
	t := store.Tend{At: m.now, Gate: m.gate, ID: m.id("t") + "-", Prune: m.prune}
	var sealed uint64
	m.each("tend", nil, func(s store.Store) error {
		done, err := s.Tend(m.Context(), t)
		sealed = done.Sealed
		return err
	})
	m.released(m.model.expire(t))
	if sealed > 0 || m.prune {
		m.forget(int(sealed))
	}
}

// released checks that the stores released what the model says.
func (m *machine) released(ops []*opModel) {
	for _, o := range ops {
		for _, w := range m.worlds {
			if n := len(w.numbers(store.Query{Operation: o.ID})); n != len(o.covers) {
				m.Fatalf("operation %s released %d copies, want %d", o.ID, n, len(o.covers))
			}
		}
	}
}

// forget takes out of the model what retention removed from the stores, if it may.
func (m *machine) forget(sealed int) {
	w := m.worlds[0]
	kept, gone := make(map[uint64]bool), 0
	for _, n := range w.numbers(store.Query{}) {
		kept[n] = true
	}
	for _, c := range m.model.copies {
		if kept[c.Number] || c.sealed != "" {
			continue
		}
		if err := m.model.prunable(c, m.now); err != nil {
			m.Fatal(err)
		}
		c.sealed, _ = m.model.fate(c)
		gone++
	}
	if gone != sealed {
		m.Fatalf("%d copies were sealed, %d are gone", sealed, gone)
	}
	m.forgetBatches(w)
	ops := make(map[string]bool)
	for _, o := range gather(w, w.Operations(m.Context())) {
		ops[o.ID] = true
	}
	for _, o := range m.model.ops {
		o.gone = !ops[o.ID]
		if o.gone && o.key != nil {
			o.letGo()
		}
		if o.gone && !o.undone && len(o.covered()) > 0 {
			m.Fatalf("operation %s is gone and covers %v", o.ID, o.covered())
		}
	}
}

// forgetBatches notes which digests are gone: none of which a copy is kept.
func (m *machine) forgetBatches(w *world) {
	kept := make(map[string]bool)
	for _, b := range gather(w, w.Batches(m.Context(), "")) {
		kept[b.ID] = true
	}
	for _, b := range m.model.batches {
		if kept[b.ID] || b.Kind != store.KindDigest {
			continue
		}
		b.gone = true
		for _, c := range b.copies {
			if f, in := m.model.fate(c); f == store.Told && in == b.ID {
				m.Fatalf("digest %s is gone, its copy %s is kept", b.ID, c.id)
			}
		}
	}
}

// check looks at every copy and every total.
func (m *machine) check() {
	m.told = m.told[:0]
	for _, w := range m.worlds {
		w.now, w.gate = m.now, m.gate
		m.checkCopies(w)
		m.checkTotals(w)
		m.checkIncidents(w)
		if len(m.worlds) > 1 {
			m.told = append(m.told, w.dump())
		}
	}
	if len(m.told) > 1 && m.told[0] != m.told[1] {
		m.Fatalf("the engines differ:\n%s", differing(m.told[0], m.told[1]))
	}
}

func (m *machine) checkCopies(w *world) {
	entries := w.entries(store.Query{})
	kept := m.model.with(func(c *copyModel) bool { return c.sealed == "" })
	if len(entries) != len(kept) {
		m.Fatalf("%d copies are kept, want %d", len(entries), len(kept))
	}
	for k, e := range entries {
		c := kept[k]
		fate, in := m.model.fate(c)
		same := e.Copy.Number == c.Number && e.ID() == c.id && e.Copy.Class == c.Class && e.Shown == c.shown
		if b := m.batch(in); b != nil && b.Kind == store.KindPass && e.In == "" {
			in = "" // forgotten soon after its end
		}
		if !same || e.Fate != fate || e.In != in {
			m.Fatalf("copy %s (%d, %s, shown %q) is %s in %q; want %s (%d, %s, shown %q) %s in %q",
				e.ID(), e.Copy.Number, e.Copy.Class, e.Shown, e.Fate, e.In, c.id, c.Number, c.Class, c.shown, fate, in)
		}
		if o := m.model.layer(c, "silence"); (o != nil) != (e.Copy.Silenced != "") {
			m.Fatalf("copy %s is silenced by %q", e.ID(), e.Copy.Silenced)
		}
	}
	m.checkKeys(w, entries, kept)
}

func (m *machine) batch(id string) *batchModel {
	for _, b := range m.model.batches {
		if b.ID == id {
			return b
		}
	}
	return nil
}

func (m *machine) checkTotals(w *world) {
	w.sound()
	status := got(w.Status(m.Context(), m.now)).or(w)
	counts := m.model.counts()
	for _, f := range store.Fates() {
		if int(status.Fates[f]) != counts[f] {
			m.Fatalf("%d copies are %s, want %d", status.Fates[f], f, counts[f])
		}
	}
	if int(status.Accepted) != len(m.model.copies) || status.Gate > m.gate {
		m.Fatalf("status %+v, want %d accepted and gate time %s", status, len(m.model.copies), m.gate)
	}
	for _, r := range gather(w, w.Readers(m.Context())) {
		held := m.model.with(func(c *copyModel) bool { return c.Reader == r.Name && m.model.is(c, store.Held) })
		if r.Waiting != len(m.model.waiting(store.Alert, r.Name)) || r.Pass != len(m.model.waiting(store.Pass, r.Name)) || r.Held != len(held) {
			m.Fatalf("reader %+v", r)
		}
		if open := m.model.readerOpen(r.Name); (open == nil) != (r.Open == "") || open != nil && open.Pinned != (r.Pinned != "") {
			m.Fatalf("reader %+v", r)
		}
	}
	due, _, err := w.Due(m.Context(), m.now, 1000)
	w.must(err)
	want := m.model.with(func(c *copyModel) bool {
		return c.Class == store.Pass && !c.next.After(m.now) && m.model.is(c, store.Waiting)
	})
	if len(due) != len(want) {
		m.Fatalf("%d pass copies are due, want %d", len(due), len(want))
	}
}

// checkIncidents sees that every visible alert copy is counted once.
func (m *machine) checkIncidents(w *world) {
	counts := make(map[string]int)
	for _, e := range w.entries(store.Query{Filter: "--class alert"}) {
		if e.Fate != store.Purged {
			counts[e.Copy.Incident]++
		}
	}
	for _, i := range gather(w, w.Incidents(m.Context(), "", m.now)) {
		reports := i.Others
		for _, o := range i.Objects {
			reports += o.Reports
		}
		if reports != i.Copies || i.Copies < counts[i.ID] || !m.prune && i.Copies != counts[i.ID] || len(i.Objects) > m.model.limits.Objects {
			m.Fatalf("incident %+v counts %d copies and %d reports, %d are kept", i, i.Copies, reports, counts[i.ID])
		}
		delete(counts, i.ID)
	}
	if len(counts) > 0 {
		m.Fatalf("incidents of copies are not told: %v", counts)
	}
}

// undoAll ends what is open, undoes every operation, and compares the store
// with the one that only had arrivals.
func (m *machine) undoAll() {
	m.check()
	for _, b := range m.model.openBatches() {
		a := m.model.attempted(b)
		mark := store.Mark{At: m.now, Gate: m.gate, Batch: b.ID, Outcome: store.Rejected, Reply: store.Reply{Code: 554}}
		if a != nil {
			mark.Attempt = a.id
		}
		m.ends(b, a, mark)
	}
	for left := slices.Clone(m.model.ops); len(left) > 0; {
		k := m.pick("operation", len(left))
		m.takeBack(left[k])
		left = slices.Delete(left, k, k+1)
		m.check()
	}
	w := m.worlds[0]
	w.now, m.calm.now = m.now, m.now
	regrouped := slices.ContainsFunc(m.model.ops, func(o *opModel) bool { return o.key != nil })
	m.compareCopies(w.entries(store.Query{}), m.calm.entries(store.Query{}), regrouped)
	done, calm := gather(w, w.Incidents(m.Context(), "", m.now)), gather(m.calm, m.calm.Incidents(m.Context(), "", m.now))
	if regrouped {
		loose := slices.ContainsFunc(m.model.copies, func(c *copyModel) bool { return c.loose })
		if got, want := byKey(done), byKey(calm); got != want && !loose {
			m.Fatalf("incidents\n%s, want\n%s", got, want)
		}
		return
	}
	if len(done) != len(calm) {
		m.Fatalf("%d incidents, want %d", len(done), len(calm))
	}
	for k, i := range done {
		i.Notice, i.Announced, i.Before = "", time.Time{}, false // told meanwhile
		if got, want := fmt.Sprint(i), fmt.Sprint(calm[k]); got != want {
			m.Fatalf("incident\n%s, want\n%s", got, want)
		}
	}
}

func (m *machine) compareCopies(done, calm []store.Entry, regrouped bool) {
	if len(done) != len(calm) {
		m.Fatalf("%d copies, want %d", len(done), len(calm))
	}
	for k, e := range done {
		if !e.Fate.Live() && e.Fate != store.Purged && m.model.copies[k].ended != "" {
			continue // told, passed or sent meanwhile
		}
		want := calm[k]
		e.Copy.Rules, want.Copy.Rules = 0, 0
		if regrouped { // the key was looked at
			e.Copy.Incident, want.Copy.Incident = "", ""
		}
		if e.Fate != want.Fate || e.In != want.In || fmt.Sprint(e.Copy) != fmt.Sprint(want.Copy) {
			m.Fatalf("copy %+v is %s in %q, want %+v", e.Copy, e.Fate, e.In, want.Copy)
		}
	}
}
