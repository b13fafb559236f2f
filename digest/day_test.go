package digest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lull/store"
	"lull/store/memory"
)

// slowly is a mail server that takes its time, and hangs for a part of the day.
type slowly struct {
	*server
	from, to time.Time // hangs between, until its caller gives up
}

func (s *slowly) Send(ctx context.Context, m store.Outgoing, ready func(context.Context, []int) (io.Reader, error)) store.Sent {
	time.Sleep(300 * time.Millisecond)
	if now := time.Now(); now.After(s.from) && now.Before(s.to) {
		time.Sleep(30 * time.Second)
		return ended(m, &answer{outcome: store.Refused, reply: store.Reply{Stage: "greeting", Text: "timed out", Verdict: store.Retry}})
	}
	return s.server.Send(ctx, m, ready)
}

// A day with a real loop, timers and goroutines: mail comes from all sides, an
// operator sends digests, the mail server hangs for two hours.
func TestDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		w := &world{t: t, cfg: Defaults(time.Hour), store: memory.New(store.DefaultLimits(time.Hour))}
		w.cfg.Host, w.most = "relay.example.org", w.cfg.Budget
		w.server = &server{w: w}
		out := &slowly{server: w.server, from: begin.Add(8 * time.Hour), to: begin.Add(10 * time.Hour)}
		var err error
		w.engine, err = New(w.cfg, w.store, out, Deps{
			NewID: w.newID, Gate: func() time.Duration { return time.Since(begin) }, Event: w.note,
		})
		w.must(err)
		w.wallNow = time.Now
		w.must(w.engine.Start(t.Context(), time.Now()))

		ctx, stop := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		var all sync.WaitGroup
		all.Go(func() { loop(ctx, t, w.engine, wake) })
		all.Go(func() { operator(ctx, t, w.engine) })
		r := rand.New(rand.NewPCG(7, 7))
		for time.Since(begin) < 24*time.Hour {
			to := fmt.Sprintf("tool%d@x.example", r.IntN(20))
			if r.IntN(5) == 0 {
				w.accept(letter("ann@x.example", to, fmt.Sprint("topic", r.IntN(50))))
			} else {
				w.accept(alert(to, fmt.Sprint("kind", r.IntN(40))))
			}
			select {
			case wake <- struct{}{}:
			default:
			}
			time.Sleep(time.Duration(r.IntN(40)) * time.Second)
		}
		time.Sleep(3 * time.Hour)
		stop()
		all.Wait()
		for _, e := range w.live() {
			t.Errorf("%s is still %s", e.ID(), e.Fate)
		}
		w.check()
	})
}

func loop(ctx context.Context, t *testing.T, e *Engine, wake <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-wake:
		}
		next, err := e.Step(ctx, time.Now())
		if err != nil {
			t.Error(err)
		}
		timer.Reset(time.Until(next))
	}
}

func operator(ctx context.Context, t *testing.T, e *Engine) {
	for i := 0; ctx.Err() == nil; i++ {
		time.Sleep(17 * time.Minute)
		reader := fmt.Sprintf("tool%d@x.example", i%20)
		_, err := e.SendNow(ctx, time.Now(), reader)
		var refused *refusal
		if err != nil && !errors.As(err, &refused) && !errors.Is(err, store.ErrNoSlot) && !errors.Is(err, store.ErrNothing) &&
			!errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrPinned) && !errors.Is(err, errBusy) && ctx.Err() == nil {
			t.Error(err)
		}
		if _, err := e.Forecast(ctx, time.Now(), ""); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
}
