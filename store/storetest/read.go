package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"lull/store"
)

func reading() []test {
	return []test{
		{name: "queries narrow", run: queries},
		{name: "queries end with their context", run: queryEnds},
		{name: "iterators may be left, and commands run inside of them", run: iterators},
		{name: "reads and commands at once", run: everything},
		{name: "commands end with their context", run: commandEnds},
		{name: "a closed store has stopped", run: closed},
	}
}

func queries(w *world) {
	n := w.alerts(ann, "s1-disk", 300)
	m := w.mail(bob, "s1-load", "web1", store.Problem)
	other := w.accept(also(m, carl, store.Alert))
	told := w.tell(ann)
	o := w.operate(store.OpHold, "--reader "+carl)
	for name, c := range map[string]struct {
		q    store.Query
		want int
	}{
		"all":            {store.Query{}, 302},
		"filter":         {store.Query{Filter: "--object host7"}, 1},
		"body":           {store.Query{Filter: "--text 'body of " + m.ID + "'"}, 2},
		"reader":         {store.Query{Filter: "--reader " + bob}, 1},
		"readers":        {store.Query{Filter: "--reader *@example.org"}, 302},
		"fate":           {store.Query{Filter: "--fate held"}, 1},
		"fates":          {store.Query{Filter: "--fate held --fate waiting"}, 2},
		"after":          {store.Query{After: n[299]}, 2},
		"after the last": {store.Query{After: other[1]}, 0},
		"numbers":        {store.Query{Numbers: []uint64{n[0], n[250], 9999}}, 2},
		"message":        {store.Query{IDs: []string{m.ID}}, 2},
		"incident":       {store.Query{Filter: "--incident " + strings.ToUpper(w.entry(n[0]).Copy.Incident)}, 300},
		"no incident":    {store.Query{Filter: "--incident i99999"}, 0},
		"id":             {store.Query{Filter: "--id " + m.ID + ".2"}, 1},
		"ids":            {store.Query{Filter: "--id " + m.ID + " --id " + strings.ToUpper(w.entry(n[0]).ID())}, 3},
		"copy":           {store.Query{IDs: []string{m.ID + ".2", m.ID + ".3", m.ID + ".0", "x", "x.1", ".", m.ID + ".x"}}, 1},
		"batch":          {store.Query{Batch: told.ID}, 300},
		"operation":      {store.Query{Operation: o.ID}, 1},
		"nothing":        {store.Query{Operation: "none"}, 0},
		"both":           {store.Query{Batch: told.ID, Filter: "--object host1", After: n[5]}, 0},
	} {
		all := w.entries(c.q)
		if len(all) != c.want {
			w.Errorf("%s: %d copies, want %d", name, len(all), c.want)
		}
		for k := 1; k < len(all); k++ {
			if all[k].Copy.Number <= all[k-1].Copy.Number {
				w.Errorf("%s: %d after %d", name, all[k].Copy.Number, all[k-1].Copy.Number)
			}
		}
	}
	for _, err := range w.Copies(w.Context(), store.Query{Filter: "--bogus x"}) {
		w.wants(store.ErrInvalid, err)
	}
	w.wait(time.Hour)
	equal(w, "older", len(w.entries(store.Query{Filter: "--older 1h", At: w.now})), 302)
	equal(w, "younger", len(w.entries(store.Query{Filter: "--younger 1h", At: w.now})), 0)
}

func queryEnds(w *world) {
	w.alerts(ann, "s1-disk", 10)
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	for _, err := range w.Copies(ctx, store.Query{}) {
		w.wants(context.Canceled, err)
	}
	_, err := w.Audit(ctx)
	w.wants(context.Canceled, err)
}

