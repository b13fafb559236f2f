package storetest

import (
	"fmt"
	"time"

	"lull/store"
)

func operating() []test {
	return []test{
		{name: "purge and undo", run: purgeUndo},
		{name: "hold and release", run: holdRelease},
		{name: "operations lie in layers and are undone in any order", run: layers},
		{name: "operations leave alone what is in flight, told or passed", run: operateLive},
		{name: "an operation keeps to what the operator was shown", run: operateToken},
		{name: "an operation is idempotent by id", run: operateTwice},
		{name: "purge for good deletes bodies and cannot be undone", run: purgeForever},
		{name: "a purge for good empties the trash when its filter names it", run: purgeTrash},
		{name: "expire gives up, undo brings back", run: expire},
		{name: "an undo over a cut gives back what was not told", run: undoOverCut},
		{name: "preview is what the operation then does", run: preview},
		{name: "operations are checked", run: operateInvalid},
		{name: "operations see what came while they were being prepared", run: operateLate},
	}
}

func purgeUndo(w *world) {
	n := w.alerts(ann, "s1-disk", 3)
	w.alerts(ann, "s1-load", 2)
	w.alerts(bob, "s1-disk", 1)
	o := w.operate(store.OpPurge, "--signature s1-disk")
	if o.Copies != 4 || o.Readers != 2 || o.Incidents != 2 || o.InFlight != 0 || o.By != "op" {
		w.Fatalf("operation %+v", o)
	}
	w.fates(map[store.Fate]int{store.Purged: 4, store.Waiting: 2})
	equal(w, "in", w.entry(n[0]).In, o.ID)
	equal(w, "copies of the operation", len(w.entries(store.Query{Operation: o.ID})), 4)
	equal(w, "incidents that are left", len(w.incidents(ann)), 1)
	equal(w, "news that are left", got(w.Reader(w.Context(), ann)).or(w).News, 1)
	got(w.Body(w.Context(), w.entry(n[0]).Message.ID)).or(w)
	_, err := w.Operate(w.Context(), w.order(store.OpPurge, "--signature s1-disk"))
	w.wants(store.ErrNothing, err)
	w.wait(time.Minute)
	undone := w.undo(o.ID)
	if !undone.Undone.Equal(w.now) || undone.UndoneBy != "op" || undone.Copies != 4 {
		w.Fatalf("undone %+v", undone)
	}
	w.wait(time.Minute)
	equal(w, "undone once", fmt.Sprint(w.undo(o.ID)), fmt.Sprint(undone))
	w.fates(map[store.Fate]int{store.Waiting: 6})
	equal(w, "incidents", len(w.incidents(ann)), 2)
	equal(w, "objects", len(w.incidents(ann)[0].Objects), 3)
	_, err = w.Undo(w.Context(), store.Undo{Operation: "none", At: w.now})
	w.wants(store.ErrNotFound, err)
	equal(w, "operations", len(gather(w, w.Operations(w.Context()))), 1)
}

func holdRelease(w *world) {
	n := w.alerts(ann, "s1-disk", 3)
	pass := w.accept(human(w.id("m"), w.now, ann))
	hold := w.operate(store.OpHold, "")
	w.fates(map[store.Fate]int{store.Held: 4})
	due, _ := w.due(9)
	equal(w, "due while held", len(due), 0)
	_, err := w.Cut(w.Context(), w.digest(ann))
	w.wants(store.ErrNothing, err)
	release := w.operate(store.OpRelease, "--object host1")
	equal(w, "released", release.Copies, 1)
	w.fates(map[store.Fate]int{store.Held: 3, store.Waiting: 1})
	_, err = w.Operate(w.Context(), w.order(store.OpRelease, "--object host1"))
	w.wants(store.ErrNothing, err)
	w.undo(release.ID)
	w.fates(map[store.Fate]int{store.Held: 4})
	equal(w, "held by", w.entry(n[0]).In, hold.ID)
	w.operate(store.OpRelease, "--class pass")
	equal(w, "fate", w.entry(pass[0]).Fate, store.Waiting)
	w.undo(hold.ID)
	w.fates(map[store.Fate]int{store.Waiting: 4})
	equal(w, "in", w.entry(n[0]).In, "")
}

