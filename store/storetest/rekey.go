package storetest

import (
	"slices"
	"strings"
	"time"

	"lull/store"
)

func rekeying() []test {
	return []test{
		{name: "incidents do not fork when signatures change", run: rekeyed},
		{name: "of two incidents that share a new key the older grows", run: rekeyMerges},
		{name: "several new keys lead to one incident", run: rekeySplits},
		{name: "grouping rules outlast an upgrade", run: rekeyRules},
		{name: "rules on fates are not widened by an upgrade", run: rekeyFates},
		{name: "a key under which mail is found stays there", run: rekeyTaken},
		{name: "incidents that ended are left behind", run: rekeyEnded},
		{name: "an upgrade is carried out once", run: rekeyOnce},
		{name: "some copies of each open incident are read again", run: samples},
		{name: "what upgrades left goes with the incident", run: rekeyPruned},
	}
}

// signed is the mail under the signature of another version.
func signed(m store.Message, version int, id string) store.Message {
	m.Reading.Signature.ID, m.Reading.Signature.Version = id, version
	return m
}

// upgrade is what a start with version 2 does: samples are read again, a piece
// each. The latest come first, as what comes out must not hang on the order.
// Read gives the signature that a mail gets now.
func (w *world) upgrade(read func(store.Message) string) {
	w.Helper()
	numbers, needed, err := w.Samples(w.Context(), 2, w.now)
	w.must(err)
	equal(w, "needed", needed, true)
	for _, n := range slices.Backward(numbers) {
		m := *w.entry(n).Message
		again := []store.Reread{{Message: m.ID, Reading: signed(m, 2, read(m)).Reading}}
		w.must(w.Rekey(w.Context(), store.Rekey{Version: 2, At: w.now, Read: again}))
	}
	w.must(w.Rekey(w.Context(), store.Rekey{Version: 2, At: w.now, Done: true}))
	if w.engine.Reopen != nil {
		before := w.dump()
		w.reopen()
		equal(w, "after a restart", w.dump(), before)
	}
	w.sound()
}

// second is the signature of version 2 that one of version 1 has become.
func second(m store.Message) string {
	return strings.Replace(m.Reading.Signature.ID, "s1-", "s2-", 1)
}

// comes accepts a mail of version 2, and names its incident.
func (w *world) comes(signature, object string, state store.State) string {
	w.Helper()
	m := recovers(signed(w.mail(ann, signature, object, state), 2, signature))
	return w.entry(w.accept(m)[0]).Copy.Incident
}

func (w *world) incidentOf(n uint64) string { return w.entry(n).Copy.Incident }

func rekeyed(w *world) {
	first := w.incidentOf(w.report("web1", store.Problem))
	w.report("web2", store.Problem)
	w.wait(time.Hour)
	w.upgrade(second)
	equal(w, "next", w.comes("s2-disk", "web1", store.Recovery), first)
	equal(w, "open", w.only().Open(), true)
	hold := w.operate(store.OpHold, "--incident "+first)
	equal(w, "next", w.comes("s2-disk", "web2", store.Recovery), first)
	w.wait(time.Minute)
	w.undo(hold.ID)
	if i := w.only(); i.Open() || i.Copies != 4 || i.Key != "s1-disk" || !slices.Equal(i.Also, []string{"s2-disk"}) {
		w.Fatalf("incident %+v", i)
	}
	equal(w, "old mail", w.incidentOf(w.report("web1", store.Problem)), first)
	equal(w, "opened again", w.only().Again, 1)
	purge := w.operate(store.OpPurge, "--incident "+first)
	w.undo(purge.ID)
	equal(w, "next", w.comes("s2-disk", "web1", store.Problem), first)
	before := w.dump()
	w.reopen()
	equal(w, "records", w.dump(), before)
	equal(w, "another", w.comes("s2-load", "web1", store.Problem) == first, false)
	w.sound()
}

func rekeyMerges(w *world) {
	older := w.incidentOf(w.report("web1", store.Problem))
	w.wait(time.Hour)
	younger := w.incidentOf(w.accept(recovers(w.mail(ann, "s1-load", "web1", store.Problem)))[0])
	w.wait(time.Hour)
	w.upgrade(func(store.Message) string { return "s2-one" })
	equal(w, "next", w.comes("s2-one", "web1", store.Problem), older)
	if i := got(w.Store.Incident(w.Context(), younger, w.now)).or(w); !i.Open() || len(i.Also) > 0 {
		w.Fatalf("the younger: %+v", i)
	}
	w.wait(7 * 24 * time.Hour)
	if i := got(w.Store.Incident(w.Context(), younger, w.now)).or(w); i.Open() {
		w.Fatalf("the younger does not end: %+v", i)
	}
}

func rekeySplits(w *world) {
	first := w.incidentOf(w.report("web1", store.Problem))
	w.report("web2", store.Problem)
	w.upgrade(func(m store.Message) string { return "s2-" + m.Reading.Reports[0].Object })
	equal(w, "next", w.comes("s2-web1", "web1", store.Recovery), first)
	equal(w, "next", w.comes("s2-web2", "web2", store.Recovery), first)
	w.wait(time.Minute)
	equal(w, "open", w.only().Open(), false)
	w.wait(25 * time.Hour)
	one, two := w.comes("s2-web1", "web1", store.Problem), w.comes("s2-web2", "web2", store.Problem)
	if one == first || two == first || one == two {
		w.Fatalf("%s, %s and %s: what ended must not lead on", first, one, two)
	}
}

