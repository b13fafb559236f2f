package storetest

import (
	"bytes"
	"time"

	"lull/store"
)

func cutting() []test {
	return []test{
		{name: "cut takes what waits for the reader", run: cutTakes},
		{name: "cut is idempotent by batch", run: cutTwice},
		{name: "cut has nothing to take", run: cutNothing},
		{name: "cut waits for an open digest", run: cutOpen},
		{name: "cut does not lose a storm that goes on", run: cutStorm},
		{name: "cut of a notice takes named copies", run: cutNotice},
		{name: "cut refuses a stale term", run: staleTerm},
		{name: "news are told until they are announced or told", run: news},
		{name: "readers count what waits", run: readers},
	}
}

func cutTakes(w *world) {
	w.alerts(ann, "s1-disk", 3)
	w.alerts(ann, "s1-load", 2)
	w.alerts(bob, "s1-disk", 1)
	w.accept(human(w.id("m"), w.now, ann))
	taken := w.cut(ann)
	equal(w, "copies", taken.Batch.Copies, 5)
	equal(w, "incidents", taken.Batch.Incidents, 2)
	equal(w, "incidents told", len(taken.Incidents), 2)
	equal(w, "copies of the first", taken.Incidents[0].Copies, 3)
	equal(w, "of these in the cut", taken.Incidents[0].Lately, 3)
	equal(w, "objects of the first", len(taken.Incidents[0].Objects), 3)
	equal(w, "told before", taken.Incidents[0].Before, false)
	for _, e := range w.entries(store.Query{Batch: taken.Batch.ID}) {
		if e.Fate != store.InFlight || e.In != taken.Batch.ID || e.Copy.Reader != ann {
			w.Errorf("copy %s is %s in %q", e.ID(), e.Fate, e.In)
		}
	}
	w.fates(map[store.Fate]int{store.InFlight: 5, store.Waiting: 2})

	w.mark(w.begin(taken.Batch), "", store.Delivered)
	w.fates(map[store.Fate]int{store.Told: 5, store.Waiting: 2})
	reader := got(w.Reader(w.Context(), ann)).or(w)
	equal(w, "last digest", reader.LastID, taken.Batch.ID)
	if !reader.Last.Equal(taken.Batch.At) || !reader.Next.Equal(w.now.Add(time.Hour)) {
		w.Fatalf("reader %+v", reader)
	}

	w.wait(time.Hour)
	w.alerts(ann, "s1-disk", 1)
	again := w.cut(ann)
	equal(w, "copies since", again.Incidents[0].Lately, 1)
	equal(w, "copies in all", again.Incidents[0].Copies, 4)
	equal(w, "told before", again.Incidents[0].Before, true)
}

func cutTwice(w *world) {
	w.alerts(ann, "s1-disk", 3)
	c := w.digest(ann)
	first := got(w.Cut(w.Context(), c)).or(w)
	w.alerts(ann, "s1-disk", 1)
	second := got(w.Cut(w.Context(), c)).or(w)
	equal(w, "batch", second.Batch, first.Batch)
	equal(w, "lately", second.Incidents[0].Lately, 3)
	w.fates(map[store.Fate]int{store.InFlight: 3, store.Waiting: 1})
}

func cutNothing(w *world) {
	_, err := w.Cut(w.Context(), w.digest(ann))
	w.wants(store.ErrNothing, err)
	w.accept(human(w.id("m"), w.now, ann))
	_, err = w.Cut(w.Context(), w.digest(ann))
	w.wants(store.ErrNothing, err)
	_, err = w.Cut(w.Context(), store.Cut{ID: "x", At: w.now, Kind: "letter", Reader: ann})
	w.wants(store.ErrInvalid, err)
	w.fates(map[store.Fate]int{store.Waiting: 1})
}

func cutOpen(w *world) {
	w.alerts(ann, "s1-disk", 1)
	open := w.cut(ann).Batch
	w.alerts(ann, "s1-disk", 1)
	_, err := w.Cut(w.Context(), w.digest(ann))
	w.wants(store.ErrPinned, err)
	equal(w, "open", got(w.Reader(w.Context(), ann)).or(w).Open, open.ID)
	w.mark(w.begin(open), open.ID, store.Delivered)
	w.cut(ann)
	w.fates(map[store.Fate]int{store.Told: 1, store.InFlight: 1})
}