// layers undoes a hold, another hold, a release and a purge of the same copies
// in every order: what is left decides.
func layers(w *world) {
	type step struct {
		kind   store.OpKind
		filter string
	}
	steps := []step{
		{store.OpHold, ""}, {store.OpHold, "--object host0"}, {store.OpRelease, "--object host1"}, {store.OpPurge, "--object host1"},
	}
	for _, order := range permutations(len(steps)) {
		n := w.alerts(ann, "s1-disk", 2)
		var ids []string
		for _, s := range steps {
			ids = append(ids, w.operate(s.kind, s.filter).ID)
		}
		gone := make(map[string]bool)
		for _, k := range order {
			w.undo(ids[k])
			gone[ids[k]] = true
			for object, number := range n {
				fate, in := store.Waiting, ""
				for j, s := range steps {
					covers := s.filter == "" || s.filter == "--object host"+string(rune('0'+object))
					if gone[ids[j]] || !covers {
						continue
					}
					switch s.kind {
					case store.OpHold:
						fate, in = store.Held, ids[j]
					case store.OpRelease:
						fate, in = store.Waiting, ""
					case store.OpPurge:
						fate, in = store.Purged, ids[j]
					}
				}
				if e := w.entry(number); e.Fate != fate || e.In != in {
					w.Fatalf("order %v, after %d: host%d is %s in %q, want %s in %q", order, k, object, e.Fate, e.In, fate, in)
				}
			}
		}
		w.tell(ann)
		w.wait(time.Hour)
	}
	w.sound()
}

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for k := 0; k <= len(p); k++ {
			one := append(append(append([]int(nil), p[:k]...), n-1), p[k:]...)
			all = append(all, one)
		}
	}
	return all
}

func operateLive(w *world) {
	w.alerts(ann, "s1-disk", 1)
	w.tell(ann)
	passed := w.accept(human(w.id("m"), w.now, ann))
	w.mark("", w.pass(passed...).ID, store.Delivered)
	w.alerts(ann, "s1-disk", 2)
	b := w.cut(ann).Batch
	w.alerts(ann, "s1-disk", 1)
	o := w.operate(store.OpPurge, "")
	equal(w, "copies", o.Copies, 1)
	equal(w, "in flight", o.InFlight, 2)
	w.fates(map[store.Fate]int{store.Told: 1, store.Passed: 1, store.InFlight: 2, store.Purged: 1})
	w.mark(w.begin(b), "", store.Refused)
	w.fates(map[store.Fate]int{store.Told: 1, store.Passed: 1, store.Waiting: 2, store.Purged: 1})
}

func operateToken(w *world) {
	n := w.alerts(ann, "s1-disk", 3)
	w.alerts(bob, "s1-disk", 1)
	p := got(w.Preview(w.Context(), w.order(store.OpPurge, "--to "+ann))).or(w)
	equal(w, "shown", p.Copies, 3)
	w.tell(bob)
	w.mark(w.begin(w.notice(ann, n[0]).Batch), "", store.Delivered)
	w.operate(store.OpPurge, "--object host1")
	w.alerts(ann, "s1-disk", 4)
	o := w.order(store.OpPurge, "--to "+ann)
	o.UpTo, o.Seen = p.Highest, p.Copies
	done := got(w.Operate(w.Context(), o)).or(w)
	equal(w, "copies", done.Copies, 2)
	equal(w, "left", done.Left, 1)
	w.fates(map[store.Fate]int{store.Told: 1, store.Purged: 3, store.Waiting: 4})
}

func operateTwice(w *world) {
	w.alerts(ann, "s1-disk", 2)
	o := w.order(store.OpPurge, "")
	first := got(w.Operate(w.Context(), o)).or(w)
	w.alerts(ann, "s1-disk", 1)
	equal(w, "answer", fmt.Sprint(got(w.Operate(w.Context(), o)).or(w)), fmt.Sprint(first))
	w.fates(map[store.Fate]int{store.Purged: 2, store.Waiting: 1})
}

