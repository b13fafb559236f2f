package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lull/store"
)

// Machine plays random days: arrivals, digests, notices and pass mail with
// every outcome, restarts, clock steps, changes of readers and budgets,
// operations, rules and their expiry, retention. After each step every copy is
// where the model says, everything adds up (promise 2), and no reader was sent
// more than the budget in any window (promise 3).
func Machine(t *testing.T, e Engine) {
	rapid.Check(t, func(r *rapid.T) {
		m := play(t, r, true, e)
		defer m.close()
		m.run()
	})
}

// Same plays such days on two engines at once: they answer alike and keep the
// same records.
func Same(t *testing.T, a, b Engine) {
	rapid.Check(t, func(r *rapid.T) {
		m := play(t, r, true, a, b)
		defer m.close()
		m.run()
	})
}

// Undo plays days, then lets everything end and undoes every operation, in any
// order: the queue is the one of a store where nothing was done, but for what
// was told, passed or sent meanwhile.
func Undo(t *testing.T, e Engine) {
	rapid.Check(t, func(r *rapid.T) {
		m := play(t, r, false, e)
		defer m.close()
		calm := newWorld(t, Engine{Open: e.Open}, m.model.limits)
		defer func() { _ = calm.Close() }()
		m.calm = calm
		m.run()
		m.undoAll()
	})
}

// machine plays on one or several stores.
type machine struct {
	*rapid.T
	worlds []*world
	calm   *world // gets arrivals alone, if set
	model  *model
	now    time.Time
	gate   time.Duration
	ids    int
	home   map[string]string // reader of an address
	budget int
	prune  bool
	told   []string // what each store told last
}

const window = time.Hour

func play(t *testing.T, r *rapid.T, prune bool, engines ...Engine) *machine {
	limits := store.DefaultLimits(window)
	limits.Retain, limits.Trash, limits.Objects = 30*time.Hour, 40*time.Hour, 4
	m := &machine{
		T: r, model: &model{limits: limits}, now: start(), budget: 3, prune: prune,
		home: map[string]string{ann: ann, bob: bob, carl: carl},
	}
	for _, e := range engines {
		m.worlds = append(m.worlds, newWorld(t, e, limits))
	}
	return m
}

func (m *machine) close() {
	for _, w := range m.worlds {
		_ = w.Close()
	}
}

// run plays.
func (m *machine) run() {
	actions := map[string]func(*rapid.T){"": func(*rapid.T) { m.check() }}
	for name, f := range map[string]func(){
		"accept": m.accept, "accept more": m.accept, "accept and wait": func() { m.accept(); m.wait() }, "wait": m.wait, "clock": m.clock,
		"digest": m.digest, "digest again": m.digest, "notice": m.notice, "pass": m.pass, "retry": m.retry, "mark": m.mark, "mark more": m.mark,
		"give up": m.giveUp, "return": m.returns, "join": m.join,
		"operate": m.operate, "operate more": m.operate, "lay": m.lay, "regroup": m.regroup, "alter": m.alter, "undo": m.undo, "tend": m.tend,
		"restart": m.restart, "config": m.config, "refuse": m.refuse,
	} {
		actions[name] = func(r *rapid.T) {
			m.T = r
			f()
		}
	}
	m.Repeat(actions)
}

func (m *machine) id(kind string) string {
	m.ids++
	return fmt.Sprintf("%s%d", kind, m.ids)
}

func (m *machine) pick(name string, n int) int { return rapid.IntRange(0, n-1).Draw(m.T, name) }

func one[T any](m *machine, name string, of []T) T { return of[m.pick(name, len(of))] }

// each runs a command on every store. The errors must be what is expected.
func (m *machine) each(what string, want error, command func(s store.Store) error) {
	m.Helper()
	for k, w := range m.worlds {
		if err := command(w.Store); !errors.Is(err, want) {
			m.Fatalf("%s on store %d: %v, want %v", what, k, err, want)
		}
	}
}

