package storetest

import (
	"time"

	"lull/store"
)

func budgeting() []test {
	return []test{
		{name: "the bound counts open and ended attempts for a window", run: bound},
		{name: "a refused attempt gives its slot back", run: givenBack},
		{name: "begin is idempotent by attempt", run: beginTwice},
		{name: "begin without room cuts nothing", run: beginAndCut},
		{name: "begin checks what it is given", run: beginInvalid},
		{name: "notices, digests, pass mail and DSNs have their budgets", run: budgets},
		{name: "the bound follows reader and address", run: boundFollows},
		{name: "gate time never goes back", run: gateTime},
		{name: "the bound holds over a restart", run: boundReopened},
	}
}

// send makes a digest of one new alert and takes a slot for it.
func (w *world) send(reader string) (attempt string, batch store.Batch, err error) {
	w.Helper()
	w.alerts(reader, "s1-disk", 1)
	cut := w.digest(reader)
	begin := w.attempt(store.Batch{ID: cut.ID, Reader: reader, To: reader})
	begin.Cut = &cut
	err = w.Begin(w.Context(), begin)
	return begin.ID, store.Batch{ID: cut.ID}, err
}

func bound(w *world) {
	for range 6 {
		attempt, b, err := w.send(ann)
		w.must(err)
		w.wait(time.Minute)
		w.mark(attempt, b.ID, store.Delivered)
	}
	_, _, err := w.send(ann)
	w.wants(store.ErrNoSlot, err)
	u := got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w)
	equal(w, "used", u.Gate, 6)
	equal(w, "free at", u.Free, time.Minute+time.Hour)
	w.wait(u.Free - w.gate - 1)
	_, _, err = w.send(ann)
	w.wants(store.ErrNoSlot, err)
	w.wait(1)
	attempt, b, err := w.send(ann)
	w.must(err)
	w.wait(24 * time.Hour)
	u = got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w)
	equal(w, "used while an attempt is open", u.Gate, 1)
	equal(w, "free at", u.Free, 0)
	w.mark(attempt, b.ID, store.Uncertain)
	equal(w, "used by an unknown outcome", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 1)
}

func givenBack(w *world) {
	for range 9 {
		attempt, b, err := w.send(ann)
		w.must(err)
		w.mark(attempt, b.ID, store.Refused)
	}
	equal(w, "slots", len(gather(w, w.Slots(w.Context()))), 0)
	equal(w, "used", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 0)
}

func beginTwice(w *world) {
	w.alerts(ann, "s1-disk", 1)
	b := w.cut(ann).Batch
	begin := w.attempt(b)
	w.must(w.Begin(w.Context(), begin))
	w.must(w.Begin(w.Context(), begin))
	equal(w, "slots", len(gather(w, w.Slots(w.Context()))), 1)
	w.mark(begin.ID, "", store.Refused)
	w.must(w.Begin(w.Context(), begin))
	equal(w, "slots after it was refused", len(gather(w, w.Slots(w.Context()))), 0)
}

func beginAndCut(w *world) {
	for range 6 {
		attempt, b, err := w.send(ann)
		w.must(err)
		w.mark(attempt, b.ID, store.Delivered)
	}
	_, b, err := w.send(ann)
	w.wants(store.ErrNoSlot, err)
	_, _, err = w.Store.Batch(w.Context(), b.ID)
	w.wants(store.ErrNotFound, err)
	w.fates(map[store.Fate]int{store.Told: 6, store.Waiting: 1})
}

func beginInvalid(w *world) {
	w.alerts(ann, "s1-disk", 1)
	b := w.cut(ann).Batch
	ctx := w.Context()
	for name, c := range map[string]struct {
		want  error
		spoil func(*store.Begin)
	}{
		"no batch":  {store.ErrNotFound, func(b *store.Begin) { b.Batch = "none" }},
		"no seats":  {store.ErrInvalid, func(b *store.Begin) { b.Seats = nil }},
		"no window": {store.ErrInvalid, func(b *store.Begin) { b.Limit.Window = 0 }},
		"no id":     {store.ErrInvalid, func(b *store.Begin) { b.ID = "" }},
		"another cut": {store.ErrInvalid, func(b *store.Begin) {
			b.Batch, b.Cut = "x", &store.Cut{ID: "y", At: w.now, Kind: store.KindDigest, Reader: ann}
		}},
		"cut of nothing": {store.ErrNothing, func(b *store.Begin) {
			b.Batch, b.Cut = "z", &store.Cut{ID: "z", At: w.now, Kind: store.KindDigest, Reader: bob}
		}},
	} {
		begin := w.attempt(b)
		c.spoil(&begin)
		if err := w.Begin(ctx, begin); err == nil {
			w.Errorf("%s: no error", name)
		} else {
			w.wants(c.want, err)
		}
	}
	equal(w, "slots", len(gather(w, w.Slots(ctx))), 0)
	w.mark("", b.ID, store.Delivered)
	w.wants(store.ErrNotFound, w.Begin(ctx, w.attempt(b)))
}

