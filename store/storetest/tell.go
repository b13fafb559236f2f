package storetest

import (
	"fmt"
	"time"

	"lull/store"
)

func telling() []test {
	return []test{
		{name: "an incident with recoveries is open until all recovered", run: recovered},
		{name: "an incident with recoveries closes at the latest", run: longest},
		{name: "an incident without recoveries closes after quiet", run: quiet},
		{name: "an incident opens again within a while of closing", run: again},
		{name: "a recovery does not open a closed incident", run: lateRecovery},
		{name: "the later report wins", run: outOfOrder},
		{name: "a report far off its mail counts when the mail came", run: wildTimes},
		{name: "an acknowledged problem stays one", run: acknowledged},
		{name: "objects are exact up to the limit", run: manyObjects, limit: func(l *store.Limits) { l.Objects = 3 }},
		{name: "changes to problem are counted", run: flapping},
		{name: "purged copies are left out of the counts", run: purgedCounts},
		{name: "a purge does not change which incident mail belongs to", run: purgedIncident},
		{name: "openings are told in order, the last 256", run: openings},
	}
}

// report accepts one mail of a format that recovers.
func (w *world) report(object string, state store.State) uint64 {
	w.Helper()
	return w.accept(recovers(w.mail(ann, "s1-disk", object, state)))[0]
}

// only is ann's only incident.
func (w *world) only() store.Incident {
	w.Helper()
	all := w.incidents(ann)
	equal(w, "incidents", len(all), 1)
	one := got(w.Store.Incident(w.Context(), all[0].ID, w.now)).or(w)
	equal(w, "incident by id", fmt.Sprint(one), fmt.Sprint(all[0]))
	return one
}

func recovered(w *world) {
	w.report("web1", store.Problem)
	w.report("web2", store.Problem)
	w.wait(3 * 24 * time.Hour)
	w.report("web1", store.Recovery)
	equal(w, "open", w.only().Open(), true)
	equal(w, "open incidents", got(w.Status(w.Context(), w.now)).or(w).IncidentsOpen, 1)
	w.wait(time.Hour)
	w.report("web2", store.Recovery)
	end := w.now
	w.wait(time.Hour)
	if i := w.only(); !i.Closed.Equal(end) || i.State() != store.Recovery || i.Copies != 4 {
		w.Fatalf("incident %+v", i)
	}
	equal(w, "open incidents", got(w.Status(w.Context(), w.now)).or(w).IncidentsOpen, 0)
	_, err := w.Store.Incident(w.Context(), "none", w.now)
	w.wants(store.ErrNotFound, err)
}

func longest(w *world) {
	w.report("web1", store.Problem)
	opened := w.now
	w.wait(7*24*time.Hour - 1)
	equal(w, "open", w.only().Open(), true)
	w.wait(1)
	if i := w.only(); !i.Closed.Equal(opened.Add(7 * 24 * time.Hour)) {
		w.Fatalf("incident %+v", i)
	}
}

func quiet(w *world) {
	w.alerts(ann, "s1-disk", 1)
	w.wait(25 * time.Hour)
	w.alerts(ann, "s1-disk", 1)
	last := w.now
	w.wait(25 * time.Hour)
	equal(w, "open", w.only().Open(), true)
	w.wait(time.Hour)
	if i := w.only(); !i.Closed.Equal(last.Add(26 * time.Hour)) {
		w.Fatalf("incident %+v", i)
	}
}

func again(w *world) {
	w.report("web1", store.Problem)
	w.tell(ann)
	w.report("web1", store.Recovery)
	w.wait(23 * time.Hour)
	n := w.report("web1", store.Problem)
	i := w.only()
	if i.Again != 1 || !i.Opened.Equal(w.now) || !i.Open() || i.Copies != 3 || !i.Before || !i.Announced.IsZero() {
		w.Fatalf("incident %+v", i)
	}
	list := got(w.News(w.Context(), ann, w.now, 9)).or(w)
	equal(w, "news", len(list), 1)
	equal(w, "copy", list[0].Entry.Copy.Number, n)
	w.report("web1", store.Recovery)
	w.wait(24 * time.Hour)
	w.report("web1", store.Problem)
	all := w.incidents(ann)
	equal(w, "incidents", len(all), 2)
	equal(w, "copies of the new one", all[1].Copies, 1)
	equal(w, "again", all[1].Again, 0)
	if all[0].ID == all[1].ID {
		w.Fatal("two incidents with one id")
	}
	w.alerts(bob, "s1-disk", 1)
	w.wait(26*time.Hour + 24*time.Hour)
	w.alerts(bob, "s1-disk", 1)
	equal(w, "incidents of bob", len(w.incidents(bob)), 2)
}

func lateRecovery(w *world) {
	w.report("web1", store.Problem)
	w.report("web1", store.Recovery)
	end := w.now
	w.wait(time.Hour)
	w.report("web1", store.Recovery)
	if i := w.only(); i.Again != 0 || !i.Closed.Equal(end) || i.Copies != 3 {
		w.Fatalf("incident %+v", i)
	}
	w.wait(48 * time.Hour)
	w.report("web1", store.Recovery)
	equal(w, "incidents", len(w.incidents(ann)), 2)
}

func outOfOrder(w *world) {
	problem := recovers(w.mail(ann, "s1-disk", "web1", store.Problem))
	problem.Reading.Reports[0].Time = w.now
	w.wait(time.Hour)
	recovery := recovers(w.mail(ann, "s1-disk", "web1", store.Recovery))
	recovery.Reading.Reports[0].Time = w.now
	w.accept(recovery)
	w.wait(time.Hour)
	problem.Accepted = w.now
	w.accept(problem)
	i := w.only()
	if o := i.Objects[0]; o.State != store.Recovery || o.Reports != 2 || !o.First.Equal(start()) || !o.Last.Equal(start().Add(time.Hour)) {
		w.Fatalf("object %+v", o)
	}
	equal(w, "open", i.Open(), false)
}