// cutStorm cuts again and again while mail keeps coming: every copy is told once.
func cutStorm(w *world) {
	const mails = 300
	mail := make([]store.Message, mails)
	for k := range mail {
		mail[k] = w.mail(ann, "s1-disk", "web1", store.Problem)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, m := range mail {
			if err := w.Accept(w.Context(), m, body(m)); err != nil {
				w.Errorf("%s: %v", m.ID, err)
			}
		}
	}()
	told, ended := 0, false
	for !ended || told < mails && !w.Failed() {
		select {
		case <-done:
			ended = true
		default:
		}
		if taken, err := w.Cut(w.Context(), w.digest(ann)); err == nil {
			told += taken.Batch.Copies
			w.must(w.Mark(w.Context(), w.ending("", taken.Batch.ID, store.Delivered)))
		} else {
			w.wants(store.ErrNothing, err)
		}
	}
	<-done
	w.fates(map[store.Fate]int{store.Told: mails})
}

func cutNotice(w *world) {
	numbers := w.alerts(ann, "s1-disk", 2)
	pass := w.accept(human(w.id("m"), w.now, ann))
	cut := store.Cut{ID: w.id("n"), At: w.now, Kind: store.KindNotice, Reader: ann, To: ann}
	for _, gone := range [][]uint64{{numbers[0], 999}, {numbers[0], pass[0]}} {
		cut.Numbers = gone
		_, err := w.Cut(w.Context(), cut)
		w.wants(store.ErrGone, err)
	}
	notice := w.notice(ann, numbers[0]).Batch
	cut.Numbers = numbers
	_, err := w.Cut(w.Context(), cut)
	w.wants(store.ErrGone, err)
	digest := w.cut(ann).Batch
	equal(w, "the digest leaves out what is announced just now", digest.Copies, 1)
	w.mark(w.begin(notice), "", store.Delivered)
	e := w.entry(numbers[0])
	equal(w, "fate of what was announced", e.Fate, store.Waiting)
	equal(w, "shown", e.Shown, notice.ID)
	equal(w, "shown copies", len(w.entries(store.Query{Batch: notice.ID})), 1)
	w.fates(map[store.Fate]int{store.Waiting: 2, store.InFlight: 1})
}

func staleTerm(w *world) {
	n := w.alerts(ann, "s1-disk", 2)
	ctx := w.Context()
	c := w.digest(ann)
	c.Term = 5
	taken := got(w.Cut(ctx, c)).or(w)
	equal(w, "term", got(w.Status(ctx, w.now)).or(w).Term, 5)
	begin := w.attempt(taken.Batch)
	begin.Term = 4
	w.wants(store.ErrStaleTerm, w.Begin(ctx, begin))
	w.wants(store.ErrStaleTerm, w.Mark(ctx, store.Mark{Term: 4, At: w.now, Batch: taken.Batch.ID, Outcome: store.Delivered}))
	w.wants(store.ErrStaleTerm, w.Refuse(ctx, store.Refuse{Term: 4, At: w.now, Reader: ann}))
	w.wants(store.ErrStaleTerm, w.Join(ctx, store.Join{Term: 4, At: w.now, Numbers: n}))
	_, err := w.Cut(ctx, store.Cut{ID: "x", Term: 4, At: w.now, Kind: store.KindDigest, Reader: ann})
	w.wants(store.ErrStaleTerm, err)
	o := w.order(store.OpPurge, "")
	o.Term = 4
	_, err = w.Operate(ctx, o)
	w.wants(store.ErrStaleTerm, err)
	o.Term = 5
	o.Rule = &store.Rule{ID: "r", Kind: store.RulePurge}
	done := got(w.Operate(ctx, o)).or(w)
	_, err = w.Undo(ctx, store.Undo{Operation: done.ID, Term: 4, At: w.now})
	w.wants(store.ErrStaleTerm, err)
	if w.engine.Reopen == nil {
		return
	}
	w.reopen()
	w.wants(store.ErrStaleTerm, w.Begin(ctx, begin))
}

