package storetest

import (
	"slices"
	"time"

	"lull/store"
)

func retaining() []test {
	return []test{
		{name: "what is past retention is sealed and removed", run: seals},
		{name: "a live copy keeps its interval", run: liveKeeps},
		{name: "trash is kept for its own time", run: trash, limit: func(l *store.Limits) { l.Trash = 24 * time.Hour * 14 }},
		{name: "an incident outlives its first copies", run: incidentStays},
		{name: "an old incident goes and leaves the newer one of its key", run: newerStays},
		{name: "a reader stays as long as a copy", run: readerStays},
		{name: "keys are kept longer than their mail", run: keysKept},
		{name: "slots are kept as long as mail", run: slotsKept},
		{name: "everything goes in the end", run: allGone},
		{name: "a store is the same after a restart", run: reopened},
		{name: "numbers are never given twice", run: numbersOnce},
	}
}

const day = 24 * time.Hour

func seals(w *world) {
	w.alerts(ann, "s1-disk", 3)
	pass := w.accept(human(w.id("m"), w.now, ann))
	told := w.tell(ann)
	w.mark("", w.pass(pass...).ID, store.Delivered)
	w.wait(time.Hour)
	late := w.alerts(ann, "s1-load", 1)
	w.wait(7*day - time.Hour - 1)
	equal(w, "sealed early", w.tend().Sealed, 0)
	w.wait(1)
	equal(w, "sealed", w.tend().Sealed, 4)
	equal(w, "sealed again", w.tend().Sealed, 0)
	audit := got(w.Audit(w.Context())).or(w)
	if audit.Accepted != 5 || audit.Sealed[store.Told] != 3 || audit.Sealed[store.Passed] != 1 || audit.ByFate[store.Waiting] != 1 {
		w.Fatalf("audit %+v", audit)
	}
	status := got(w.Status(w.Context(), w.now)).or(w)
	if status.Accepted != 5 || status.Fates[store.Told] != 3 || !status.Oldest.Equal(start().Add(time.Hour)) {
		w.Fatalf("status %+v", status)
	}
	equal(w, "copies", len(w.entries(store.Query{})), 1)
	_, _, err := w.Store.Batch(w.Context(), told.ID)
	w.wants(store.ErrNotFound, err)
	if all := w.incidents(ann); len(all) != 1 || all[0].Signature != "s1-load" {
		w.Fatalf("incidents %+v", all)
	}
	w.fates(map[store.Fate]int{store.Waiting: 1})
	equal(w, "fate", w.entry(late[0]).Fate, store.Waiting)
	w.tell(ann)
	w.wait(7 * day)
	equal(w, "sealed", w.tend().Sealed, 1)
	w.sound()
}

func liveKeeps(w *world) {
	n := w.alerts(ann, "s1-disk", 1)
	w.alerts(bob, "s1-disk", 1)
	w.tell(bob)
	w.wait(30 * day)
	equal(w, "sealed", w.tend().Sealed, 0)
	w.operate(store.OpHold, "")
	w.wait(30 * day)
	equal(w, "sealed while held", w.tend().Sealed, 0)
	equal(w, "fate", w.entry(n[0]).Fate, store.Held)
	w.fates(map[store.Fate]int{store.Held: 1, store.Told: 1})
}

func trash(w *world) {
	w.alerts(ann, "s1-disk", 2)
	w.wait(day)
	o := w.operate(store.OpPurge, "")
	w.wait(14*day - 1)
	equal(w, "sealed early", w.tend().Sealed, 0)
	equal(w, "operations", len(gather(w, w.Operations(w.Context()))), 1)
	w.wait(1)
	equal(w, "sealed", w.tend().Sealed, 2)
	equal(w, "purged", got(w.Audit(w.Context())).or(w).Sealed[store.Purged], 2)
	_, err := w.Undo(w.Context(), store.Undo{Operation: o.ID, At: w.now})
	w.wants(store.ErrNotFound, err)
	w.sound()
}