func iterators(w *world) {
	w.alerts(ann, "s1-disk", 600)
	n := 0
	for _, err := range w.Copies(w.Context(), store.Query{}) {
		w.must(err)
		if n++; n == 300 {
			w.alerts(bob, fmt.Sprintf("s1-%d", n), 1)
			w.operate(store.OpPurge, "--reader "+ann)
		}
		if n == 500 {
			break
		}
	}
	for range w.Incidents(w.Context(), "", w.now) {
		w.alerts(bob, "s1-new", 1)
		break
	}
	for range w.Readers(w.Context()) {
		w.tell(bob)
		break
	}
	for range w.Slots(w.Context()) {
		w.must(w.Plan(w.Context(), store.Plan{Reader: bob, Next: w.now}))
		break
	}
	for o := range w.Operations(w.Context()) {
		w.undo(o.ID)
		break
	}
	for range w.Batches(w.Context(), "") {
		w.tell(ann)
		break
	}
	for range w.Rules(w.Context()) {
		break
	}
	w.fates(map[store.Fate]int{store.Told: 602})
}

// everything reads and commands from many goroutines; at the end all adds up.
func everything(w *world) {
	const rounds = 25
	ctx := w.Context()
	var wg sync.WaitGroup
	run := func(f func(k int) error) {
		wg.Go(func() {
			for k := range rounds {
				if err := f(k); err != nil && !errors.Is(err, store.ErrNothing) && !errors.Is(err, store.ErrPinned) && !errors.Is(err, store.ErrNoSlot) {
					w.Error(err)
				}
			}
		})
	}
	for g := range 4 {
		run(func(k int) error {
			m := mail(fmt.Sprintf("e%d-%d", g, k), w.now, ann, fmt.Sprintf("s1-%d", k%3), fmt.Sprintf("host%d", k%5), store.Problem)
			return w.Accept(ctx, also(m, bob, store.Pass), body(m))
		})
	}
	run(func(k int) error {
		_, err := w.Operate(ctx, store.Operate{ID: fmt.Sprintf("p%d", k), At: w.now, Kind: store.OpPurge, By: "op", Filter: "--object host1"})
		return err
	})
	run(func(k int) error {
		for o := range w.Operations(ctx) {
			if _, err := w.Undo(ctx, store.Undo{Operation: o.ID, At: w.now}); err != nil {
				return err
			}
		}
		return nil
	})
	run(func(k int) error {
		taken, err := w.Cut(ctx, store.Cut{ID: fmt.Sprintf("c%d", k), At: w.now, Kind: store.KindDigest, Reader: ann, To: ann})
		if err != nil {
			return err
		}
		return w.Mark(ctx, store.Mark{At: w.now, Batch: taken.Batch.ID, Outcome: []store.Outcome{store.Delivered, store.Refused}[k%2]})
	})
	run(func(int) error {
		for i, err := range w.Incidents(ctx, ann, w.now) {
			reports := 0
			for _, o := range i.Objects {
				reports += o.Reports
			}
			if reports != i.Copies {
				w.Errorf("incident %s has %d copies and %d reports", i.ID, i.Copies, reports)
			}
			if err != nil {
				return err
			}
		}
		_, err := w.News(ctx, ann, w.now, 10)
		return err
	})
	run(func(int) error {
		audit, err := w.Audit(ctx)
		if len(audit.Differences) > 0 {
			w.Errorf("while busy: %q", audit.Differences)
		}
		return err
	})
	run(func(int) error {
		for _, err := range w.Copies(ctx, store.Query{Filter: "--fate waiting"}) {
			if err != nil {
				return err
			}
		}
		_, err := w.Status(ctx, w.now)
		return err
	})
	wg.Wait()
	equal(w, "accepted", got(w.Status(ctx, w.now)).or(w).Accepted, 4*rounds*2)
	w.sound()
}

func commandEnds(w *world) {
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	w.wants(context.Canceled, w.Accept(ctx, w.mail(ann, "s1-disk", "web1", store.Problem), nil))
	w.fates(nil)
}

func closed(w *world) {
	w.alerts(ann, "s1-disk", 1)
	w.must(w.Close())
	w.wants(store.ErrStopped, w.Accept(w.Context(), w.mail(ann, "s1-disk", "web1", store.Problem), nil))
	_, err := w.Cut(w.Context(), w.digest(ann))
	w.wants(store.ErrStopped, err)
	w.wants(store.ErrStopped, w.Plan(w.Context(), store.Plan{Reader: ann, Next: w.now}))
}
