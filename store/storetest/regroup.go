package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lull/store"
)

func regrouping() []test {
	return []test{
		{name: "these are one: what waits is one at once", run: mergeNow},
		{name: "these are two: what waits is two at once", run: splitNow},
		{name: "a rule that groups is taken back whole", run: mergeUndone},
		{name: "what came under a rule goes back with it", run: cameUnder},
		{name: "rules that group are undone in any order", run: groupsUndone},
		{name: "what was told goes with an open incident", run: toldMoves},
		{name: "what is in flight stays where it is", run: flightStays},
		{name: "what a rule takes apart is no news again", run: splitQuiet},
		{name: "operations find copies where they were moved to", run: foundMoved},
		{name: "emptied incidents outlast retention", run: emptiedKept},
		{name: "a rule that takes too much apart fills one incident", run: splitOverflows, limit: func(l *store.Limits) { l.Openings = 3 }},
		{name: "what retention took away stays where it was", run: movedPruned},
	}
}

// groups lays a rule that groups what a filter matches.
func (w *world) groups(filter, key string) store.Operation {
	w.Helper()
	o := w.order(store.OpRule, "")
	o.Rule = &store.Rule{ID: w.id("r"), Kind: store.RuleGroup, Filter: filter, Key: key}
	done := got(w.Operate(w.Context(), o)).or(w)
	equal(w, "the same again", fmt.Sprint(got(w.Operate(w.Context(), o)).or(w)), fmt.Sprint(done))
	w.again()
	return done
}

// again opens the store once more: nothing may differ.
func (w *world) again() {
	w.Helper()
	if w.engine.Reopen != nil {
		before := w.dump()
		w.reopen()
		if after := w.dump(); after != before {
			w.Fatalf("after a restart:\n%s", differing(before, after))
		}
	}
	w.sound()
}

// takeBack undoes an operation, and opens the store once more.
func (w *world) takeBack(id string) store.Operation {
	w.Helper()
	done := w.undo(id)
	w.again()
	return done
}

