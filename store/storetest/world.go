package storetest

import (
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"lull/store"
)

// world is a store under test with the time, and ids to give.
type world struct {
	testing.TB
	store.Store
	engine Engine
	now    time.Time
	gate   time.Duration
	ids    int
}

func newWorld(t testing.TB, e Engine, limits store.Limits) *world {
	w := &world{TB: t, Store: e.Open(t, limits), engine: e, now: start()}
	t.Cleanup(func() {
		if err := w.Close(); err != nil && !errors.Is(err, store.ErrStopped) {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// start is when the days of the suite begin.
func start() time.Time { return time.Date(2019, 10, 7, 14, 0, 0, 0, time.UTC) }

// wait lets time pass.
func (w *world) wait(d time.Duration) { w.now, w.gate = w.now.Add(d), w.gate+d }

// id gives a new id.
func (w *world) id(kind string) string {
	w.ids++
	return fmt.Sprintf("%s-%d", kind, w.ids)
}

// must fails the test on an error.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wants fails the test unless the error is as wanted.
func (w *world) wants(want, err error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Fatalf("error %v, want %v", err, want)
	}
}

// answer is what a call answered; or gives it, or fails the test.
type answer[T any] struct {
	value T
	err   error
}

func got[T any](value T, err error) answer[T] { return answer[T]{value, err} }

func (a answer[T]) or(w *world) T {
	w.Helper()
	w.must(a.err)
	return a.value
}

// gather is everything that a sequence yields.
func gather[T any](w *world, seq iter.Seq2[T, error]) []T {
	w.Helper()
	var all []T
	for item, err := range seq {
		w.must(err)
		all = append(all, item)
	}
	return all
}

// equal fails the test when two values differ.
func equal[T comparable](w *world, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// reopen ends the store and opens what it kept.
func (w *world) reopen() {
	w.Helper()
	if w.engine.Reopen == nil {
		w.Skip("the engine keeps nothing")
	}
	w.Store = w.engine.Reopen(w.TB, w.Store)
}

// accept takes a mail with its copies, and returns their numbers.
func (w *world) accept(m store.Message) []uint64 {
	w.Helper()
	w.must(w.Accept(w.Context(), m, body(m)))
	return w.numbers(store.Query{IDs: []string{m.ID}})
}

// mail is an alert to a reader about an object, accepted now.
func (w *world) mail(reader, signature, object string, state store.State) store.Message {
	return mail(w.id("m"), w.now, reader, signature, object, state)
}

// alerts accepts some problems of one signature for a reader.
func (w *world) alerts(reader, signature string, count int) []uint64 {
	w.Helper()
	var numbers []uint64
	for k := range count {
		numbers = append(numbers, w.accept(w.mail(reader, signature, fmt.Sprintf("host%d", k), store.Problem))...)
	}
	return numbers
}

// entries are what a query selects.
func (w *world) entries(q store.Query) []store.Entry {
	w.Helper()
	if q.At.IsZero() {
		q.At = w.now
	}
	var all []store.Entry
	for e, err := range w.Copies(w.Context(), q) {
		w.must(err)
		all = append(all, e)
	}
	if n, known, err := w.Count(w.Context(), q); err != nil || known && n != uint64(len(all)) {
		w.Errorf("%+v: Count says %d, Copies yields %d; %v", q, n, len(all), err)
	}
	return all
}

func (w *world) numbers(q store.Query) []uint64 {
	w.Helper()
	var all []uint64
	for _, e := range w.entries(q) {
		all = append(all, e.Copy.Number)
	}
	return all
}

// entry is one copy.
func (w *world) entry(number uint64) store.Entry {
	w.Helper()
	all := w.entries(store.Query{Numbers: []uint64{number}})
	if len(all) != 1 {
		w.Fatalf("copy %d: %d entries", number, len(all))
	}
	return all[0]
}

// fates checks how many copies each fate has, and that everything adds up.
// Fates that are not named must have none.
func (w *world) fates(want map[store.Fate]int) {
	w.Helper()
	status := got(w.Status(w.Context(), w.now)).or(w)
	got := make(map[store.Fate]int)
	for _, e := range w.entries(store.Query{}) {
		got[e.Fate]++
	}
	for _, f := range store.Fates() {
		if got[f] != want[f] {
			w.Errorf("%d copies are %s, want %d", got[f], f, want[f])
		}
		if int(status.Fates[f]) < got[f] {
			w.Errorf("status says %d copies are %s, there are %d", status.Fates[f], f, got[f])
		}
	}
	w.sound()
}

// sound checks that the store finds no difference.
func (w *world) sound() {
	w.Helper()
	audit := got(w.Audit(w.Context())).or(w)
	var sum uint64
	for _, counts := range []map[store.Fate]uint64{audit.ByFate, audit.Sealed} {
		for _, n := range counts {
			sum += n
		}
	}
	if sum != audit.Accepted || len(audit.Differences) > 0 {
		w.Fatalf("accepted %d, found %d: %q", audit.Accepted, sum, audit.Differences)
	}
}

// cut takes a digest of a reader.
func (w *world) cut(reader string) store.Taken {
	w.Helper()
	return got(w.Cut(w.Context(), w.digest(reader))).or(w)
}

func (w *world) digest(reader string) store.Cut {
	return store.Cut{ID: w.id("d"), At: w.now, Kind: store.KindDigest, Reader: reader, To: reader, Next: w.now.Add(time.Hour)}
}

// notice takes a copy for a first notice.
func (w *world) notice(reader string, number uint64) store.Taken {
	w.Helper()
	return got(w.Cut(w.Context(), store.Cut{
		ID: w.id("n"), At: w.now, Kind: store.KindNotice, Reader: reader, To: reader, Numbers: []uint64{number},
	})).or(w)
}

// begin takes a slot for an attempt to send a batch to a reader.
func (w *world) begin(b store.Batch) string {
	w.Helper()
	begin := w.attempt(b)
	w.must(w.Begin(w.Context(), begin))
	return begin.ID
}

func (w *world) attempt(b store.Batch) store.Begin {
	return store.Begin{
		ID: w.id("a"), At: w.now, Gate: w.gate, Batch: b.ID,
		Seats: []store.Seat{{Reader: b.Reader, To: b.To}},
		Limit: store.Limit{Window: time.Hour, Budget: 6, Notices: 4},
	}
}

// mark ends an attempt.
func (w *world) mark(attempt, batch string, o store.Outcome) {
	w.Helper()
	w.must(w.Mark(w.Context(), w.ending(attempt, batch, o)))
}

func (w *world) ending(attempt, batch string, o store.Outcome) store.Mark {
	code := map[store.Outcome]int{store.Delivered: 250, store.Rejected: 554}[o]
	return store.Mark{
		At: w.now, Gate: w.gate, Attempt: attempt, Batch: batch, Outcome: o,
		Reply: store.Reply{Code: code, Text: string(o), Stage: "dot", At: w.now}, Next: w.now.Add(time.Minute),
	}
}

// tell sends a reader's digest.
func (w *world) tell(reader string) store.Batch {
	w.Helper()
	b := w.cut(reader).Batch
	w.mark(w.begin(b), b.ID, store.Delivered)
	return b
}

// operate runs an operation on what a filter matches.
func (w *world) operate(kind store.OpKind, filter string) store.Operation {
	w.Helper()
	return got(w.Operate(w.Context(), w.order(kind, filter))).or(w)
}

func (w *world) order(kind store.OpKind, filter string) store.Operate {
	return store.Operate{ID: w.id("o"), At: w.now, Kind: kind, By: "op", Reason: "test", Filter: filter}
}

// undo takes an operation back.
func (w *world) undo(id string) store.Operation {
	w.Helper()
	return got(w.Undo(w.Context(), store.Undo{Operation: id, At: w.now, By: "op"})).or(w)
}

// incidents are the incidents of a reader.
func (w *world) incidents(reader string) []store.Incident {
	w.Helper()
	return gather(w, w.Incidents(w.Context(), reader, w.now))
}
