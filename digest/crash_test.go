package digest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"lull/store"
)

// mortal is a store whose nth command is the last: the process dies before it
// is carried out, or just after.
type mortal struct {
	store.Store
	mu    sync.Mutex
	left  int
	after bool
	dead  bool
}

func (m *mortal) dies(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return store.ErrStopped
	}
	if m.left--; m.left > 0 {
		return do()
	}
	m.dead = true
	if m.after {
		_ = do()
	}
	return store.ErrStopped
}

func (m *mortal) Cut(ctx context.Context, c store.Cut) (taken store.Taken, err error) {
	err = m.dies(func() (err error) { taken, err = m.Store.Cut(ctx, c); return err })
	return taken, err
}

func (m *mortal) Begin(ctx context.Context, b store.Begin) error {
	return m.dies(func() error { return m.Store.Begin(ctx, b) })
}

func (m *mortal) Mark(ctx context.Context, k store.Mark) error {
	return m.dies(func() error { return m.Store.Mark(ctx, k) })
}

func (m *mortal) Plan(ctx context.Context, p store.Plan) error {
	return m.dies(func() error { return m.Store.Plan(ctx, p) })
}

func (m *mortal) Join(ctx context.Context, j store.Join) error {
	return m.dies(func() error { return m.Store.Join(ctx, j) })
}

func (m *mortal) Refuse(ctx context.Context, r store.Refuse) error {
	return m.dies(func() error { return m.Store.Refuse(ctx, r) })
}

// The process dies at every command in turn, before or after it: nothing is
// lost, nothing is sent early, no reader gets more than the bound, and no copy
// is told in two digests unless the outcome of one was unknown.
func TestCrashAtEveryCommand(t *testing.T) {
	for _, after := range []bool{false, true} {
		n := 1
		for ; ; n++ {
			if died := crashAt(t, n, after); !died {
				break
			}
			if t.Failed() {
				t.Fatalf("command %d, after it: %v", n, after)
			}
		}
		if n < 40 {
			t.Errorf("only %d commands", n)
		}
	}
}

func crashAt(t *testing.T, n int, after bool) (died bool) {
	w := newWorld(t)
	w.boot()
	inner := w.store
	m := &mortal{Store: inner, left: n, after: after}
	w.store, w.engine.queue, w.bears = m, m, store.ErrStopped
	w.scene()
	for range 24 { // until 11:30
		if m.dead {
			break
		}
		w.run(5 * time.Minute)
	}
	w.store, w.bears = inner, nil
	w.server.say = nil
	at := len(w.server.got)
	w.boot()
	start := w.now()
	if m.dead {
		early := start.Truncate(time.Hour).Add(time.Hour).Sub(start)
		w.run(early - time.Second)
		for _, d := range w.server.got[at:] {
			if d.gated() {
				t.Errorf("something was sent early: %s to %v", d.from, d.to)
			}
		}
	}
	w.run(3 * time.Hour)
	if len(w.live()) > 0 { // a digest of unknown outcome
		w.run(24 * time.Hour)
	}
	for _, e := range w.live() {
		t.Errorf("%s is still %s", e.ID(), e.Fate)
	}
	w.check()
	if n := len(w.server.digests("ops@x.example")); n > 3 {
		t.Errorf("ops got %d digests", n)
	}
	for _, to := range []string{"bob@x.example", "carl@x.example"} {
		if n := len(w.server.to(to)); n < 1 || n > 2 {
			t.Errorf("%s got the letter %d times", to, n)
		}
	}
	return m.dead
}

// scene is some mail of every kind, with a mail server that has its moods.
func (w *world) scene() {
	for i := range 3 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
	}
	w.accept(alert("gone@x.example", "kind"))
	l := letter("ann@x.example", "bob@x.example", "lunch")
	l.more = []string{"carl@x.example"}
	w.accept(l)
	for range 8 {
		w.accept(letter("script@x.example", "dora@x.example", "done"))
	}
	tries := 0
	w.server.say = func(stage string, m store.Outgoing, to string) *answer {
		switch {
		case stage == "rcpt" && strings.HasPrefix(to, "gone"):
			return refusesWith(550, store.RecipientFailed)
		case stage == "dot" && isDigest(m):
			if tries++; tries == 1 {
				return &answer{outcome: store.Uncertain, lost: true}
			}
		}
		return nil
	}
}

