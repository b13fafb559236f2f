package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lull/store"
)

func failing() []test {
	return []test{
		{name: "every command may fail before it is carried out", run: failBefore},
		{name: "every command may be carried out and its answer lost", run: failAfter},
	}
}

// story is a day in commands with fixed ids: it can be run again, whatever
// part of it was carried out before.
func story(ctx context.Context, s store.Store, at time.Time) []func() error {
	seats := []store.Seat{{Reader: ann, To: ann}}
	limit := store.Limit{Window: time.Hour, Budget: 6, Notices: 4}
	accept := func(m store.Message) func() error {
		return func() error { return s.Accept(ctx, m, body(m)) }
	}
	mark := func(attempt string, o store.Outcome) func() error {
		return func() error {
			return s.Mark(ctx, store.Mark{At: at, Attempt: attempt, Batch: "b" + attempt[1:], Outcome: o})
		}
	}
	begin := func(n string, kind store.Kind, numbers ...uint64) func() error {
		cut := store.Cut{ID: "b" + n, At: at, Kind: kind, Reader: ann, To: ann, Numbers: numbers}
		return func() error {
			return s.Begin(ctx, store.Begin{ID: "a" + n, At: at, Batch: cut.ID, Seats: seats, Limit: limit, Body: []byte("mail"), Cut: &cut})
		}
	}
	operate := func(id string, kind store.OpKind, rule *store.Rule) func() error {
		return func() error {
			_, err := s.Operate(ctx, store.Operate{ID: id, At: at, Kind: kind, By: "op", Filter: "--object host1", Rule: rule})
			return err
		}
	}
	undo := func(id string) func() error {
		return func() error {
			_, err := s.Undo(ctx, store.Undo{Operation: id, At: at})
			return err
		}
	}
	m := func(n int) store.Message {
		return mail(fmt.Sprintf("m%d", n), at, ann, "s1-disk", fmt.Sprintf("host%d", n), store.Problem)
	}
	return []func() error{
		accept(m(0)), accept(m(1)), accept(human("m2", at, ann)), accept(human("m3", at, ann)),
		func() error { return s.Plan(ctx, store.Plan{Reader: ann, To: ann, Next: at.Add(time.Hour)}) },
		begin("1", store.KindNotice, 1), mark("a1", store.Delivered),
		operate("o1", store.OpPurge, &store.Rule{ID: "r1", Kind: store.RulePurge, Expires: at.Add(time.Hour)}),
		accept(mail("m4", at, ann, "s1-disk", "host1", store.Problem)),
		begin("2", store.KindDigest), mark("a2", store.Uncertain),
		undo("o1"),
		begin("3", store.KindPass, 3), mark("a3", store.Delivered),
		func() error {
			read := []store.Reread{{Message: "m0", Reading: signed(m(0), 2, "s2-disk").Reading}}
			return s.Rekey(ctx, store.Rekey{Version: 2, At: at, Read: read, Done: true})
		},
		accept(signed(mail("m5", at, ann, "s2-disk", "host1", store.Problem), 2, "s2-disk")),
		func() error { return s.Join(ctx, store.Join{At: at, Numbers: []uint64{4}, Reason: "many"}) },
		func() error {
			return s.Mark(ctx, store.Mark{At: at, Batch: "b2", Outcome: store.Delivered, Assumed: true})
		},
		operate("o2", store.OpHold, &store.Rule{ID: "r2", Kind: store.RuleHold, Expires: at.Add(time.Hour)}),
		func() error { return s.Refuse(ctx, store.Refuse{At: at, Reader: ann, Next: at.Add(time.Minute)}) },
		func() error { return s.Return(ctx, "b2", at) },
		func() error {
			_, err := s.Tend(ctx, store.Tend{At: at.Add(2 * time.Hour), Gate: time.Hour, ID: "t-", Prune: true})
			return err
		},
		begin("4", store.KindDigest), mark("a4", store.Delivered),
	}
}

// told is what a story leaves behind, failures or not.
func told(w *world) string {
	w.Helper()
	w.sound()
	return w.dump()
}

// reference runs the story without a failure.
func reference(w *world) (commands int, dump string) {
	w.Helper()
	calm := &world{TB: w.TB, Store: w.engine.Open(w.TB, store.DefaultLimits(time.Hour)), engine: w.engine, now: w.now}
	defer func() { _ = calm.Close() }()
	steps := story(w.Context(), calm.Store, w.now)
	for k, step := range steps {
		if err := step(); err != nil {
			w.Fatalf("step %d: %v", k, err)
		}
		calm.sound()
	}
	return len(steps), told(calm)
}

func failBefore(w *world) {
	commands, want := reference(w)
	for n := 1; n <= commands; n++ {
		fresh := &world{TB: w.TB, Store: w.engine.Open(w.TB, store.DefaultLimits(time.Hour)), engine: w.engine, now: w.now}
		faulty := NewFaulty(fresh.Store, n, Before, store.ErrFull)
		for k, step := range story(w.Context(), faulty, w.now) {
			err := step()
			if (err != nil) != (k+1 == n) || err != nil && !errors.Is(err, store.ErrFull) {
				w.Fatalf("the %dth fails: step %d: %v", n, k+1, err)
			}
			if err != nil {
				w.must(step())
			}
		}
		if dump := told(fresh); dump != want {
			w.Fatalf("the %dth failed (%s):\n%s", n, faulty.Failed(), differing(want, dump))
		}
		w.must(fresh.Close())
	}
}

// failAfter loses the answer of each command in turn; what runs the story
// starts anew from its beginning, as after a crash.
func failAfter(w *world) {
	if w.engine.Reopen == nil {
		w.Skip("the engine keeps nothing")
	}
	commands, want := reference(w)
	for n := 1; n <= commands; n++ {
		fresh := &world{TB: w.TB, Store: w.engine.Open(w.TB, store.DefaultLimits(time.Hour)), engine: w.engine, now: w.now}
		faulty := NewFaulty(fresh.Store, n, After, nil)
		for k, step := range story(w.Context(), faulty, w.now) {
			if err := step(); (err != nil) != (k+1 >= n) || err != nil && !errors.Is(err, store.ErrStopped) {
				w.Fatalf("the answer of the %dth is lost: step %d: %v", n, k+1, err)
			}
		}
		fresh.reopen()
		for k, step := range story(w.Context(), fresh.Store, w.now)[n-1:] {
			if err := step(); err != nil {
				w.Fatalf("after the answer of the %dth (%s) was lost: step %d: %v", n, faulty.Failed(), n+k, err)
			}
		}
		if dump := told(fresh); dump != want {
			w.Fatalf("the answer of the %dth (%s) was lost:\n%s", n, faulty.Failed(), differing(want, dump))
		}
		w.must(fresh.Close())
	}
}