func budgets(w *world) {
	for k := range 5 {
		n := w.alerts(ann, "s1-"+w.id("sig"), 1)
		begin := w.attempt(w.notice(ann, n[0]).Batch)
		err := w.Begin(w.Context(), begin)
		if k == 4 {
			w.wants(store.ErrNoSlot, err)
			break
		}
		w.must(err)
		w.mark(begin.ID, "", store.Delivered)
	}
	for range 2 {
		attempt, b, err := w.send(ann)
		w.must(err)
		w.mark(attempt, b.ID, store.Delivered)
	}
	_, _, err := w.send(ann)
	w.wants(store.ErrNoSlot, err)

	n := w.accept(human(w.id("m"), w.now, ann))
	begin := w.attempt(w.pass(n...))
	begin.Seats[0].Tag = "alice s1-human"
	w.must(w.Begin(w.Context(), begin))
	dsn := got(w.Cut(w.Context(), store.Cut{ID: w.id("b"), At: w.now, Kind: store.KindDSN, Reader: ann, To: ann})).or(w).Batch
	w.must(w.Begin(w.Context(), w.attempt(dsn)))
	u := got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w)
	if u.Gate != 6 || u.Notices != 4 || u.Pass != 1 || u.Tags["alice s1-human"] != 1 {
		w.Fatalf("usage %+v", u)
	}
	unbounded := w.attempt(w.cutDSN())
	unbounded.Limit.Budget = 0
	w.must(w.Begin(w.Context(), unbounded))
}

func (w *world) cutDSN() store.Batch {
	return got(w.Cut(w.Context(), store.Cut{ID: w.id("b"), At: w.now, Kind: store.KindDSN, Reader: bob, To: bob})).or(w).Batch
}

// boundFollows changes the map of readers: the mail that went to an address
// counts for whoever has it now, and for the reader it belonged to.
func boundFollows(w *world) {
	attempt, b, err := w.send(ann)
	w.must(err)
	w.mark(attempt, b.ID, store.Delivered)
	for _, c := range []struct {
		reader, to string
		used       int
	}{{ann, "new@example.org", 1}, {"team", ann, 1}, {"team", "ANN@Example.org", 1}, {"team", "new@example.org", 0}} {
		equal(w, c.reader+" at "+c.to, got(w.Usage(w.Context(), c.reader, c.to, w.gate, time.Hour)).or(w).Gate, c.used)
	}
	seats := []store.Seat{{Reader: "team", To: "ANN@example.org"}, {Reader: "team", To: bob}}
	begin := w.attempt(w.cutDSN())
	begin.Seats = seats
	begin.Limit.Budget = 1
	w.wants(store.ErrNoSlot, w.Begin(w.Context(), begin))
	begin.Limit.Budget = 2
	w.must(w.Begin(w.Context(), begin))
	equal(w, "slots", len(gather(w, w.Slots(w.Context()))), 3)
}

func gateTime(w *world) {
	w.wait(10 * time.Hour)
	attempt, b, err := w.send(ann)
	w.must(err)
	w.now = w.now.AddDate(0, 0, -3)
	w.gate -= 5 * time.Hour
	w.mark(attempt, b.ID, store.Delivered)
	for _, s := range gather(w, w.Slots(w.Context())) {
		if s.Began != 10*time.Hour || s.Ended != 10*time.Hour {
			w.Fatalf("slot %+v", s)
		}
	}
	equal(w, "used", got(w.Usage(w.Context(), ann, ann, 0, time.Hour)).or(w).Gate, 1)
	got(w.Tend(w.Context(), store.Tend{At: w.now, Gate: time.Hour})).or(w)
	equal(w, "gate", got(w.Status(w.Context(), w.now)).or(w).Gate, 10*time.Hour)
}

func boundReopened(w *world) {
	w.wait(time.Hour)
	attempt, b, err := w.send(ann)
	w.must(err)
	w.mark(attempt, b.ID, store.Delivered)
	open, b, err := w.send(ann)
	w.must(err)
	w.wait(30 * time.Minute)
	got(w.Tend(w.Context(), store.Tend{At: w.now, Gate: w.gate})).or(w)
	w.reopen()
	equal(w, "gate", got(w.Status(w.Context(), w.now)).or(w).Gate, w.gate)
	equal(w, "used", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 2)
	w.mark(open, b.ID, store.Uncertain)
	equal(w, "pinned", got(w.Reader(w.Context(), ann)).or(w).Pinned, b.ID)
	equal(w, "used", got(w.Usage(w.Context(), ann, ann, w.gate, time.Hour)).or(w).Gate, 2)
}
