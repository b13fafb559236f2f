package storetest

import (
	"time"

	"lull/store"
)

func ruling() []test {
	return []test{
		{name: "a purge may leave a rule that catches what follows", run: purgeRule},
		{name: "an expired hold releases what it holds", run: holdExpires},
		{name: "rules that overlap are undone one by one", run: overlap},
		{name: "rules are ended, extended, and that is undone", run: endExtend},
		{name: "extensions are undone in any order", run: extensions},
		{name: "silenced copies announce nothing", run: silence},
		{name: "group rules give incident keys", run: group},
		{name: "rules are kept over a restart", run: rulesReopened},
		{name: "rules catch pass mail", run: catchPass},
	}
}

// rule lays a standing rule.
func (w *world) rule(kind store.RuleKind, filter string, last time.Duration) store.Operation {
	w.Helper()
	o := w.order(store.OpRule, "")
	o.Rule = &store.Rule{ID: w.id("r"), Kind: kind, Filter: filter, Key: "key of {object}"}
	if last > 0 {
		o.Rule.Expires = w.now.Add(last)
	}
	return got(w.Operate(w.Context(), o)).or(w)
}

func (w *world) onlyRule() store.Rule {
	w.Helper()
	all := gather(w, w.Rules(w.Context()))
	equal(w, "rules", len(all), 1)
	return all[0]
}

// change ends or extends a rule.
func (w *world) change(kind store.OpKind, rule string, expires time.Time) (store.Operation, error) {
	o := w.order(kind, "")
	o.Rule = &store.Rule{ID: rule, Expires: expires}
	return w.Operate(w.Context(), o)
}

func (w *world) tend() store.Tended {
	w.Helper()
	return got(w.Tend(w.Context(), store.Tend{At: w.now, Gate: w.gate, ID: "t-", Prune: true})).or(w)
}

func purgeRule(w *world) {
	w.alerts(ann, "s1-disk", 2)
	o := w.order(store.OpPurge, "--signature s1-disk")
	o.Rule = &store.Rule{ID: "second-wave", Kind: store.RulePurge, Expires: w.now.Add(6 * time.Hour)}
	done := got(w.Operate(w.Context(), o)).or(w)
	equal(w, "rule", done.Rule, "second-wave")
	w.wait(time.Hour)
	caught := w.alerts(ann, "s1-disk", 3)
	w.alerts(ann, "s1-load", 1)
	w.fates(map[store.Fate]int{store.Purged: 5, store.Waiting: 1})
	e := w.entry(caught[0])
	if e.In != done.ID || e.Copy.Caught != done.ID {
		w.Fatalf("caught %+v", e)
	}
	equal(w, "caught", w.onlyRule().Caught, 3)
	equal(w, "reason", w.onlyRule().Reason, "test")
	equal(w, "copies of the operation", len(w.entries(store.Query{Operation: done.ID})), 5)
	equal(w, "openings", len(got(w.Reader(w.Context(), ann)).or(w).Openings), 1)
	undone := w.undo(done.ID)
	if undone.Copies != 2 || undone.Caught != 3 {
		w.Fatalf("undone %+v", undone)
	}
	if rule := w.onlyRule(); !rule.Ended.Equal(w.now) {
		w.Fatalf("rule %+v", rule)
	}
	equal(w, "caught by", w.entry(caught[0]).Copy.Caught, "")
	w.alerts(ann, "s1-disk", 1)
	w.fates(map[store.Fate]int{store.Waiting: 7})
	equal(w, "copies of the incident", w.incidents(ann)[0].Copies, 6)
}

func holdExpires(w *world) {
	n := w.alerts(ann, "s1-disk", 2)
	o := w.order(store.OpHold, "--signature s1-disk")
	o.Rule = &store.Rule{ID: "rebuild", Kind: store.RuleHold, Expires: w.now.Add(2 * time.Hour)}
	hold := got(w.Operate(w.Context(), o)).or(w)
	w.wait(time.Hour)
	caught := w.alerts(ann, "s1-disk", 2)
	longer := w.operate(store.OpHold, "--id "+w.entry(n[0]).ID())
	equal(w, "nothing to tend", len(w.tend().Operations), 0)
	w.wait(time.Hour)
	done := w.tend()
	equal(w, "releases", len(done.Operations), 1)
	release := done.Operations[0]
	if release.ID != "t-rebuild" || release.Kind != store.OpRelease || release.By != "lull" || release.Copies != 3 || release.Reason == "" {
		w.Fatalf("release %+v", release)
	}
	w.fates(map[store.Fate]int{store.Held: 1, store.Waiting: 3})
	equal(w, "held by", w.entry(n[0]).In, longer.ID)
	equal(w, "again", len(w.tend().Operations), 0)
	w.alerts(ann, "s1-disk", 1)
	w.fates(map[store.Fate]int{store.Held: 1, store.Waiting: 4})
	w.undo(release.ID)
	equal(w, "held by", w.entry(caught[0]).In, hold.ID)
	w.undo(hold.ID)
	w.undo(longer.ID)
	w.fates(map[store.Fate]int{store.Waiting: 5})
}