func (m *machine) wait() {
	d := time.Duration(rapid.SampledFrom([]int{1, 10, 40, 300, 1500}).Draw(m.T, "minutes")) * time.Minute
	m.now, m.gate = m.now.Add(d), m.gate+d
}

// clock steps the wall clock; gate time goes on as it was.
func (m *machine) clock() {
	m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{-180, -5, 3, 120}).Draw(m.T, "step")) * time.Minute)
}

// config changes what a daemon reads from its configuration.
func (m *machine) config() {
	if m.budget = 2 + m.pick("budget", 3); m.pick("map", 2) == 0 {
		m.home[one(m, "address", []string{ann, bob})] = one(m, "reader", []string{ann, bob, "team@example.org"})
	}
}

func (m *machine) accept() {
	signature := one(m, "signature", []string{"s1-disk", "s1-load"})
	object := one(m, "object", []string{"host1", "host2", "host3"})
	state := one(m, "state", []store.State{store.Problem, store.Recovery, store.Notice})
	msg := mail(m.id("m"), m.now, ann, signature, object, state)
	msg.Reading.Signature.Recovers = signature == "s1-disk"
	if m.pick("dated", 3) == 0 {
		msg.Reading.Reports[0].Time = m.now.Add(-time.Duration(m.pick("minutes before", 120)) * time.Minute)
	}
	msg.Copies = nil
	for range 1 + m.pick("further copies", 3) {
		to := one(m, "to", []string{ann, bob, carl})
		msg = also(msg, to, one(m, "class", []store.Class{store.Alert, store.Alert, store.Pass}))
		msg.Copies[len(msg.Copies)-1].Reader = m.home[to]
	}
	for range 1 + m.pick("times", 2) {
		m.each("accept", nil, func(s store.Store) error { return s.Accept(m.Context(), msg, body(msg)) })
	}
	if m.calm != nil {
		m.calm.must(m.calm.Accept(m.Context(), msg, body(msg)))
	}
	m.model.accept(msg)
}

// begin takes a slot for a batch, or for one that is to be cut, if the model
// finds room.
func (m *machine) begin(b *batchModel, cut *store.Cut, copies []*copyModel, want error) {
	batch, kind := "", store.Kind("")
	if cut != nil {
		batch, kind = cut.ID, cut.Kind
	} else {
		batch, kind = b.ID, b.Kind
	}
	seats := m.seats(b, cut, copies)
	limit := store.Limit{Window: window, Budget: m.budget, Notices: m.budget - 1}
	for k, s := range seats {
		all, notices := m.model.sent(kind, s, m.gate, window)
		for _, other := range seats[:k] {
			if other.Reader == s.Reader || other.To == s.To {
				all, notices = all+1, notices+1
			}
		}
		if want == nil && (all >= limit.Budget || kind == store.KindNotice && notices >= limit.Notices) {
			want = store.ErrNoSlot
		}
	}
	attempt := store.Begin{ID: m.id("a"), At: m.now, Gate: m.gate, Batch: batch, Seats: seats, Limit: limit, Cut: cut, Body: []byte("mail of " + batch)}
	for range 1 + m.pick("times", 2) {
		m.each("begin", want, func(s store.Store) error { return s.Begin(m.Context(), attempt) })
	}
	if want != nil {
		return
	}
	if cut != nil {
		b = m.model.cut(*cut, copies)
	}
	m.model.attempts = append(m.model.attempts, &attemptModel{id: attempt.ID, batch: b, seats: seats, kind: kind, began: m.gate, open: true})
	m.bound(limit.Budget, kind)
}

// seats are whom a mail goes to.
func (m *machine) seats(b *batchModel, cut *store.Cut, copies []*copyModel) []store.Seat {
	if b != nil {
		copies = b.copies
	}
	if cut != nil && cut.Kind != store.KindPass {
		return []store.Seat{{Reader: cut.Reader, To: cut.To}}
	}
	if b != nil && b.Kind != store.KindPass {
		return []store.Seat{{Reader: b.Reader, To: b.To}}
	}
	var seats []store.Seat
	for _, c := range copies {
		seats = append(seats, store.Seat{Reader: c.Reader, To: c.To, Tag: c.Reader})
	}
	return seats
}