func wildTimes(w *world) {
	for k, wild := range []time.Time{w.now.AddDate(80, 0, 0), w.now.AddDate(-40, 0, 0), {}} {
		w.wait(time.Minute)
		m := recovers(w.mail(ann, "s1-disk", "web1", []store.State{store.Problem, store.Recovery, store.Problem}[k]))
		m.Reading.Reports[0].Time = wild
		w.accept(m)
		if o := w.only().Objects[0]; !o.Last.Equal(w.now) || o.State != m.Reading.Reports[0].State {
			w.Fatalf("object %+v at %s", o, w.now)
		}
	}
}

func acknowledged(w *world) {
	w.report("web1", store.Problem)
	w.wait(time.Minute)
	m := recovers(w.mail(ann, "s1-disk", "web1", store.Notice))
	m.Reading.Reports[0].Kind = "acknowledgement"
	w.accept(m)
	if o := w.only().Objects[0]; o.State != store.Problem || o.Kind != "acknowledgement" || o.Reports != 2 || !o.Since.Equal(start()) {
		w.Fatalf("object %+v", o)
	}
	w.wait(5 * 24 * time.Hour)
	equal(w, "open", w.only().Open(), true)
	w.report("web1", store.Recovery)
	if o := w.only().Objects[0]; o.State != store.Recovery || o.Kind != "" {
		w.Fatalf("object %+v", o)
	}
}

func manyObjects(w *world) {
	m := w.mail(ann, "s1-disk", "host0", store.Problem)
	m.Reading.Reports = append(m.Reading.Reports, store.Report{Object: "host1", State: store.Recovery}, store.Report{Object: "host0", State: store.Recovery})
	w.accept(m)
	for k := range 7 {
		w.accept(w.mail(ann, "s1-disk", fmt.Sprintf("host%d", k%5), store.Problem))
	}
	i := w.only()
	if len(i.Objects) != 3 || i.ObjectCount != 3 || i.Others != 2 || i.Copies != 8 {
		w.Fatalf("incident %+v", i)
	}
	if o := i.Objects[0]; o.Name != "host0" || o.Reports != 4 || o.State != store.Problem {
		w.Fatalf("object %+v", o)
	}
}

func flapping(w *world) {
	for range 3 {
		w.report("web1", store.Problem)
		w.wait(time.Minute)
		w.report("web1", store.Problem)
		w.report("web2", store.Problem)
		w.report("web1", store.Recovery)
	}
	o := w.only().Objects[0]
	equal(w, "problems", o.Problems, 3)
	equal(w, "since", o.Since, w.now)
	equal(w, "reports", o.Reports, 9)
}

func purgedCounts(w *world) {
	w.report("web1", store.Problem)
	w.wait(time.Minute)
	w.report("web2", store.Problem)
	w.wait(time.Minute)
	w.report("web1", store.Problem)
	o := w.operate(store.OpPurge, "--object web1")
	i := w.only()
	if i.Copies != 1 || len(i.Objects) != 1 || i.Objects[0].Name != "web2" || !i.First.Equal(start().Add(time.Minute)) || !i.Last.Equal(i.First) {
		w.Fatalf("incident %+v", i)
	}
	w.wait(time.Minute)
	w.report("web3", store.Problem)
	taken := w.cut(ann)
	if i := taken.Incidents[0]; i.Copies != 2 || len(i.Objects) != 2 || i.Lately != 2 {
		w.Fatalf("taken %+v", i)
	}
	w.undo(o.ID)
	if i := w.only(); i.Copies != 4 || len(i.Objects) != 3 || i.Objects[0].Reports != 2 || !i.First.Equal(start()) {
		w.Fatalf("incident %+v", i)
	}
}

// purgedIncident purges a problem: the mail after it belongs to the same
// incident as without the purge.
func purgedIncident(w *world) {
	n := w.report("web1", store.Problem)
	o := w.operate(store.OpPurge, "")
	equal(w, "incidents while purged", len(w.incidents(ann)), 0)
	equal(w, "open while purged", got(w.Status(w.Context(), w.now)).or(w).IncidentsOpen, 0)
	w.wait(48 * time.Hour)
	m := w.report("web1", store.Problem)
	equal(w, "incident", w.entry(m).Copy.Incident, w.entry(n).Copy.Incident)
	w.undo(o.ID)
	equal(w, "copies", w.only().Copies, 2)
	equal(w, "again", w.only().Again, 0)
}

func openings(w *world) {
	for k := range 300 {
		w.wait(time.Second)
		w.accept(w.mail(ann, fmt.Sprintf("s1-%d", k), "web1", store.Problem))
	}
	times := got(w.Reader(w.Context(), ann)).or(w).Openings
	equal(w, "openings", len(times), 256)
	if !times[255].Equal(w.now) || !times[0].Equal(start().Add(45*time.Second)) {
		w.Fatalf("openings from %s to %s", times[0], times[255])
	}
	w.operate(store.OpPurge, "--signature s1-29*")
	equal(w, "openings without purged ones", len(got(w.Reader(w.Context(), ann)).or(w).Openings), 256)
	if last := got(w.Reader(w.Context(), ann)).or(w).Openings[255]; !last.Equal(start().Add(290 * time.Second)) {
		w.Fatalf("last opening %s", last)
	}
}