// incidentStays has mail of one incident each day for ten days: its totals are
// exact although its first copies are gone.
func incidentStays(w *world) {
	purged := 0
	for k := range 10 {
		w.accept(w.mail(ann, "s1-disk", string(rune('a'+k%4)), store.Problem))
		if k == 2 {
			purged = w.operate(store.OpPurge, "--fate waiting").Copies
		}
		if k != 2 {
			w.tell(ann)
		}
		w.wait(day)
		w.tend()
	}
	equal(w, "purged", purged, 1)
	if kept := len(w.entries(store.Query{})); kept >= 10 {
		w.Fatalf("%d copies are kept", kept)
	}
	check := func() {
		w.Helper()
		i := w.only()
		if i.Copies != 9 || len(i.Objects) != 4 || !i.First.Equal(start()) || !i.Opened.Equal(start()) || !i.Before || i.Again != 0 {
			w.Fatalf("incident %+v", i)
		}
		reports := 0
		for _, o := range i.Objects {
			reports += o.Reports
		}
		equal(w, "reports", reports, 9)
	}
	check()
	equal(w, "news", got(w.Reader(w.Context(), ann)).value.News, 0)
	w.sound()
	w.reopen()
	check()
	w.sound()
}

func newerStays(w *world) {
	w.alerts(ann, "s1-disk", 1)
	w.tell(ann)
	w.wait(4 * day)
	w.alerts(ann, "s1-disk", 1)
	w.tell(ann)
	w.wait(4 * day)
	second := w.entry(w.alerts(ann, "s1-disk", 1)[0]).Copy.Incident
	w.tend()
	all := w.incidents(ann)
	equal(w, "incidents", len(all), 2)
	if all[1].ID != second {
		w.Fatalf("incidents %+v", all)
	}
	w.wait(time.Hour)
	n := w.alerts(ann, "s1-disk", 1)[0]
	equal(w, "incident", w.entry(n).Copy.Incident, second)
}

func readerStays(w *world) {
	n := w.accept(human(w.id("m"), w.now, bob))
	w.mark("", w.pass(n...).ID, store.Delivered)
	w.wait(day)
	w.tend()
	w.alerts(carl, "s1-disk", 1)
	equal(w, "bob's copies", len(w.entries(store.Query{Filter: "--reader " + bob})), 1)
	equal(w, "held for", got(w.Preview(w.Context(), w.order(store.OpHold, ""))).or(w).Readers[carl], 1)
}

func keysKept(w *world) {
	m := w.mail(ann, "s1-disk", "web1", store.Problem)
	m.Key = "k"
	w.accept(m)
	w.tell(ann)
	again := func() error {
		m := w.mail(ann, "s1-disk", "web1", store.Problem)
		m.Key = "k"
		return w.Accept(w.Context(), m, nil)
	}
	w.wait(7 * day)
	equal(w, "sealed", w.tend().Sealed, 1)
	w.wait(30*day - 1)
	w.tend()
	w.wants(store.ErrKnown, again())
	if w.engine.Reopen != nil {
		w.reopen()
		w.wants(store.ErrKnown, again())
	}
	w.wait(1)
	w.tend()
	w.must(again())
}

func slotsKept(w *world) {
	attempt, b, err := w.send(ann)
	w.must(err)
	w.mark(attempt, b.ID, store.Delivered)
	w.wait(7*day - 1)
	w.tend()
	equal(w, "slots", len(gather(w, w.Slots(w.Context()))), 1)
	w.wait(1)
	w.tend()
	equal(w, "slots", len(gather(w, w.Slots(w.Context()))), 0)
}

func allGone(w *world) {
	w.alerts(ann, "s1-disk", 3)
	w.rule(store.RulePurge, "--object host1", time.Hour)
	w.alerts(ann, "s1-load", 3)
	w.operate(store.OpHold, "--object host2")
	w.operate(store.OpRelease, "")
	w.accept(human(w.id("m"), w.now, bob))
	w.operate(store.OpExpire, "--to "+bob)
	w.tell(ann)
	for range 40 {
		w.wait(day)
		w.tend()
	}
	for name, left := range map[string]int{
		"copies": len(w.entries(store.Query{})), "incidents": len(w.incidents("")),
		"batches":    len(gather(w, w.Batches(w.Context(), ""))),
		"operations": len(gather(w, w.Operations(w.Context()))), "rules": len(gather(w, w.Rules(w.Context()))),
	} {
		equal(w, name, left, 0)
	}
	audit := got(w.Audit(w.Context())).or(w)
	equal(w, "accepted", audit.Accepted, 7)
	w.sound()
	w.reopen()
	w.sound()
	equal(w, "accepted", got(w.Status(w.Context(), w.now)).or(w).Accepted, 7)
}

