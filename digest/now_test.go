package digest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lull/digest/compose"
	"lull/store"
)

func TestSendNow(t *testing.T) {
	w := newWorld(t)
	w.boot()
	ctx := context.Background()
	if _, err := w.engine.SendNow(ctx, w.now(), "nobody@x.example"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown reader: %v", err)
	}
	sent := 0
	for range 10 {
		w.accept(alert("ops@x.example", "disk full"))
		id, err := w.engine.SendNow(ctx, w.now(), "ops@x.example")
		switch {
		case err == nil:
			sent++
			if b, _, err := w.store.Batch(ctx, id); err != nil || b.Outcome != store.Delivered || b.Copies != 1 {
				t.Errorf("digest %s: %+v, %v", id, b, err)
			}
		case !errors.Is(err, store.ErrNoSlot) || !strings.Contains(err.Error(), "10:30"):
			t.Errorf("%v", err)
		}
	}
	if sent != 6 {
		t.Errorf("%d digests sent, the budget is 6", sent)
	}
	w.check()
	w.until("10:29")
	w.wantFates("told 6, waiting 4")
	w.until("10:35") // the digest of ten o'clock goes when a slot is free
	w.wantFates("told 10")
	if len(w.told(Waits)) != 1 {
		t.Errorf("told to wait %d times", len(w.told(Waits)))
	}
	if _, err := w.engine.SendNow(ctx, w.now(), "ops@x.example"); !errors.Is(err, store.ErrNothing) && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing waits: %v", err)
	}
	w.check()
}

func TestSendNowSaysWhyNot(t *testing.T) {
	w := newWorld(t)
	var unwell error
	w.deps.Healthy = func(context.Context) error { return unwell }
	w.boot()
	ctx := context.Background()
	w.accept(alert("ops@x.example", "disk full"))
	unwell = errUnwell
	if _, err := w.engine.SendNow(ctx, w.now(), "ops@x.example"); !errors.Is(err, errUnwell) {
		t.Errorf("%v", err)
	}
	unwell = nil
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer { return refusesWith(450, store.RetryLater) }
	if _, err := w.engine.SendNow(ctx, w.now(), "ops@x.example"); err == nil || !strings.Contains(err.Error(), "450") {
		t.Errorf("%v", err)
	}
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" {
			return &answer{outcome: store.Uncertain}
		}
		return nil
	}
	if _, err := w.engine.SendNow(ctx, w.now(), "ops@x.example"); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("%v", err)
	}
	if _, err := w.engine.SendNow(ctx, w.now(), "ops@x.example"); !errors.Is(err, store.ErrPinned) {
		t.Errorf("%v", err)
	}
	w.check()
}

// A preview is what the digest then is, and takes nothing.
func TestPreview(t *testing.T) {
	w := newWorld(t)
	w.boot()
	ctx := context.Background()
	for i := range 7 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i%3)))
		w.accept(alert("dev@x.example", "secret"))
	}
	in, err := w.engine.Preview(ctx, w.now(), "ops@x.example")
	w.must(err)
	mail, told, err := compose.Mail(in)
	w.must(err)
	if told.Copies != 7 || told.Incidents != 3 || strings.Contains(string(mail), "secret") {
		t.Errorf("told %+v", told)
	}
	w.wantFates("waiting 14")
	w.until("10:01")
	got := w.server.digests("ops@x.example")
	if len(got) != 1 || !strings.Contains(got[0].field("Subject"), "(7 mails)") {
		t.Errorf("the digest: %+v", got)
	}
	if _, err := w.engine.Preview(ctx, w.now(), "ops@x.example"); !errors.Is(err, store.ErrNothing) && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing waits: %v", err)
	}
}