func purgeForever(w *world) {
	m := also(w.mail(ann, "s1-disk", "web1", store.Problem), bob, store.Alert)
	w.accept(m)
	o := w.order(store.OpPurge, "--to "+ann)
	o.Forever = true
	done := got(w.Operate(w.Context(), o)).or(w)
	equal(w, "for good", done.Forever, true)
	got(w.Body(w.Context(), m.ID)).or(w) // bob's copy still needs it
	o = w.order(store.OpPurge, "--to "+bob)
	o.Forever = true
	got(w.Operate(w.Context(), o)).or(w)
	_, err := w.Body(w.Context(), m.ID)
	w.wants(store.ErrNotFound, err)
	_, err = w.Undo(w.Context(), store.Undo{Operation: done.ID, At: w.now})
	w.wants(store.ErrInvalid, err)
	w.fates(map[store.Fate]int{store.Purged: 2})
}

func expire(w *world) {
	w.alerts(ann, "s1-disk", 2)
	w.accept(human(w.id("m"), w.now, ann))
	o := w.operate(store.OpExpire, "--reader "+ann)
	w.fates(map[store.Fate]int{store.Expired: 3})
	w.undo(o.ID)
	w.fates(map[store.Fate]int{store.Waiting: 3})
}

func undoOverCut(w *world) {
	w.alerts(ann, "s1-disk", 2)
	purge := w.operate(store.OpPurge, "")
	w.alerts(ann, "s1-disk", 1)
	b := w.cut(ann).Batch
	w.undo(purge.ID)
	w.fates(map[store.Fate]int{store.InFlight: 1, store.Waiting: 2})
	hold := w.operate(store.OpHold, "")
	release := w.operate(store.OpRelease, "--object host0")
	w.mark(w.begin(b), "", store.Delivered)
	taken := w.cut(ann)
	equal(w, "copies", taken.Batch.Copies, 1)
	w.undo(release.ID)
	w.fates(map[store.Fate]int{store.Told: 1, store.InFlight: 1, store.Held: 1})
	w.mark(w.begin(taken.Batch), "", store.Refused)
	w.fates(map[store.Fate]int{store.Told: 1, store.Held: 2})
	w.undo(hold.ID)
	w.fates(map[store.Fate]int{store.Told: 1, store.Waiting: 2})
	w.tell(ann)
	w.fates(map[store.Fate]int{store.Told: 3})
}

func preview(w *world) {
	w.alerts(ann, "s1-disk", 40)
	w.alerts(bob, "s1-load", 3)
	b := w.cut(bob).Batch
	w.alerts(bob, "s1-load", 2)
	o := w.order(store.OpHold, "")
	p := got(w.Preview(w.Context(), o)).or(w)
	if p.Copies != 42 || p.InFlight != 3 || p.Readers[ann] != 40 || p.Readers[bob] != 2 || len(p.Incidents) != 2 || len(p.Samples) != 5 {
		w.Fatalf("preview %+v", p)
	}
	if first, last := p.Samples[0].Copy.Number, p.Samples[4].Copy.Number; last-first < 30 {
		w.Fatalf("samples from %d to %d are not spread", first, last)
	}
	w.mark("", b.ID, store.Refused)
	equal(w, "copies", got(w.Operate(w.Context(), o)).or(w).Copies, 45)
	equal(w, "left to hold", got(w.Preview(w.Context(), w.order(store.OpRelease, ""))).or(w).Copies, 45)
	_, err := w.Preview(w.Context(), w.order(store.OpHold, "--bogus"))
	w.wants(store.ErrInvalid, err)
}