// busy brings a store into a state with something of everything.
func (w *world) busy() {
	w.Helper()
	n := w.alerts(ann, "s1-disk", 4)
	w.must(w.Plan(w.Context(), store.Plan{Reader: ann, To: "Ann@example.org", Next: w.now.Add(time.Hour)}))
	w.mark(w.begin(w.notice(ann, n[0]).Batch), "", store.Delivered)
	returned := w.tell(ann)
	w.must(w.Return(w.Context(), returned.ID, w.now))
	w.tell(ann)
	w.wait(time.Minute)
	w.report("web1", store.Problem)
	w.report("web1", store.Recovery)
	n = w.alerts(ann, "s1-load", 6)
	hold := w.operate(store.OpHold, "--object host1")
	w.operate(store.OpHold, "--object host2")
	w.operate(store.OpRelease, "--object host2")
	w.operate(store.OpPurge, "--object host3")
	w.undo(hold.ID)
	w.rule(store.RulePurge, "--object host5", 0)
	w.rule(store.RuleSilence, "--object host6", time.Hour)
	w.alerts(bob, "s1-load", 8)
	b := w.cut(bob).Batch
	begin := w.attempt(b)
	begin.Body = []byte("digest for bob")
	w.must(w.Begin(w.Context(), begin))
	w.mark(begin.ID, "", store.Uncertain)
	w.begin(w.notice(ann, n[0]).Batch)
	pass := w.accept(also(also(human(w.id("m"), w.now, ann), bob, store.Pass), carl, store.Pass))
	pass = append(pass, w.accept(human(w.id("m"), w.now, dora))...)
	m := w.ending(w.begin(w.pass(pass[:2]...)), "", store.Delivered)
	m.Results = []store.Result{{Number: pass[1], Fate: store.Bounced, Reply: store.Reply{Code: 550, Stage: "rcpt"}}}
	w.must(w.Mark(w.Context(), m))
	w.must(w.Join(w.Context(), store.Join{At: w.now, Numbers: pass[2:3], Reason: "many"}))
	w.mark(w.begin(w.pass(pass[3])), "", store.Uncertain)
	w.must(w.Refuse(w.Context(), store.Refuse{At: w.now, Reader: dora, Reply: store.Reply{Code: 550}, Next: w.now.Add(time.Hour)}))
	keyed := w.mail(carl, "s1-disk", "web1", store.Problem)
	keyed.Key = "key"
	w.accept(keyed)
	got(w.Tend(w.Context(), store.Tend{At: w.now, Gate: w.gate})).or(w)
}

func reopened(w *world) {
	w.busy()
	before := w.dump()
	for range 2 {
		w.reopen()
		if after := w.dump(); after != before {
			w.Fatal(differing(before, after))
		}
	}
	w.wait(20 * day)
	for _, b := range got(w.Open(w.Context())).or(w) {
		w.must(w.Mark(w.Context(), w.ending("", b.ID, store.Delivered)))
	}
	for _, reader := range []string{ann, carl} {
		w.tell(reader)
	}
	w.wait(8 * day)
	w.tend()
	before = w.dump()
	w.reopen()
	if after := w.dump(); after != before {
		w.Fatal(differing(before, after))
	}
}

func numbersOnce(w *world) {
	var all []uint64
	for range 4 {
		all = append(all, w.alerts(ann, "s1-disk", 2)...)
		w.tell(ann)
		w.wait(8 * day)
		w.tend()
		w.reopen()
	}
	seen := slices.Clone(all)
	slices.Sort(seen)
	equal(w, "numbers", len(slices.Compact(seen)), 8)
	equal(w, "in order", slices.IsSorted(all), true)
	w.sound()
}
