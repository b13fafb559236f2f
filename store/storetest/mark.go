package storetest

import (
	"bytes"
	"time"

	"lull/store"
)

func marking() []test {
	return []test{
		{name: "digest delivered, refused, rejected", run: markDigest},
		{name: "digest of unknown outcome is pinned", run: markPinned},
		{name: "digest that was shown whole ends without a mail", run: markWhole},
		{name: "mark is idempotent by attempt", run: markTwice},
		{name: "mark checks what it is given", run: markInvalid},
		{name: "an attempt ends its slot although its batch ended before", run: markLate},
		{name: "notice lets its copy wait in every case", run: markNotice},
		{name: "a digest that comes back is told again, once", run: returned},
	}
}

func markDigest(w *world) {
	w.alerts(ann, "s1-disk", 2)
	for _, c := range []struct {
		outcome  store.Outcome
		code     int
		slots    int
		rejected int
	}{
		{store.Refused, 421, 0, 0},
		{store.Rejected, 451, 1, 0},
		{store.Rejected, 554, 2, 1},
		{store.Rejected, 554, 3, 2},
	} {
		b := w.cut(ann).Batch
		w.fates(map[store.Fate]int{store.InFlight: 2})
		m := w.ending(w.begin(b), b.ID, c.outcome)
		m.Reply.Code = c.code
		w.must(w.Mark(w.Context(), m))
		w.fates(map[store.Fate]int{store.Waiting: 2})
		equal(w, "slots", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, c.slots)
		r := got(w.Reader(w.Context(), ann)).or(w)
		if r.Rejected != c.rejected || r.Open != "" || !r.Retry.Equal(m.Next) || r.Reply.Code != c.code {
			w.Fatalf("reader %+v", r)
		}
	}
	told := w.tell(ann)
	w.fates(map[store.Fate]int{store.Told: 2})
	r, err := w.Reader(w.Context(), ann)
	if w.must(err); r.Rejected != 0 || !r.Retry.IsZero() {
		w.Fatalf("reader %+v", r)
	}
	kept, _, err := w.Store.Batch(w.Context(), told.ID)
	if w.must(err); kept.Open() || kept.Outcome != store.Delivered || kept.Attempts != 1 || kept.Copies != 2 {
		w.Fatalf("batch %+v", kept)
	}
	equal(w, "digests", len(gather(w, w.Batches(w.Context(), ann))), 5)
	equal(w, "open batches", len(got(w.Open(w.Context())).or(w)), 0)
}

func markPinned(w *world) {
	n := w.alerts(ann, "s1-disk", 2)
	b := w.cut(ann).Batch
	begin := w.attempt(b)
	begin.Body = []byte("the digest")
	w.must(w.Begin(w.Context(), begin))
	w.mark(begin.ID, "", store.Uncertain)
	pinned := func() {
		w.Helper()
		kept, mail, err := w.Store.Batch(w.Context(), b.ID)
		if w.must(err); !kept.Pinned || !kept.Open() || !bytes.Equal(mail, begin.Body) || !kept.Next.Equal(w.now.Add(time.Minute)) {
			w.Fatalf("batch %+v with %q", kept, mail)
		}
		equal(w, "pinned", got(w.Reader(w.Context(), ann)).or(w).Pinned, b.ID)
		w.fates(map[store.Fate]int{store.InFlight: 2})
	}
	pinned()
	equal(w, "uncertain", got(w.Status(w.Context(), w.now)).or(w).Uncertain, 1)
	w.mark("", b.ID, store.Refused)
	pinned()
	w.mark(w.begin(b), "", store.Refused)
	pinned()
	m := w.ending(w.begin(b), "", store.Rejected)
	m.Reply.Code = 451
	w.must(w.Mark(w.Context(), m))
	pinned()
	equal(w, "slots", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 2)
	_, err := w.Operate(w.Context(), w.order(store.OpPurge, ""))
	w.wants(store.ErrNothing, err)

	m = w.ending("", b.ID, store.Uncertain)
	m.Assumed = true
	w.must(w.Mark(w.Context(), m))
	kept, mail, err := w.Store.Batch(w.Context(), b.ID)
	if w.must(err); kept.Open() || kept.Pinned || !kept.Assumed || len(mail) > 0 {
		w.Fatalf("batch %+v with %q", kept, mail)
	}
	w.fates(map[store.Fate]int{store.Told: 2})
	equal(w, "uncertain", got(w.Status(w.Context(), w.now)).or(w).Uncertain, 1)
	equal(w, "in", w.entry(n[0]).In, b.ID)

	w.alerts(ann, "s1-disk", 1)
	b = w.cut(ann).Batch
	w.mark(w.begin(b), "", store.Uncertain)
	w.mark(w.begin(b), "", store.Rejected)
	w.fates(map[store.Fate]int{store.Told: 2, store.Waiting: 1})
}

func markWhole(w *world) {
	n := w.alerts(ann, "s1-disk", 1)
	notice := w.notice(ann, n[0]).Batch
	w.mark(w.begin(notice), "", store.Delivered)
	b := w.cut(ann).Batch
	w.must(w.Mark(w.Context(), store.Mark{At: w.now, Gate: w.gate, Batch: b.ID, Whole: true}))
	e := w.entry(n[0])
	if e.Fate != store.Told || e.In != b.ID || e.Shown != notice.ID {
		w.Fatalf("entry %+v", e)
	}
	equal(w, "slots", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 1)
}