// live are the copies that still wait or are in flight.
func (w *world) live() []store.Entry {
	w.t.Helper()
	var all []store.Entry
	for e, err := range w.store.Copies(context.Background(), store.Query{}) {
		w.must(err)
		if e.Fate.Live() {
			all = append(all, e)
		}
	}
	return all
}

// flaky is a store of which every command fails now and then, without effect.
type flaky struct {
	store.Store
	mu   sync.Mutex
	rand *rand.Rand
	each int
}

func newFlaky(s store.Store, each int) *flaky {
	return &flaky{Store: s, each: each, rand: rand.New(rand.NewPCG(1, uint64(each)))}
}

var errFlaky = fmt.Errorf("now and then: %w", store.ErrFull)

func (f *flaky) fails() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.IntN(f.each) == 0
}

func (f *flaky) Cut(ctx context.Context, c store.Cut) (store.Taken, error) {
	if f.fails() {
		return store.Taken{}, errFlaky
	}
	return f.Store.Cut(ctx, c)
}

func (f *flaky) Begin(ctx context.Context, b store.Begin) error {
	if f.fails() {
		return errFlaky
	}
	return f.Store.Begin(ctx, b)
}

func (f *flaky) Mark(ctx context.Context, m store.Mark) error {
	if f.fails() {
		return errFlaky
	}
	return f.Store.Mark(ctx, m)
}

func (f *flaky) Plan(ctx context.Context, p store.Plan) error {
	if f.fails() {
		return errFlaky
	}
	return f.Store.Plan(ctx, p)
}

func (f *flaky) Join(ctx context.Context, j store.Join) error {
	if f.fails() {
		return errFlaky
	}
	return f.Store.Join(ctx, j)
}

// One command in so many fails, as on a full disk: all is told in the
// end, nothing twice.
func TestFlakyStore(t *testing.T) {
	for each := 2; each < 12; each++ {
		w := newWorld(t)
		w.cfg.Concurrency = 1
		w.boot()
		f := newFlaky(w.store, each)
		w.engine.queue, w.bears = f, store.ErrFull
		for i := range 3 {
			w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
		}
		w.accept(alert("dev@x.example", "kind"))
		w.accept(alert("dev@x.example", "kind"))
		w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
		w.run(6 * time.Hour)
		w.wantFates("passed 1, told 5")
		for to, most := range map[string]int{"ops@x.example": 4, "dev@x.example": 2, "bob@x.example": 1} {
			if n := len(w.server.to(to)); n > most {
				t.Errorf("each %d: %s got %d mails", each, to, n)
			}
		}
		w.check()
	}
}

// A step of the wall clock, either way, neither lifts the bound nor stops the
// digests.
func TestClockSteps(t *testing.T) {
	for _, step := range []time.Duration{-26 * time.Hour, -time.Hour, -10 * time.Minute, 10 * time.Minute, time.Hour, 26 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			w := newWorld(t)
			w.boot()
			for i := range 30 {
				w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
				w.run(10 * time.Second)
			}
			for i := range 12 {
				w.wall += step
				w.accept(alert("ops@x.example", fmt.Sprint("kind", i%5)))
				w.run(5 * time.Minute)
			}
			w.run(2 * time.Hour)
			w.check()
			w.wantFates("told 42")
			// From here on the clock is right: a digest an hour.
			before := len(w.server.digests("ops@x.example"))
			for range 6 {
				for range 2 {
					w.accept(alert("ops@x.example", "disk full"))
				}
				w.run(time.Hour)
			}
			if n := len(w.server.digests("ops@x.example")) - before; n != 6 {
				t.Errorf("%d digests in six hours", n)
			}
			w.check()
		})
	}
}

// Restarts, however many, lift the bound by nothing.
func TestRestartsDoNotLiftTheBound(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for i := range 200 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
		w.run(30 * time.Second)
		w.boot()
	}
	w.check()
	if n := len(w.server.to("ops@x.example")); n < 4 {
		t.Errorf("%d mails", n)
	}
}