// told are the incidents of a reader in a few words: key, copies, and each
// object with its state and reports.
func (w *world) sums(reader string) string {
	w.Helper()
	var all []string
	for _, i := range w.incidents(reader) {
		one := fmt.Sprintf("%s %d", i.Key, i.Copies)
		for _, o := range i.Objects {
			one += fmt.Sprintf(" %s=%s*%d", o.Name, o.State, o.Reports)
		}
		all = append(all, one)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// arrives accepts a mail that sends recoveries.
func (w *world) arrives(signature, object string, state store.State) uint64 {
	w.Helper()
	return w.accept(recovers(w.mail(ann, signature, object, state)))[0]
}

func mergeNow(w *world) {
	first := w.arrives("s1-disk", "web1", store.Problem)
	w.wait(time.Minute)
	w.arrives("s1-load", "web2", store.Problem)
	last := w.arrives("s1-load", "web1", store.Recovery)
	w.operate(store.OpHold, "--id "+w.entry(last).ID())
	opened := w.now
	w.wait(time.Minute)
	done := w.groups("--signature s1-disk --signature s1-load", "s1-disk")
	if done.Copies != 2 || done.Readers != 1 || done.Incidents != 1 || done.Moved != 1 || done.Moves[0] != (store.Move{Reader: ann, From: "i2", To: w.incidentOf(first), Copies: 2}) {
		w.Fatalf("operation %+v", done)
	}
	equal(w, "incidents", w.sums(ann), "s1-disk 3 web1=recovery*2 web2=problem*1")
	i := w.incidents(ann)[0]
	if !i.First.Equal(opened.Add(-time.Minute)) || !i.Last.Equal(opened) || i.ID != w.incidentOf(first) || !i.Open() {
		w.Fatalf("incident %+v", i)
	}
	equal(w, "held copy", w.incidentOf(last), i.ID)
	equal(w, "next", w.incidentOf(w.arrives("s1-load", "web3", store.Problem)), i.ID)
	taken := w.cut(ann)
	equal(w, "told incidents", len(taken.Incidents), 1)
	equal(w, "told copies", taken.Incidents[0].Lately, 3)
}

func splitNow(w *world) {
	for _, object := range []string{"web1", "web2", "web1", "web3"} {
		w.arrives("s1-disk", object, store.Problem)
		w.wait(time.Minute)
	}
	w.arrives("s1-disk", "web3", store.Recovery)
	whole := w.incidents(ann)[0].ID
	done := w.groups("--signature s1-disk", "{signature} {object}")
	equal(w, "moves", done.Moved, 3)
	equal(w, "most", done.Moves[0].Copies, 2)
	equal(w, "split", w.sums(ann), "s1-disk web1 2 web1=problem*2; s1-disk web2 1 web2=problem*1; s1-disk web3 2 web3=recovery*2")
	for _, i := range w.incidents(ann) {
		if i.ID == whole || i.Open() != (i.Key != "s1-disk web3") {
			w.Fatalf("incident %+v", i)
		}
	}
	w.takeBack(done.ID)
	equal(w, "whole", w.sums(ann), "s1-disk 5 web1=problem*2 web2=problem*1 web3=recovery*2")
	equal(w, "incident", w.incidents(ann)[0].ID, whole)
	w.groups("--signature s1-disk", "{signature} {object}")
	equal(w, "split again", len(w.incidents(ann)), 3)
}

func mergeUndone(w *world) {
	w.arrives("s1-disk", "web1", store.Problem)
	w.tell(ann)
	w.wait(time.Minute)
	w.arrives("s1-load", "web1", store.Problem)
	w.arrives("s1-load", "web2", store.Problem)
	w.operate(store.OpPurge, "--object web2")
	before := w.dumpIncidents()
	done := w.groups("--signature s1-load --signature s1-disk", "s1-disk")
	equal(w, "merged", w.sums(ann), "s1-disk 2 web1=problem*2")
	undone := w.takeBack(done.ID)
	equal(w, "came later", undone.Caught, 0)
	equal(w, "incidents", w.dumpIncidents(), before)
	equal(w, "undone once", fmt.Sprint(w.undo(done.ID)), fmt.Sprint(undone))
	if r := w.onlyRule(); r.Ended.IsZero() {
		w.Fatalf("rule %+v", r)
	}
}

// dumpIncidents is all that is told of incidents and of the homes of copies.
func (w *world) dumpIncidents() string {
	w.Helper()
	var b strings.Builder
	for _, i := range gather(w, w.Incidents(w.Context(), "", w.now)) {
		w.write(&b, "incident", i)
	}
	for _, e := range w.entries(store.Query{}) {
		w.write(&b, "copy", e.ID(), e.Copy.Incident, e.Fate)
	}
	w.write(&b, "reader", got(w.Reader(w.Context(), ann)).or(w).News)
	return b.String()
}

func cameUnder(w *world) {
	w.arrives("s1-disk", "web1", store.Problem)
	w.arrives("s1-load", "web1", store.Problem)
	done := w.groups("--signature s1-load --signature s1-cpu --signature s1-disk", "s1-disk")
	w.wait(time.Minute)
	w.arrives("s1-load", "web1", store.Recovery)
	w.arrives("s1-disk", "web2", store.Problem)
	w.tell(ann)
	w.wait(time.Minute)
	w.arrives("s1-cpu", "web9", store.Problem)
	w.arrives("s1-cpu", "web9", store.Recovery)
	equal(w, "one", w.sums(ann), "s1-disk 6 web1=recovery*3 web2=problem*1 web9=recovery*2")
	undone := w.takeBack(done.ID)
	equal(w, "came later", undone.Caught, 4)
	equal(w, "three", w.sums(ann), "s1-cpu 2 web9=recovery*2; s1-disk 2 web1=problem*1 web2=problem*1; s1-load 2 web1=recovery*2")
	w.arrives("s1-load", "web1", store.Problem)
	w.arrives("s1-cpu", "web9", store.Problem)
	equal(w, "three", w.sums(ann), "s1-cpu 3 web9=problem*3; s1-disk 2 web1=problem*1 web2=problem*1; s1-load 3 web1=problem*3")
	w.again()
}

func groupsUndone(w *world) {
	for _, order := range permutations(3) {
		w := newWorld(w.TB, w.engine, store.DefaultLimits(time.Hour))
		w.arrives("s1-disk", "web1", store.Problem)
		w.arrives("s1-load", "web2", store.Problem)
		rules := [][2]string{{"--signature s1-disk --signature s1-load", "s1-disk"}, {"--object web2 --object web1", "{object}"}, {"--object web2", "s1-disk"}}
		var done []store.Operation
		for _, r := range rules {
			done = append(done, w.groups(r[0], r[1]))
			w.wait(time.Minute)
			w.arrives("s1-disk", "web1", store.Problem)
			w.arrives("s1-load", "web2", store.Recovery)
		}
		equal(w, "all", w.sums(ann), "s1-disk 4 web2=recovery*4; web1 4 web1=problem*4")
		for _, k := range order {
			w.takeBack(done[k].ID)
		}
		equal(w, fmt.Sprint("undone in the order ", order), w.sums(ann), "s1-disk 4 web1=problem*4; s1-load 4 web2=recovery*4")
	}
}

func toldMoves(w *world) {
	told := w.arrives("s1-disk", "web1", store.Problem)
	w.arrives("s1-disk", "web2", store.Problem)
	w.tell(ann)
	w.wait(time.Minute)
	w.arrives("s1-disk", "web1", store.Recovery)
	w.groups("--signature s1-disk", "{object}")
	equal(w, "split", w.sums(ann), "web1 2 web1=recovery*2; web2 1 web2=problem*1")
	for _, i := range w.incidents(ann) {
		if !i.Before || i.Open() != (i.Key == "web2") {
			w.Fatalf("incident %+v", i)
		}
	}
	equal(w, "told", w.entry(told).Fate, store.Told)
	equal(w, "lately", w.cut(ann).Incidents[0].Lately, 1)
}

func flightStays(w *world) {
	n := w.arrives("s1-load", "web1", store.Problem)
	w.arrives("s1-disk", "web1", store.Problem)
	cut := w.cut(ann)
	w.arrives("s1-load", "web2", store.Problem)
	done := w.groups("--signature s1-load", "s1-disk")
	if done.InFlight != 1 || done.Copies != 1 {
		w.Fatalf("operation %+v", done)
	}
	equal(w, "incidents", w.sums(ann), "s1-disk 2 web1=problem*1 web2=problem*1; s1-load 1 web1=problem*1")
	w.mark("", cut.Batch.ID, store.Refused)
	w.again()
	w.takeBack(done.ID)
	equal(w, "incidents", w.sums(ann), "s1-disk 1 web1=problem*1; s1-load 2 web1=problem*1 web2=problem*1")
	equal(w, "in its incident", w.incidentOf(n), "i1")
}

func splitQuiet(w *world) {
	n := w.arrives("s1-disk", "web1", store.Problem)
	w.arrives("s1-disk", "web2", store.Problem)
	b := w.notice(ann, n).Batch
	w.mark(w.begin(b), b.ID, store.Delivered)
	w.wait(time.Minute)
	openings := len(got(w.Reader(w.Context(), ann)).or(w).Openings)
	done := w.groups("--signature s1-disk", "{object}")
	r := got(w.Reader(w.Context(), ann)).or(w)
	equal(w, "news", r.News, 0)
	equal(w, "openings", len(r.Openings), openings)
	equal(w, "waiting", r.Waiting, 2)
	w.takeBack(done.ID)
	equal(w, "news", got(w.Reader(w.Context(), ann)).or(w).News, 0)
	w.arrives("s1-load", "web1", store.Problem)
	w.arrives("s1-load", "web2", store.Problem)
	w.groups("--signature s1-load", "{object} load")
	equal(w, "news", got(w.Reader(w.Context(), ann)).or(w).News, 2)
}

func foundMoved(w *world) {
	w.arrives("s1-disk", "web1", store.Problem)
	w.arrives("s1-load", "web2", store.Problem)
	to := w.incidents(ann)[0].ID
	done := w.groups("--signature s1-load", "s1-disk")
	equal(w, "listed", len(w.entries(store.Query{Filter: "--incident " + to})), 2)
	equal(w, "of the operation", len(w.entries(store.Query{Operation: done.ID})), 1)
	purge := w.operate(store.OpPurge, "--incident "+to)
	equal(w, "purged", purge.Copies, 2)
	w.undo(purge.ID)
	equal(w, "incidents", w.sums(ann), "s1-disk 2 web1=problem*1 web2=problem*1")
	hold := w.operate(store.OpHold, "--incident "+to)
	w.takeBack(done.ID)
	equal(w, "held", len(w.entries(store.Query{Filter: "--fate held --incident " + to})), 1)
	w.undo(hold.ID)
	w.fates(map[store.Fate]int{store.Waiting: 2})
}

func emptiedKept(w *world) {
	w.alerts(ann, "s1-disk", 1)
	n := w.alerts(ann, "s1-load", 1)
	from := w.incidentOf(n[0])
	hold := w.operate(store.OpHold, "")
	done := w.groups("--signature s1-load", "s1-disk")
	w.wait(60 * 24 * time.Hour)
	w.tend()
	w.again()
	w.takeBack(done.ID)
	equal(w, "incident", w.incidentOf(n[0]), from)
	equal(w, "title", got(w.Store.Incident(w.Context(), from, w.now)).or(w).Key, "s1-load")
	w.undo(hold.ID)
	w.tell(ann)
	w.wait(60 * 24 * time.Hour)
	w.tend()
	w.tend()
	equal(w, "operations", len(gather(w, w.Operations(w.Context()))), 0)
	equal(w, "incidents", len(w.incidents(ann)), 0)
	w.sound()
}

func splitOverflows(w *world) {
	w.alerts(ann, "s1-disk", 10)
	done := w.groups("--signature s1-disk", "{id}")
	equal(w, "copies", done.Copies, 10)
	all := w.incidents(ann)
	equal(w, "incidents", len(all), 4)
	equal(w, "further", all[3].Copies, 7)
	equal(w, "format", all[3].Format, "overflow")
	w.takeBack(done.ID)
	equal(w, "incidents", len(w.incidents(ann)), 1)
	equal(w, "copies", w.incidents(ann)[0].Copies, 10)
}

func movedPruned(w *world) {
	w.arrives("s1-disk", "web1", store.Problem)
	w.arrives("s1-load", "web2", store.Problem)
	w.tell(ann)
	done := w.groups("--signature s1-load", "s1-disk")
	for range 6 { // the incident goes on
		w.wait(36 * time.Hour)
		w.arrives("s1-load", "web2", store.Problem)
		w.tell(ann)
		w.tend()
	}
	w.again()
	i := w.incidents(ann)[len(w.incidents(ann))-1]
	equal(w, "copies", i.Copies, 8)
	w.takeBack(done.ID)
	sum := 0
	for _, i := range w.incidents(ann) {
		sum += i.Copies
	}
	equal(w, "copies", sum, 8)
}
