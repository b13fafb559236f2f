package storetest

import (
	"encoding/json"
	"strings"
	"time"

	"lull/store"
)

// dump is everything that the store's reads tell, as text: two stores with the
// same dump are the same.
func (w *world) dump() string {
	w.Helper()
	var b strings.Builder
	status := got(w.Status(w.Context(), w.now)).or(w)
	status.Bytes = 0
	w.write(&b, "status", status)
	for _, e := range w.entries(store.Query{}) {
		w.write(&b, "copy", e)
		body, err := w.Body(w.Context(), e.Message.ID)
		w.write(&b, "body", string(body), err != nil)
	}
	for _, i := range gather(w, w.Incidents(w.Context(), "", w.now)) {
		w.write(&b, "incident", i)
	}
	for _, r := range gather(w, w.Readers(w.Context())) {
		w.write(&b, "reader", r, r.Waiting, r.Pass, r.Held, r.News, r.Pinned, r.Open, r.Openings)
		w.write(&b, "news", got(w.News(w.Context(), r.Name, w.now, 1000)).or(w))
		w.write(&b, "usage", got(w.Usage(w.Context(), r.Name, r.To, w.gate, time.Hour)).or(w))
	}
	due, next, err := w.Due(w.Context(), w.now, 1000)
	w.must(err)
	w.write(&b, "due", due, next.UTC())
	for _, batch := range append(gather(w, w.Batches(w.Context(), "")), got(w.Open(w.Context())).or(w)...) {
		_, mail, err := w.Store.Batch(w.Context(), batch.ID)
		w.must(err)
		w.write(&b, "batch", batch, string(mail))
	}
	for _, o := range gather(w, w.Operations(w.Context())) {
		w.write(&b, "operation", o, len(w.entries(store.Query{Operation: o.ID})))
	}
	for _, r := range gather(w, w.Rules(w.Context())) {
		w.write(&b, "rule", r, r.Caught)
	}
	for _, s := range gather(w, w.Slots(w.Context())) {
		w.write(&b, "slot", s)
	}
	w.write(&b, "audit", got(w.Audit(w.Context())).or(w))
	return b.String()
}

// write adds a line. Times are told in UTC.
func (w *world) write(b *strings.Builder, kind string, values ...any) {
	w.Helper()
	b.WriteString(kind)
	for _, v := range values {
		line, err := json.Marshal(v)
		w.must(err)
		b.WriteString(" " + string(line))
	}
	b.WriteString("\n")
}

// differing are the lines in which two dumps differ.
func differing(a, b string) string {
	var out strings.Builder
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for k := range max(len(as), len(bs)) {
		x, y := at(as, k), at(bs, k)
		if x != y {
			from := 0
			for from < min(len(x), len(y)) && x[from] == y[from] {
				from++
			}
			out.WriteString("- " + excerpt(x, from) + "\n+ " + excerpt(y, from) + "\n")
		}
	}
	return out.String()
}

// excerpt is the part of a line around a place.
func excerpt(line string, at int) string {
	const around = 200
	kind, _, _ := strings.Cut(line, " ")
	return kind + " …" + line[min(len(line), max(0, at-around)):min(len(line), at+around)]
}

func at(lines []string, k int) string {
	if k < len(lines) {
		return lines[k]
	}
	return ""
}
