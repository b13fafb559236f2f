package digest

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkIdleStep is a Step in which nothing is due, with 5,000 readers for
// whom 100,000 mails wait.
func BenchmarkIdleStep(b *testing.B) {
	w := newWorld(b)
	w.cfg.Notices = 0
	w.boot()
	for i := range 100_000 {
		w.accept(alert(fmt.Sprintf("tool%d@x.example", i%5000), fmt.Sprint("kind", i%17)))
	}
	w.step()
	for b.Loop() {
		w.step()
	}
}

// BenchmarkStart is a start with 100,000 mails waiting.
func BenchmarkStart(b *testing.B) {
	w := newWorld(b)
	w.cfg.Notices = 0
	w.boot()
	for i := range 100_000 {
		w.accept(alert(fmt.Sprintf("tool%d@x.example", i%5000), fmt.Sprint("kind", i%17)))
	}
	for b.Loop() {
		w.must(w.engine.Start(context.Background(), w.now()))
	}
}

// BenchmarkStormyStep is a Step in a storm: one reader with 10,000 new
// incidents that are not announced.
func BenchmarkStormyStep(b *testing.B) {
	w := newWorld(b)
	w.boot()
	for i := range 10_000 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
	}
	w.run(time.Minute)
	for b.Loop() {
		w.step()
	}
}

// BenchmarkDigest is a digest of 20,000 mails, from the cut to the dot.
func BenchmarkDigest(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		w.cfg.Notices = 0
		w.boot()
		for i := range 20_000 {
			w.accept(alert("ops@x.example", fmt.Sprint("kind", i%2000)))
		}
		b.StartTimer()
		w.until("10:00")
		if n := len(w.server.to("ops@x.example")); n != 1 {
			b.Fatal(n)
		}
	}
}
