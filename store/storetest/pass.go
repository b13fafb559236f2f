package storetest

import (
	"time"

	"lull/store"
)

func passing() []test {
	return []test{
		{name: "pass mail is due, tried, passed", run: passDue},
		{name: "pass mail has a result for each copy", run: passResults},
		{name: "pass mail of unknown outcome is counted", run: passUncertain},
		{name: "pass mail joins the digest", run: join},
		{name: "pass mail that was never cut is marked", run: passUncut},
	}
}

// pass cuts pass mail.
func (w *world) pass(numbers ...uint64) store.Batch {
	w.Helper()
	return got(w.Cut(w.Context(), store.Cut{ID: w.id("p"), At: w.now, Kind: store.KindPass, Numbers: numbers, Reader: ann, To: ann})).or(w).Batch
}

func (w *world) due(limit int) ([]uint64, time.Time) {
	w.Helper()
	due, next, err := w.Due(w.Context(), w.now, limit)
	w.must(err)
	var numbers []uint64
	for _, e := range due {
		numbers = append(numbers, e.Copy.Number)
	}
	return numbers, next
}

func passDue(w *world) {
	m := also(human(w.id("m"), w.now, ann), bob, store.Pass)
	n := w.accept(m)
	w.alerts(ann, "s1-disk", 1)
	due, next := w.due(10)
	if len(due) != 2 || due[0] != n[0] || !next.IsZero() {
		w.Fatalf("due %v, next %s", due, next)
	}
	equal(w, "limited", len(got(func() ([]store.Entry, error) {
		due, _, err := w.Due(w.Context(), w.now, 1)
		return due, err
	}()).or(w)), 1)
	b := w.pass(n...)
	due, _ = w.due(10)
	equal(w, "due while in flight", len(due), 0)
	w.mark(w.begin(b), "", store.Rejected)
	due, next = w.due(10)
	if len(due) != 0 || !next.Equal(w.now.Add(time.Minute)) {
		w.Fatalf("due %v, next %s", due, next)
	}
	if p := w.entry(n[0]).Progress; p.Attempts != 1 || p.Reply.Code != 554 || p.Uncertain != 0 {
		w.Fatalf("progress %+v", p)
	}
	w.wait(time.Minute)
	due, _ = w.due(10)
	equal(w, "due again", len(due), 2)
	w.must(w.Mark(w.Context(), w.ending(w.begin(w.pass(n[0])), "", store.Delivered)))
	got(w.Body(w.Context(), m.ID)).or(w)
	w.mark(w.begin(w.pass(n[1])), "", store.Delivered)
	_, err := w.Body(w.Context(), m.ID)
	w.wants(store.ErrNotFound, err)
	w.fates(map[store.Fate]int{store.Passed: 2, store.Waiting: 1})
	equal(w, "attempts", w.entry(n[0]).Progress.Attempts, 2)
}

func passResults(w *world) {
	m := human(w.id("m"), w.now, ann)
	for _, to := range []string{bob, carl, dora} {
		m = also(m, to, store.Pass)
	}
	n := w.accept(m)
	b := w.pass(n...)
	mark := w.ending(w.begin(b), b.ID, store.Delivered)
	mark.Results = []store.Result{
		{Number: n[1], Fate: store.Bounced, Reply: store.Reply{Code: 550}},
		{Number: n[2], Fate: store.Waiting, Reply: store.Reply{Code: 450}, Next: w.now.Add(time.Hour)},
		{Number: n[3], Fate: store.Expired, Reply: store.Reply{Code: 450}},
	}
	w.must(w.Mark(w.Context(), mark))
	w.fates(map[store.Fate]int{store.Passed: 1, store.Bounced: 1, store.Waiting: 1, store.Expired: 1})
	equal(w, "reply", w.entry(n[1]).Progress.Reply.Code, 550)
	equal(w, "in", w.entry(n[0]).In, b.ID)
	_, next := w.due(9)
	if !next.Equal(w.now.Add(time.Hour)) {
		w.Fatalf("next %s", next)
	}
}

func passUncertain(w *world) {
	n := w.accept(human(w.id("m"), w.now, ann))
	w.mark(w.begin(w.pass(n...)), "", store.Uncertain)
	w.fates(map[store.Fate]int{store.Waiting: 1})
	equal(w, "uncertain", w.entry(n[0]).Progress.Uncertain, 1)
	equal(w, "uncertain of all", got(w.Status(w.Context(), w.now)).or(w).Uncertain, 1)
}

func join(w *world) {
	m := human(w.id("m"), w.now, ann)
	n := w.accept(also(m, bob, store.Pass))
	w.wait(time.Minute)
	j := store.Join{At: w.now, Numbers: n[:1], Reason: "sixth of its kind"}
	w.must(w.Join(w.Context(), j))
	w.must(w.Join(w.Context(), j))
	e := w.entry(n[0])
	if e.Copy.Class != store.Alert || e.Copy.Incident == "" || e.Progress.Joined != j.Reason {
		w.Fatalf("joined %+v", e)
	}
	equal(w, "the other copy", w.entry(n[1]).Copy.Class, store.Pass)
	due, _ := w.due(9)
	equal(w, "due", len(due), 1)
	equal(w, "copies", w.cut(ann).Batch.Copies, 1)
	w.wants(store.ErrGone, w.Join(w.Context(), store.Join{At: w.now, Numbers: []uint64{99}}))
	w.mark("", w.pass(n[1]).ID, store.Delivered)
	w.wants(store.ErrGone, w.Join(w.Context(), store.Join{At: w.now, Numbers: n[1:]}))
	w.fates(map[store.Fate]int{store.InFlight: 1, store.Passed: 1})
}

func passUncut(w *world) {
	n := w.accept(also(human(w.id("m"), w.now, ann), bob, store.Pass))
	m := store.Mark{At: w.now, Gate: w.gate, Outcome: store.Delivered, Results: []store.Result{
		{Number: n[0], Fate: store.Passed},
		{Number: n[1], Fate: store.Waiting, Next: w.now.Add(time.Hour), Reply: store.Reply{Code: 450}},
	}}
	w.must(w.Mark(w.Context(), m))
	w.fates(map[store.Fate]int{store.Passed: 1, store.Waiting: 1})
	m.Results = []store.Result{{Number: n[0], Fate: store.Waiting}}
	w.must(w.Mark(w.Context(), m))
	w.fates(map[store.Fate]int{store.Passed: 1, store.Waiting: 1})
	b := w.pass(n[1])
	m.Results = []store.Result{{Number: n[1], Fate: store.Passed}}
	w.wants(store.ErrGone, w.Mark(w.Context(), m))
	w.mark("", b.ID, store.Refused)
	w.fates(map[store.Fate]int{store.Passed: 1, store.Waiting: 1})
}