func operateInvalid(w *world) {
	w.alerts(ann, "s1-disk", 1)
	for name, spoil := range map[string]func(*store.Operate){
		"filter":        func(o *store.Operate) { o.Filter = "--subject (" },
		"kind":          func(o *store.Operate) { o.Kind = "burn" },
		"id":            func(o *store.Operate) { o.ID = "" },
		"time":          func(o *store.Operate) { o.At = time.Time{} },
		"no rule":       func(o *store.Operate) { o.Kind = store.OpRule },
		"wrong rule":    func(o *store.Operate) { o.Rule = &store.Rule{Kind: store.RuleHold} },
		"group by hold": func(o *store.Operate) { o.Kind, o.Rule = store.OpRule, &store.Rule{Kind: store.RuleGroup} },
		"rule of what":  func(o *store.Operate) { o.Kind, o.Rule = store.OpRule, &store.Rule{Kind: "burn"} },
		"rule's filter": func(o *store.Operate) { o.Rule = &store.Rule{Kind: store.RulePurge, Filter: "--subject ("} },
		"expired rule":  func(o *store.Operate) { o.Rule = &store.Rule{Kind: store.RulePurge, Expires: w.now} },
	} {
		o := w.order(store.OpPurge, "")
		spoil(&o)
		if _, err := w.Operate(w.Context(), o); err == nil {
			w.Errorf("%s: no error", name)
		} else {
			w.wants(store.ErrInvalid, err)
		}
	}
	w.fates(map[store.Fate]int{store.Waiting: 1})
	equal(w, "operations", len(gather(w, w.Operations(w.Context()))), 0)
}

// operateLate operates while mail comes and digests go: afterwards nothing
// that matches waits, but for what was given back since.
func operateLate(w *world) {
	const mails = 200
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for k := range mails {
			m := mail("late"+string(rune('a'+k%26))+w.Name()+time.Duration(k).String(), w.now, ann, "s1-disk", "web1", store.Problem)
			if err := w.Accept(w.Context(), m, nil); err != nil {
				w.Errorf("%s: %v", m.ID, err)
			}
		}
	}()
	purged := 0
	for ended := false; !ended; {
		select {
		case <-stop:
			ended = true
		default:
		}
		if o, err := w.Operate(w.Context(), w.order(store.OpPurge, "--signature s1-disk")); err == nil {
			purged += o.Copies
		} else {
			w.wants(store.ErrNothing, err)
		}
	}
	equal(w, "purged", purged, mails)
	w.fates(map[store.Fate]int{store.Purged: mails})
}

func purgeTrash(w *world) {
	n := w.alerts(ann, "s1-disk", 2)
	shared := w.accept(also(w.mail(ann, "s1-disk", "web1", store.Problem), bob, store.Alert))
	w.alerts(ann, "s1-load", 1)
	all := w.operate(store.OpPurge, "--signature s1-disk --reader "+ann)
	w.wait(time.Minute)
	o := w.order(store.OpPurge, "--signature s1-disk --fate purged")
	_, err := w.Operate(w.Context(), o)
	w.wants(store.ErrNothing, err)
	o.Filter, o.Forever = "--signature s1-disk", true
	equal(w, "shown without the trash", got(w.Preview(w.Context(), o)).or(w).Copies, 1) // bob's
	o.Filter = "--signature s1-disk --fate purged --object host0 --object web1"
	shown := got(w.Preview(w.Context(), o)).or(w)
	equal(w, "shown", shown.Copies, 2)
	equal(w, "samples", len(shown.Samples), 2)
	done := got(w.Operate(w.Context(), o)).or(w)
	if done.Copies != 2 || !done.Forever || done.InFlight != 0 {
		w.Fatalf("operation %+v", done)
	}
	w.fates(map[store.Fate]int{store.Purged: 3, store.Waiting: 2})
	_, err = w.Body(w.Context(), w.entry(n[0]).Message.ID)
	w.wants(store.ErrNotFound, err)
	got(w.Body(w.Context(), w.entry(n[1]).Message.ID)).or(w)
	got(w.Body(w.Context(), w.entry(shared[1]).Message.ID)).or(w) // bob's copy waits
	equal(w, "by", w.entry(n[0]).In, done.ID)
	o.ID = w.id("o")
	_, err = w.Operate(w.Context(), o)
	w.wants(store.ErrNothing, err)
	w.again()
	equal(w, "gone", gather(w, w.Operations(w.Context()))[0].Gone, 2)
	undone := w.undo(all.ID)
	equal(w, "gone for good", undone.Gone, 2)
	equal(w, "of", undone.Copies, 3)
	w.fates(map[store.Fate]int{store.Purged: 2, store.Waiting: 3})
	_, err = w.Undo(w.Context(), store.Undo{Operation: done.ID, At: w.now})
	w.wants(store.ErrInvalid, err)
	w.again()
}
