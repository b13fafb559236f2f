package storetest

import (
	"bytes"
	"sync"
	"time"

	"lull/store"
)

const (
	ann  = "ann@example.org"
	bob  = "bob@example.org"
	carl = "carl@example.org"
	dora = "dora@example.org"
)

func accepting() []test {
	return []test{
		{name: "accept gives numbers, incidents and keeps the body", run: acceptKeeps},
		{name: "accept is idempotent by message", run: acceptTwice},
		{name: "accept refuses a key that is known", run: acceptKey},
		{name: "accept refuses what is not whole", run: acceptInvalid},
		{name: "accept takes classes apart in one message", run: acceptMixed},
		{name: "accept by many at once", run: acceptMany},
		{name: "accept takes a message without a body", run: acceptEmpty},
	}
}

func acceptKeeps(w *world) {
	m := also(w.mail(ann, "s1-disk", "web1", store.Problem), bob, store.Alert)
	numbers := w.accept(m)
	equal(w, "copies", len(numbers), 2)
	first, second := w.entry(numbers[0]), w.entry(numbers[1])
	if numbers[0] >= numbers[1] || first.Copy.Incident == "" || first.Copy.Incident == second.Copy.Incident {
		w.Fatalf("copies %+v and %+v", first.Copy, second.Copy)
	}
	equal(w, "id", second.ID(), m.ID+".2")
	equal(w, "trace", first.Message.Trace, m.Trace)
	equal(w, "subject", first.Message.Reading.Subject, m.Reading.Subject)
	if !first.Message.Accepted.Equal(m.Accepted) {
		w.Fatalf("accepted %s, want %s", first.Message.Accepted, m.Accepted)
	}
	if kept := got(w.Body(w.Context(), m.ID)).or(w); !bytes.Equal(kept, body(m)) {
		w.Fatalf("body %q", kept)
	}
	_, err := w.Body(w.Context(), "none")
	w.wants(store.ErrNotFound, err)
	w.fates(map[store.Fate]int{store.Waiting: 2})
}

func acceptTwice(w *world) {
	m := w.mail(ann, "s1-disk", "web1", store.Problem)
	first := w.accept(m)
	m.Reading.Subject = "changed"
	second := w.accept(m)
	equal(w, "copies", len(second), 1)
	equal(w, "number", second[0], first[0])
	equal(w, "copies of the incident", w.incidents(ann)[0].Copies, 1)
	w.fates(map[store.Fate]int{store.Waiting: 1})
}

func acceptKey(w *world) {
	m := w.mail(ann, "s1-disk", "web1", store.Problem)
	m.Key = "exim/1abc-0001/sha"
	w.accept(m)
	w.must(w.Accept(w.Context(), m, body(m)))
	other := w.mail(ann, "s1-disk", "web1", store.Problem)
	other.Key = m.Key
	w.wants(store.ErrKnown, w.Accept(w.Context(), other, body(other)))
	w.fates(map[store.Fate]int{store.Waiting: 1})
}

func acceptInvalid(w *world) {
	for name, spoil := range map[string]func(*store.Message){
		"no id":        func(m *store.Message) { m.ID = "" },
		"no time":      func(m *store.Message) { m.Accepted = time.Time{} },
		"no copies":    func(m *store.Message) { m.Copies = nil },
		"no reader":    func(m *store.Message) { m.Copies[0].Reader = "" },
		"no address":   func(m *store.Message) { m.Copies[0].To = "" },
		"no class":     func(m *store.Message) { m.Copies[0].Class = "" },
		"wrong index":  func(m *store.Message) { m.Copies[0].Index = 2 },
		"second wrong": func(m *store.Message) { *m = also(*m, bob, "other") },
	} {
		m := w.mail(ann, "s1-disk", "web1", store.Problem)
		spoil(&m)
		if err := w.Accept(w.Context(), m, nil); err == nil {
			w.Errorf("%s: accepted", name)
		} else {
			w.wants(store.ErrInvalid, err)
		}
	}
	w.fates(nil)
}

func acceptMixed(w *world) {
	m := also(also(w.mail(ann, "s1-disk", "web1", store.Problem), bob, store.Pass), carl, store.Alert)
	numbers := w.accept(m)
	equal(w, "incident of the pass copy", w.entry(numbers[1]).Copy.Incident, "")
	w.tell(ann)
	equal(w, "ann's", w.entry(numbers[0]).Fate, store.Told)
	equal(w, "bob's", w.entry(numbers[1]).Fate, store.Waiting)
	equal(w, "carl's", w.entry(numbers[2]).Fate, store.Waiting)
	w.fates(map[store.Fate]int{store.Told: 1, store.Waiting: 2})
}

func acceptMany(w *world) {
	const senders, each = 16, 20
	mails := make([]store.Message, senders*each)
	for k := range mails {
		mails[k] = also(w.mail(ann, "s1-disk", "web1", store.Problem), bob, store.Pass)
	}
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for _, m := range mails[s*each : (s+1)*each] {
				if err := w.Accept(w.Context(), m, body(m)); err != nil {
					w.Errorf("%s: %v", m.ID, err)
				}
				n := 0
				for range w.Copies(w.Context(), store.Query{IDs: []string{m.ID}}) {
					n++
				}
				if n != 2 {
					w.Errorf("%s: %d copies right after it was accepted", m.ID, n)
				}
			}
		})
	}
	wg.Wait()
	w.fates(map[store.Fate]int{store.Waiting: 2 * senders * each})
	equal(w, "copies of the incident", w.incidents(ann)[0].Copies, senders*each)
}

func acceptEmpty(w *world) {
	m := w.mail(ann, "s1-disk", "web1", store.Problem)
	w.must(w.Accept(w.Context(), m, nil))
	equal(w, "body", len(got(w.Body(w.Context(), m.ID)).or(w)), 0)
}