func news(w *world) {
	first := w.alerts(ann, "s1-disk", 2)
	w.wait(time.Minute)
	second := w.alerts(ann, "s1-load", 1)
	list := func() (ids []uint64) {
		for _, n := range got(w.News(w.Context(), ann, w.now, 10)).or(w) {
			ids = append(ids, n.Entry.Copy.Number)
		}
		return ids
	}
	if l := list(); len(l) != 2 || l[0] != first[0] || l[1] != second[0] {
		w.Fatalf("news %v", l)
	}
	equal(w, "limited news", len(got(w.News(w.Context(), ann, w.now, 1)).or(w)), 1)
	notice := w.notice(ann, first[0]).Batch
	if l := list(); len(l) != 1 || l[0] != second[0] {
		w.Fatalf("news %v while one is announced", l)
	}
	w.mark(w.begin(notice), "", store.Refused)
	equal(w, "news after a refused notice", len(list()), 2)
	notice = w.notice(ann, first[0]).Batch
	begin := w.attempt(notice)
	begin.Body = []byte("bytes")
	w.must(w.Begin(w.Context(), begin))
	_, kept, err := w.Store.Batch(w.Context(), notice.ID)
	if w.must(err); !bytes.Equal(kept, []byte("bytes")) {
		w.Fatalf("kept %q", kept)
	}
	w.mark(begin.ID, "", store.Delivered)
	if l := list(); len(l) != 1 || l[0] != second[0] {
		w.Fatalf("news %v after one was announced", l)
	}
	told := w.incidents(ann)[0]
	equal(w, "notice", told.Notice, notice.ID)
	if !told.Announced.Equal(w.now) {
		w.Fatalf("announced %s", told.Announced)
	}
	w.tell(ann)
	equal(w, "news after the digest", len(list()), 0)
	equal(w, "news of nobody", len(got(w.News(w.Context(), "nobody", w.now, 9)).or(w)), 0)
}

func readers(w *world) {
	_, err := w.Reader(w.Context(), ann)
	w.wants(store.ErrNotFound, err)
	w.alerts(ann, "s1-disk", 2)
	w.alerts(ann, "s1-load", 1)
	w.accept(human(w.id("m"), w.now, ann))
	w.operate(store.OpHold, "--signature s1-load")
	w.must(w.Plan(w.Context(), store.Plan{Reader: bob, To: "Bob@example.org", Next: w.now.Add(time.Hour)}))
	r := got(w.Reader(w.Context(), ann)).or(w)
	if r.Waiting != 2 || r.Held != 1 || r.Pass != 1 || r.News != 1 || r.To != ann || len(r.Openings) != 1 {
		w.Fatalf("reader %+v", r)
	}
	all := gather(w, w.Readers(w.Context()))
	if len(all) != 2 || all[0].Name != ann || all[1].Name != bob || all[1].To != "Bob@example.org" {
		w.Fatalf("readers %+v", all)
	}
	at := w.now
	w.must(w.Refuse(w.Context(), store.Refuse{At: at, Reader: carl, Reply: store.Reply{Code: 550}, Next: at.Add(time.Minute)}))
	w.wait(time.Hour)
	w.must(w.Refuse(w.Context(), store.Refuse{At: w.now, Reader: carl, Reply: store.Reply{Code: 551}}))
	r = got(w.Reader(w.Context(), carl)).or(w)
	if !r.Refused.Equal(at) || r.Reply.Code != 551 {
		w.Fatalf("refused reader %+v", r)
	}
	w.alerts(carl, "s1-disk", 1)
	w.tell(carl)
	_, err = w.Reader(w.Context(), carl)
	if r, ok := got(w.Reader(w.Context(), carl)).value, err == nil; ok && !r.Refused.IsZero() {
		w.Fatalf("reader after a digest %+v", r)
	}
}