// bound looks at every mail that may have been sent in the window that just
// began to close: no reader and no address may have had more than the budget.
func (m *machine) bound(budget int, kind store.Kind) {
	for _, who := range []string{ann, bob, carl, "team@example.org"} {
		reader, _ := m.model.sent(kind, store.Seat{Reader: who, To: "-"}, m.gate, window)
		address, _ := m.model.sent(kind, store.Seat{Reader: "-", To: who}, m.gate, window)
		if last := m.model.attempts[len(m.model.attempts)-1]; slices.ContainsFunc(last.seats, func(s store.Seat) bool { return s.Reader == who }) && reader > budget {
			m.Fatalf("reader %s was sent %d mails in a window, the budget is %d", who, reader, budget)
		} else if slices.ContainsFunc(last.seats, func(s store.Seat) bool { return s.To == who }) && address > budget {
			m.Fatalf("address %s was sent %d mails in a window, the budget is %d", who, address, budget)
		}
	}
}

func (m *machine) digest() {
	reader := one(m, "reader", []string{ann, bob, carl})
	cut := &store.Cut{ID: m.id("d"), At: m.now, Kind: store.KindDigest, Reader: reader, To: reader, Next: m.now.Add(window)}
	copies := m.model.waiting(store.Alert, reader)
	var want error
	switch {
	case m.model.readerOpen(reader) != nil:
		want = store.ErrPinned
	case len(copies) == 0:
		want = store.ErrNothing
	}
	if m.pick("with begin", 2) == 0 {
		m.begin(nil, cut, copies, want)
		return
	}
	for range 1 + m.pick("times", 2) {
		m.each("cut", want, func(s store.Store) error { return m.cut(s, *cut, len(copies)) })
	}
	if want == nil {
		m.model.cut(*cut, copies)
	}
}

// cut cuts on one store and looks at the answer.
func (m *machine) cut(s store.Store, c store.Cut, copies int) error {
	taken, err := s.Cut(m.Context(), c)
	if err != nil {
		return err
	}
	lately := 0
	for _, i := range taken.Incidents {
		lately += i.Lately
	}
	if taken.Batch.Copies != copies || lately != copies || taken.Batch.Incidents != len(taken.Incidents) {
		m.Fatalf("cut of %d copies, %d of incidents, want %d", taken.Batch.Copies, lately, copies)
	}
	return nil
}

func (m *machine) notice() {
	copies := m.model.with(func(c *copyModel) bool { return c.Class == store.Alert && c.sealed == "" })
	if len(copies) == 0 {
		return
	}
	c := one(m, "copy", copies)
	var want error
	if !m.model.is(c, store.Waiting) {
		want = store.ErrGone
	}
	cut := &store.Cut{ID: m.id("n"), At: m.now, Kind: store.KindNotice, Reader: c.Reader, To: c.Reader, Numbers: []uint64{c.Number}}
	m.begin(nil, cut, []*copyModel{c}, want)
}

func (m *machine) pass() {
	copies := m.model.waiting(store.Pass, "")
	if len(copies) == 0 {
		return
	}
	some := copies[:1+m.pick("copies", min(3, len(copies)))]
	cut := &store.Cut{ID: m.id("p"), At: m.now, Kind: store.KindPass}
	for _, c := range some {
		cut.Numbers = append(cut.Numbers, c.Number)
	}
	m.begin(nil, cut, some, nil)
}

func (m *machine) retry() {
	for _, b := range m.model.openBatches() {
		if m.model.attempted(b) == nil {
			m.begin(b, nil, nil, nil)
			return
		}
	}
}