func overlap(w *world) {
	for _, order := range permutations(3) {
		ops := []store.Operation{
			w.rule(store.RuleHold, "--signature s1-disk", 0),
			w.rule(store.RulePurge, "--signature s1-disk", 0),
			w.rule(store.RulePurge, "--object host0", 0),
		}
		fates := []store.Fate{store.Held, store.Purged, store.Purged}
		n := w.alerts(ann, "s1-disk", 1)[0]
		gone := make(map[int]bool)
		for k := 0; ; k++ {
			fate, in := store.Waiting, ""
			for j := range ops {
				if !gone[j] {
					fate, in = fates[j], ops[j].ID
				}
			}
			if e := w.entry(n); e.Fate != fate || e.In != in || e.Copy.Caught != in {
				w.Fatalf("order %v, step %d: %s in %q, caught by %q; want %s in %q", order, k, e.Fate, e.In, e.Copy.Caught, fate, in)
			}
			if k == len(order) {
				break
			}
			w.undo(ops[order[k]].ID)
			gone[order[k]] = true
		}
	}
	w.fates(map[store.Fate]int{store.Waiting: 6})
}

func endExtend(w *world) {
	laid := w.rule(store.RuleHold, "--reader "+ann, time.Hour)
	rule := w.onlyRule()
	first := rule.Expires
	extend := got(w.change(store.OpExtend, rule.ID, first.Add(time.Hour))).or(w)
	if r := w.onlyRule(); !r.Expires.Equal(first.Add(time.Hour)) || r.Version <= rule.Version {
		w.Fatalf("extended %+v", r)
	}
	w.wait(90 * time.Minute)
	w.alerts(ann, "s1-disk", 1)
	w.fates(map[store.Fate]int{store.Held: 1})
	end := got(w.change(store.OpEnd, rule.ID, time.Time{})).or(w)
	w.alerts(ann, "s1-disk", 1)
	w.fates(map[store.Fate]int{store.Held: 1, store.Waiting: 1})
	_, err := w.change(store.OpEnd, rule.ID, time.Time{})
	w.wants(store.ErrNotFound, err)
	w.undo(end.ID)
	w.alerts(ann, "s1-disk", 1)
	w.fates(map[store.Fate]int{store.Held: 2, store.Waiting: 1})
	w.undo(extend.ID)
	if r := w.onlyRule(); !r.Expires.Equal(first) {
		w.Fatalf("not extended any more %+v", r)
	}
	w.alerts(ann, "s1-disk", 1)
	w.fates(map[store.Fate]int{store.Held: 2, store.Waiting: 2})
	w.undo(laid.ID)
	w.fates(map[store.Fate]int{store.Waiting: 4})
	_, err = w.change(store.OpExtend, "none", first)
	w.wants(store.ErrNotFound, err)
}

func extensions(w *world) {
	for _, order := range permutations(3) {
		laid := w.rule(store.RuleSilence, "--reader "+ann, time.Hour)
		find := func() (found store.Rule) {
			for _, r := range gather(w, w.Rules(w.Context())) {
				if r.ID == laid.Rule {
					found = r
				}
			}
			return found
		}
		times := []time.Time{find().Expires}
		var ids []string
		for k := range 3 {
			times = append(times, w.now.Add(time.Duration(k+2)*time.Hour))
			ids = append(ids, got(w.change(store.OpExtend, laid.Rule, times[k+1])).or(w).ID)
		}
		gone := make(map[int]bool)
		for _, k := range order {
			w.undo(ids[k])
			gone[k] = true
			want := times[0]
			for j := range ids {
				if !gone[j] {
					want = times[j+1]
				}
			}
			if r := find(); !r.Expires.Equal(want) {
				w.Fatalf("order %v, after %d: expires %s, want %s", order, k, r.Expires, want)
			}
		}
	}
}

