package storetest

import (
	"fmt"
	"time"

	"lull/store"
)

func overflowing() []test {
	bound := func(openings, incidents int) func(*store.Limits) {
		return func(l *store.Limits) { l.Openings, l.Incidents = openings, incidents }
	}
	return []test{
		{name: "a source of endless kinds fills one incident", run: endlessKinds, limit: bound(3, 0)},
		{name: "endless sources fill one incident", run: endlessSources, limit: bound(2, 4)},
	}
}

// kinds accepts problems, each of a signature of its own, all from a source.
func (w *world) kinds(source string, from, count int) {
	w.Helper()
	for k := range count {
		m := w.mail(ann, fmt.Sprintf("s1-%s-%d", source, from+k), "host", store.Problem)
		m.Reading.Signature.Source = source
		m.Reading.Signature.Recovers = true
		w.accept(m)
	}
}

// shape is the incidents of ann: how many copies of each format.
func (w *world) shape() string {
	w.Helper()
	text := ""
	for _, i := range w.incidents(ann) {
		text += fmt.Sprintf("%s %d, ", i.Format, i.Copies)
	}
	return text
}

func endlessKinds(w *world) {
	w.kinds("mad.example", 0, 8)
	equal(w, "incidents", w.shape(), "icinga 1, icinga 1, icinga 1, overflow 5, ")
	all := w.incidents(ann)
	last := all[len(all)-1]
	equal(w, "title", last.Title, "Further kinds of mail from mad.example, beyond 3")
	equal(w, "recovers", last.Recovers, false)
	equal(w, "state", last.State(), store.Problem)
	w.kinds("mad.example", 1, 1) // known before: not among the rest
	w.kinds("sane.example", 0, 1)
	want := "icinga 1, icinga 2, icinga 1, overflow 5, icinga 1, "
	equal(w, "incidents", w.shape(), want)
	w.overRestart(func() { equal(w, "incidents", w.shape(), want) })
	w.kinds("mad.example", 8, 1)
	equal(w, "incidents", w.shape(), "icinga 1, icinga 2, icinga 1, overflow 6, icinga 1, ")
	w.wait(time.Hour)
	w.kinds("mad.example", 8, 5)
	equal(w, "incidents", w.shape(), "icinga 1, icinga 2, icinga 1, overflow 8, icinga 1, icinga 1, icinga 1, icinga 1, ")
	equal(w, "listed", len(w.numbers(store.Query{Filter: "--incident " + last.ID})), 8)
	w.wait(48 * time.Hour)
	w.kinds("mad.example", 20, 4)
	all = w.incidents(ann)
	equal(w, "the next overflow", all[len(all)-1].Copies, 1)
	w.fates(map[store.Fate]int{store.Waiting: 20})
}

func endlessSources(w *world) {
	for k := range 9 {
		w.kinds(fmt.Sprintf("source%d.example", k), 0, 1)
	}
	equal(w, "incidents", w.shape(), "icinga 1, icinga 1, icinga 1, icinga 1, overflow 5, ")
	w.fates(map[store.Fate]int{store.Waiting: 9})
}

// restart ends the store and opens what it kept, where the engine keeps any.
func (w *world) overRestart(check func()) {
	w.Helper()
	if w.engine.Reopen != nil {
		w.reopen()
		check()
	}
}