func rekeyRules(w *world) {
	split := w.order(store.OpRule, "")
	split.Rule = &store.Rule{ID: "split", Kind: store.RuleGroup, Filter: "--signature s1-disk", Key: "{signature} {object}"}
	got(w.Operate(w.Context(), split)).or(w)
	merge := w.order(store.OpRule, "")
	merge.Rule = &store.Rule{ID: "merge", Kind: store.RuleGroup, Filter: "--signature s1-load --signature s1-cpu", Key: "s1-load"}
	got(w.Operate(w.Context(), merge)).or(w)
	one, two := w.incidentOf(w.report("web1", store.Problem)), w.incidentOf(w.report("web2", store.Problem))
	load := w.incidentOf(w.alerts(ann, "s1-load", 1)[0])
	equal(w, "merged", w.incidentOf(w.alerts(ann, "s1-cpu", 1)[0]), load)
	w.upgrade(second)
	equal(w, "split", w.comes("s2-disk", "web1", store.Problem), one)
	equal(w, "split", w.comes("s2-disk", "web2", store.Problem), two)
	equal(w, "merged", w.comes("s2-load", "web1", store.Problem), load)
	equal(w, "merged", w.comes("s2-cpu", "web1", store.Problem), load)
	equal(w, "keys", got(w.Store.Incident(w.Context(), one, w.now)).or(w).Key, "s1-disk web1")
	w.wait(9 * 24 * time.Hour)
	three := w.comes("s2-disk", "web1", store.Problem)
	equal(w, "rules go on", w.comes("s2-disk", "web2", store.Problem) == three, false)
	w.undo(merge.ID)
	equal(w, "undone", w.comes("s2-cpu", "web1", store.Problem) == w.comes("s2-load", "web1", store.Problem), false)
}

func rekeyFates(w *world) {
	w.rule(store.RulePurge, "--signature s1-disk", 0)
	w.alerts(ann, "s1-disk", 1)
	w.upgrade(second)
	w.comes("s2-disk", "web1", store.Problem)
	w.fates(map[store.Fate]int{store.Purged: 1, store.Waiting: 1})
}

func rekeyTaken(w *world) {
	w.report("web1", store.Problem)
	w.wait(time.Minute)
	taken := w.comes("s2-disk", "web1", store.Problem) // a later lull was here before
	w.upgrade(second)
	equal(w, "next", w.comes("s2-disk", "web1", store.Problem), taken)
}

func rekeyEnded(w *world) {
	first := w.incidentOf(w.report("web1", store.Problem))
	w.report("web1", store.Recovery)
	w.wait(24 * time.Hour)
	w.upgrade(second)
	equal(w, "next", w.comes("s2-disk", "web1", store.Problem) == first, false)
}

func rekeyOnce(w *world) {
	n := w.report("web1", store.Problem)
	w.wants(store.ErrInvalid, w.Rekey(w.Context(), store.Rekey{At: w.now}))
	w.upgrade(second)
	_, needed, err := w.Samples(w.Context(), 2, w.now)
	w.must(err)
	equal(w, "needed again", needed, false)
	before := w.dump()
	m := *w.entry(n).Message
	late := []store.Reread{{Message: m.ID, Reading: signed(m, 2, "s2-other").Reading}, {Message: "none"}}
	w.must(w.Rekey(w.Context(), store.Rekey{Version: 2, At: w.now, Read: late}))
	equal(w, "changes", w.dump(), before)
	w.must(w.Rekey(w.Context(), store.Rekey{Version: 3, At: w.now, Read: late[1:], Done: true}))
	equal(w, "changes", w.dump(), before)
}

func samples(w *world) {
	few := w.alerts(ann, "s1-load", 3)
	many := w.alerts(ann, "s1-disk", 200)
	all, _, err := w.Samples(w.Context(), 2, w.now)
	w.must(err)
	if n := len(all) - len(few); n < 8 || n > 17 || !slices.Equal(all[:3], few) {
		w.Fatalf("of %d and %d copies: %v", len(few), len(many), all)
	}
	if all[3] != many[0] || all[len(all)-1] != many[199] {
		w.Fatalf("first and last of %d to %d: %v", many[0], many[199], all)
	}
	w.wait(50 * time.Hour)
	all, _, err = w.Samples(w.Context(), 2, w.now)
	w.must(err)
	equal(w, "samples of what ended", len(all), 0)
}

func rekeyPruned(w *world) {
	w.report("web1", store.Problem)
	w.upgrade(second)
	first := w.comes("s2-disk", "web1", store.Recovery)
	w.tell(ann)
	w.wait(30 * 24 * time.Hour)
	w.tend()
	equal(w, "incidents", len(w.incidents(ann)), 0)
	equal(w, "next", w.comes("s2-disk", "web1", store.Problem) == first, false)
	w.sound()
}