func (m *machine) mark() {
	open := m.model.openBatches()
	if len(open) == 0 {
		return
	}
	b := one(m, "batch", open)
	a := m.model.attempted(b)
	mark := store.Mark{
		At: m.now, Gate: m.gate, Batch: b.ID, Next: m.now.Add(time.Minute),
		Outcome: one(m, "outcome", []store.Outcome{store.Delivered, store.Refused, store.Rejected, store.Uncertain}),
		Reply:   store.Reply{Code: one(m, "code", []int{451, 554}), At: m.now},
	}
	if a == nil {
		mark.Outcome = store.Refused
	} else {
		mark.Attempt = a.id
	}
	if b.Kind == store.KindPass && m.pick("results", 2) == 0 {
		c := one(m, "copy", b.copies)
		mark.Results = []store.Result{{Number: c.Number, Fate: one(m, "result", []store.Fate{store.Passed, store.Bounced, store.Expired, store.Waiting}), Next: m.now.Add(time.Hour)}}
	}
	m.ends(b, a, mark)
}

// ends marks a batch on every store and in the model.
func (m *machine) ends(b *batchModel, a *attemptModel, mark store.Mark) {
	times := 1
	if a != nil {
		times += m.pick("times", 2)
	}
	for range times {
		m.each("mark", nil, func(s store.Store) error { return s.Mark(m.Context(), mark) })
	}
	if a != nil {
		a.open, a.ended, a.given = false, m.gate, mark.Outcome == store.Refused
	}
	m.model.mark(b, mark)
}

// giveUp counts a pinned digest as delivered.
func (m *machine) giveUp() {
	for _, b := range m.model.openBatches() {
		if b.Pinned && m.model.attempted(b) == nil {
			m.ends(b, nil, store.Mark{At: m.now, Gate: m.gate, Batch: b.ID, Outcome: store.Uncertain, Assumed: true})
			return
		}
	}
}

func (m *machine) returns() {
	var digests []*batchModel
	for _, b := range m.model.batches {
		if b.Kind == store.KindDigest && !b.Open() && !b.gone {
			digests = append(digests, b)
		}
	}
	if len(digests) == 0 {
		return
	}
	b := one(m, "digest", digests)
	m.each("return", nil, func(s store.Store) error { return s.Return(m.Context(), b.ID, m.now) })
	m.model.returns(b, m.now)
}

func (m *machine) join() {
	copies := m.model.waiting(store.Pass, "")
	if len(copies) == 0 || m.calm != nil {
		return
	}
	c := one(m, "copy", copies)
	m.each("join", nil, func(s store.Store) error {
		return s.Join(m.Context(), store.Join{At: m.now, Numbers: []uint64{c.Number}, Reason: "joined"})
	})
	c.Class, c.loose = store.Alert, true
}

func (m *machine) refuse() {
	reader := one(m, "reader", []string{ann, bob})
	m.each("refuse", nil, func(s store.Store) error {
		return s.Refuse(m.Context(), store.Refuse{At: m.now, Reader: reader, Reply: store.Reply{Code: 550}, Next: m.now.Add(window)})
	})
	m.each("plan", nil, func(s store.Store) error {
		return s.Plan(m.Context(), store.Plan{Reader: reader, To: reader, Next: m.now.Add(window)})
	})
}

// restart opens the stores again. What was under way has an unknown outcome.
func (m *machine) restart() {
	m.each("tend", nil, func(s store.Store) error {
		_, err := s.Tend(m.Context(), store.Tend{At: m.now, Gate: m.gate, ID: "none-"})
		return err
	})
	m.released(m.model.expire(store.Tend{At: m.now, ID: "none-"}))
	for _, w := range m.worlds {
		if w.engine.Reopen == nil {
			continue
		}
		w.now, w.gate = m.now, m.gate
		before := w.dump()
		w.reopen()
		if after := w.dump(); after != before {
			m.Fatalf("after a restart:\n%s", differing(before, after))
		}
	}
	for _, b := range m.model.openBatches() {
		if a := m.model.attempted(b); a != nil {
			m.ends(b, a, store.Mark{At: m.now, Gate: m.gate, Attempt: a.id, Outcome: store.Uncertain, Next: m.now})
		}
	}
}