func markTwice(w *world) {
	w.alerts(ann, "s1-disk", 1)
	for _, o := range []store.Outcome{store.Refused, store.Rejected} {
		b := w.cut(ann).Batch
		attempt := w.begin(b)
		w.mark(attempt, b.ID, o)
		w.mark(attempt, b.ID, store.Delivered)
		w.must(w.Mark(w.Context(), w.ending("", b.ID, store.Delivered)))
		w.fates(map[store.Fate]int{store.Waiting: 1})
	}
	b := w.cut(ann).Batch
	attempt := w.begin(b)
	w.mark(attempt, b.ID, store.Uncertain)
	w.mark(attempt, b.ID, store.Uncertain)
	equal(w, "uncertain", got(w.Status(w.Context(), w.now)).or(w).Uncertain, 1)
	again := w.begin(b)
	w.mark(attempt, b.ID, store.Rejected)
	w.fates(map[store.Fate]int{store.InFlight: 1})
	w.mark(again, b.ID, store.Delivered)
	w.mark(again, b.ID, store.Delivered)
	w.fates(map[store.Fate]int{store.Told: 1})
	equal(w, "slots", len(gather(w, w.Slots(w.Context()))), 3)
}

func markInvalid(w *world) {
	n := w.alerts(ann, "s1-disk", 1)
	b := w.cut(ann).Batch
	ctx := w.Context()
	w.wants(store.ErrNotFound, w.Mark(ctx, w.ending("none", "", store.Delivered)))
	w.wants(store.ErrNotFound, w.Mark(ctx, w.ending("", "none", store.Delivered)))
	w.wants(store.ErrNotFound, w.Mark(ctx, w.ending("none", b.ID, store.Delivered)))
	w.wants(store.ErrInvalid, w.Mark(ctx, w.ending("", b.ID, "lost")))
	w.wants(store.ErrInvalid, w.Mark(ctx, store.Mark{Batch: b.ID, Outcome: store.Delivered}))
	attempt := w.begin(b)
	w.wants(store.ErrInvalid, w.Mark(ctx, w.ending(attempt, "other", store.Delivered)))
	m := w.ending(attempt, "", store.Delivered)
	m.Results = []store.Result{{Number: n[0], Fate: store.Told}}
	w.wants(store.ErrInvalid, w.Mark(ctx, m))
	m.Results = []store.Result{{Number: 77, Fate: store.Passed}}
	w.wants(store.ErrNotFound, w.Mark(ctx, m))
	w.fates(map[store.Fate]int{store.InFlight: 1})
}

func markLate(w *world) {
	w.alerts(ann, "s1-disk", 1)
	b := w.cut(ann).Batch
	attempt := w.begin(b)
	w.mark("", b.ID, store.Delivered)
	w.wait(30 * time.Minute)
	w.mark(attempt, "", store.Uncertain)
	w.fates(map[store.Fate]int{store.Told: 1})
	w.wait(time.Hour - 1)
	equal(w, "slots", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 1)
	w.wait(1)
	equal(w, "slots after the window", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 0)
}

func markNotice(w *world) {
	for k, c := range []struct {
		outcome  store.Outcome
		announce bool
		slots    int
	}{
		{store.Refused, false, 0},
		{store.Rejected, false, 1},
		{store.Uncertain, true, 2},
		{store.Delivered, true, 3},
	} {
		n := w.alerts(ann, "s1-"+string(c.outcome), 1)
		b := w.notice(ann, n[0]).Batch
		w.mark(w.begin(b), "", c.outcome)
		e := w.entry(n[0])
		equal(w, "fate", e.Fate, store.Waiting)
		equal(w, "shown", e.Shown != "", c.announce)
		equal(w, "announced", !w.incidents(ann)[k].Announced.IsZero(), c.announce)
		u := got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w)
		equal(w, "slots", u.Gate, c.slots)
		equal(w, "slots of notices", u.Notices, c.slots)
	}
	w.fates(map[store.Fate]int{store.Waiting: 4})
}

func returned(w *world) {
	n := w.alerts(ann, "s1-disk", 2)
	first := w.tell(ann)
	w.wants(store.ErrNotFound, w.Return(w.Context(), "none", w.now))
	w.must(w.Return(w.Context(), first.ID, w.now))
	w.must(w.Return(w.Context(), first.ID, w.now.Add(time.Hour)))
	w.fates(map[store.Fate]int{store.Waiting: 2})
	more := w.alerts(ann, "s1-disk", 1)
	second := w.tell(ann)
	equal(w, "copies", second.Copies, 3)
	w.must(w.Return(w.Context(), second.ID, w.now))
	equal(w, "told twice", w.entry(n[0]).Fate, store.Told)
	equal(w, "in", w.entry(n[0]).In, second.ID)
	equal(w, "told once", w.entry(more[0]).Fate, store.Waiting)
	w.fates(map[store.Fate]int{store.Told: 2, store.Waiting: 1})
	kept, _, err := w.Store.Batch(w.Context(), first.ID)
	if w.must(err); !kept.Returned.Equal(w.now) {
		w.Fatalf("batch %+v", kept)
	}
}