func TestForecast(t *testing.T) {
	w := newWorld(t)
	w.boot()
	ctx := context.Background()
	for range 3 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	forecast := func() Forecast {
		t.Helper()
		all, err := w.engine.Forecast(ctx, w.now(), "")
		w.must(err)
		if len(all) != 1 || all[0].Reader != "ops@x.example" || all[0].Mails != 1 || all[0].Copies != 3 {
			t.Fatalf("%+v", all)
		}
		return all[0]
	}
	ten := at("2026-01-05T10:00:00Z")
	if all, err := w.engine.Forecast(ctx, w.now(), "ops@x.example"); err != nil || len(all) != 2 || all[0].Kind != store.KindNotice || !all[0].At.Equal(w.now()) {
		t.Errorf("before the first notice: %+v, %v", all, err)
	}
	w.step()
	if f := forecast(); !f.At.Equal(ten) || f.Note != "" {
		t.Errorf("%+v", f)
	}
	w.server.say = func(string, store.Outgoing, string) *answer { return silent() }
	w.until("11:13")
	f := forecast()
	if !f.At.After(w.now()) || f.At.After(w.now().Add(3*time.Minute)) || !strings.Contains(f.Note, "does not answer") {
		t.Errorf("%+v at %s", f, w.now())
	}
	w.server.say = nil
	w.run(10 * time.Minute)
	if all, err := w.engine.Forecast(ctx, w.now(), ""); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := w.engine.Forecast(ctx, w.now(), "nobody@x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// A new configuration sends nothing early and nothing again.
func TestReload(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for range 3 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	w.run(10 * time.Minute)
	bad := w.cfg
	bad.Schedule = "* * * * *"
	if err := w.engine.Reload(bad); err == nil {
		t.Error("a schedule above the budget was taken")
	}
	w.cfg.Schedule = "50 * * * *"
	w.must(w.engine.Reload(w.cfg))
	w.until("09:49")
	if n := len(w.server.digests("ops@x.example")); n != 0 {
		t.Errorf("%d digests before the new time", n)
	}
	w.until("09:51")
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("%d digests at the new time", n)
	}
	for range 3 {
		w.must(w.engine.Reload(w.cfg))
		w.run(10 * time.Minute)
	}
	if n := len(w.server.to("ops@x.example")); n != 2 {
		t.Errorf("%d mails after reloads", n)
	}
	w.cfg.Budget, w.cfg.Notices = 1, 0
	w.must(w.engine.Reload(w.cfg))
	for i := range 10 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
		w.run(10 * time.Minute)
	}
	if n := len(w.server.to("ops@x.example")); n != 4 {
		t.Errorf("%d mails; of the last two hours one each", n)
	}
	w.check()
}

// A reader may have a schedule and a zone of their own.
func TestReadersOwnSchedule(t *testing.T) {
	w := newWorld(t)
	w.cfg.Schedules = map[string]string{"boss@x.example": "CRON_TZ=Europe/Berlin 0 18 * * *"}
	w.boot()
	for _, r := range []string{"boss", "ops"} {
		w.accept(alert(r+"@x.example", "disk full"))
		w.accept(alert(r+"@x.example", "disk full"))
	}
	w.run(9 * time.Hour)
	boss := w.server.digests("boss@x.example")
	if len(boss) != 1 || !epoch().Add(boss[0].at).Equal(at("2026-01-05T17:00:00Z")) {
		t.Fatalf("%d digests at %v", len(boss), boss)
	}
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("ops got %d", n)
	}
	w.check()
}

// The digests of many readers are spread, and pass mail does not wait for them.
func TestManyReadersAreSpread(t *testing.T) {
	w := newWorld(t)
	w.cfg.Notices = 0
	w.boot()
	for i := range 300 {
		w.accept(alert(fmt.Sprintf("tool%d@x.example", i), "disk full"))
	}
	w.until("10:00")
	if n := w.fates()[store.Told]; n > 20 {
		t.Errorf("%d digests at once", n)
	}
	w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
	w.step()
	if n := len(w.server.to("bob@x.example")); n != 1 {
		t.Error("a letter waits for digests")
	}
	w.run(150 * time.Second)
	if n := w.fates()[store.Told]; n < 100 || n > 200 {
		t.Errorf("%d of 300 digests in the first half", n)
	}
	w.run(150 * time.Second)
	w.wantFates("passed 1, told 300")
	w.check()
}

// Concurrency is a bound too.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, concurrency)
}

func concurrency(t *testing.T) {
	w := newWorld(t)
	w.cfg.Concurrency = 3
	w.boot()
	gate := make(chan struct{}, 3)
	w.server.say = func(stage string, _ store.Outgoing, _ string) *answer {
		if stage == "body" {
			select {
			case gate <- struct{}{}:
			default:
				t.Error("more than three at once")
			}
			defer func() { <-gate }()
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	for i := range 60 {
		w.accept(letter("ann@x.example", fmt.Sprintf("r%d@x.example", i), "news"))
	}
	w.step()
	w.wantFates("passed 60")
	if w.server.widest != 3 {
		t.Errorf("%d at once, want 3", w.server.widest)
	}
}

// A census that takes long is not made all the time; what is due is not missed
// for it.
func TestRestAfterCensus(t *testing.T) {
	w := newWorld(t)
	listed := 0
	w.boot()
	w.engine.queue = &slowReaders{Store: w.store, list: func() { listed++; w.steady += 100 * time.Millisecond }}
	w.accept(alert("ops@x.example", "disk full"))
	w.accept(alert("ops@x.example", "disk full"))
	for range 100 { // as an intake would that never stops
		w.steady += 10 * time.Millisecond
		w.step()
	}
	if listed > 3 {
		t.Errorf("listed the readers %d times in a second", listed)
	}
	w.until("09:59")
	for w.now().Before(at("2026-01-05T10:00:01Z")) {
		w.steady += 10 * time.Millisecond
		w.step()
	}
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("%d digests at ten", n)
	}
	w.check()
}

type slowReaders struct {
	store.Store
	list func()
}

func (s *slowReaders) Readers(ctx context.Context) iter.Seq2[store.Reader, error] {
	s.list()
	return s.Store.Readers(ctx)
}