func silence(w *world) {
	first := w.rule(store.RuleSilence, "--signature s1-disk", time.Hour)
	second := w.rule(store.RuleSilence, "--object host0", time.Hour)
	n := w.alerts(ann, "s1-disk", 1)[0]
	pass := w.accept(human(w.id("m"), w.now, ann))
	w.alerts(ann, "s1-load", 1)
	equal(w, "silenced by", w.entry(n).Copy.Silenced, first.Rule)
	equal(w, "pass mail silenced by", w.entry(pass[0]).Copy.Silenced, "")
	equal(w, "news", got(w.Reader(w.Context(), ann)).or(w).News, 0)
	w.undo(first.ID)
	equal(w, "silenced by", w.entry(n).Copy.Silenced, second.Rule)
	equal(w, "news", got(w.Reader(w.Context(), ann)).or(w).News, 0)
	w.undo(second.ID)
	equal(w, "silenced by", w.entry(n).Copy.Silenced, "")
	list := got(w.News(w.Context(), ann, w.now, 9)).or(w)
	equal(w, "news", len(list), 2)
	equal(w, "first", list[0].Entry.Copy.Number, n)
	equal(w, "copies of the digest", w.cut(ann).Batch.Copies, 2)
}

func group(w *world) {
	o := w.order(store.OpRule, "")
	o.Rule = &store.Rule{ID: "racks", Kind: store.RuleGroup, Filter: `--subject 'on (host)(?P<n>[0-9])'`, Key: "{1}-{n}-{signature}-{from}-{none}-{object}-{"}
	got(w.Operate(w.Context(), o)).or(w)
	w.alerts(ann, "s1-disk", 2)
	all := w.incidents(ann)
	equal(w, "incidents", len(all), 2)
	equal(w, "key", all[0].Key, "host-0-s1-disk-icinga@host0.example.org--host0-{")
	equal(w, "signature", all[0].Signature, "s1-disk")
	later := w.order(store.OpRule, "")
	later.Rule = &store.Rule{ID: "corrected", Kind: store.RuleGroup, Filter: "--object host1", Key: "corrected"}
	got(w.Operate(w.Context(), later)).or(w)
	w.alerts(ann, "s1-disk", 2)
	all = w.incidents(ann)
	equal(w, "incidents", len(all), 2)
	equal(w, "key by the newest rule", all[1].Key, "corrected")
	w.undo(later.ID)
	equal(w, "key by the rule that is left", w.incidents(ann)[1].Key, "host-1-s1-disk-icinga@host1.example.org--host1-{")
	w.undo(o.ID)
	w.alerts(ann, "s1-disk", 2)
	equal(w, "key without rules", w.only().Key, "s1-disk")
}

func rulesReopened(w *world) {
	o := w.order(store.OpPurge, "--signature s1-disk --since 12:00")
	o.Rule = &store.Rule{ID: "r", Kind: store.RulePurge}
	done := got(w.Operate(w.Context(), o)).or(w)
	hold := w.rule(store.RuleHold, "--object host0", 0)
	w.alerts(ann, "s1-disk", 2)
	before := w.dump()
	w.reopen()
	equal(w, "records", w.dump(), before)
	w.wait(48 * time.Hour)
	w.alerts(ann, "s1-disk", 2)
	w.fates(map[store.Fate]int{store.Purged: 4})
	w.undo(done.ID)
	w.fates(map[store.Fate]int{store.Held: 2, store.Waiting: 2})
	w.reopen()
	w.fates(map[store.Fate]int{store.Held: 2, store.Waiting: 2})
	w.undo(hold.ID)
	w.fates(map[store.Fate]int{store.Waiting: 4})
}

func catchPass(w *world) {
	hold := w.rule(store.RuleHold, "--to "+ann, 0)
	n := w.accept(human(w.id("m"), w.now, ann))
	equal(w, "fate", w.entry(n[0]).Fate, store.Held)
	due, _ := w.due(9)
	equal(w, "due", len(due), 0)
	w.undo(hold.ID)
	due, _ = w.due(9)
	equal(w, "due", len(due), 1)
}
