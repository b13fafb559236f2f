package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"lull/store"
)

// Benchmark measures an engine: messages accepted by one and by many at once,
// and a purge of 100,000 of 200,000 waiting copies with its undo while mail
// goes on coming.
func Benchmark(b *testing.B, e Engine) {
	b.Run("accept", func(b *testing.B) { benchmarkAccept(b, e, 1) })
	b.Run("accept/32", func(b *testing.B) { benchmarkAccept(b, e, 32) })
	b.Run("operate", func(b *testing.B) { benchmarkOperate(b, e) })
}

// storm is the nth mail of a storm: to 500 readers, of 50 signatures, about 997 hosts.
func storm(n int) store.Message {
	reader := fmt.Sprintf("reader%d@example.org", n%500)
	return mail(fmt.Sprintf("%026d", n), start().Add(time.Duration(n)*50*time.Millisecond), reader,
		fmt.Sprintf("s1-%d", n%50), fmt.Sprintf("host%d", n%997), store.Problem)
}

func benchmarkAccept(b *testing.B, e Engine, clients int) {
	w := newWorld(b, e, store.DefaultLimits(time.Hour))
	text := make([]byte, 4096)
	for k := range text {
		text[k] = byte('a' + k*k%26)
	}
	var n atomic.Int64
	b.SetParallelism(clients)
	b.ResetTimer()
	run := func() {
		if err := w.Accept(b.Context(), storm(int(n.Add(1))), text); err != nil {
			b.Error(err)
		}
	}
	if clients == 1 {
		for b.Loop() {
			run()
		}
		return
	}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			run()
		}
	})
}

// fill accepts mail from many at once.
func (w *world) fill(mails int) {
	w.Helper()
	const clients = 64
	done := make(chan error, clients)
	for c := range clients {
		go func() {
			for n := c; n < mails; n += clients {
				if err := w.Accept(w.Context(), storm(n), []byte("body")); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range clients {
		w.must(<-done)
	}
}

func benchmarkOperate(b *testing.B, e Engine) {
	const waiting = 200_000
	w := newWorld(b, e, store.DefaultLimits(time.Hour))
	w.fill(waiting)
	slowest := make(chan time.Duration)
	stop := make(chan struct{})
	go func() {
		var most time.Duration
		for n := waiting; ; n++ {
			select {
			case <-stop:
				slowest <- most
				return
			default:
			}
			begin := time.Now()
			if err := w.Accept(b.Context(), storm(n), []byte("body")); err != nil {
				b.Error(err)
			}
			most = max(most, time.Since(begin))
		}
	}()
	var purge, undo, status, list time.Duration
	for b.Loop() {
		o := w.order(store.OpPurge, "--subject 'host[0-9]*[02468]$'")
		purge += timed(func() {
			if copies := got(w.Operate(b.Context(), o)).or(w).Copies; copies < waiting*45/100 {
				b.Errorf("%d copies", copies)
			}
		})
		undo += timed(func() { w.undo(o.ID) })
		status += timed(func() { got(w.Status(b.Context(), w.now)).or(w) })
		list += timed(func() {
			n := 0
			for _, err := range w.Copies(b.Context(), store.Query{Filter: "--fate waiting"}) {
				w.must(err)
				if n++; n == 50 {
					break
				}
			}
		})
	}
	close(stop)
	for name, d := range map[string]time.Duration{"purge": purge, "undo": undo, "status": status, "page": list} {
		b.ReportMetric(float64(d.Microseconds())/1000/float64(b.N), name+"-ms")
	}
	b.ReportMetric(float64((<-slowest).Microseconds())/1000, "slowest-accept-ms")
	b.ReportMetric(0, "ns/op")
	w.sound()
}

func timed(f func()) time.Duration {
	begin := time.Now()
	f()
	return time.Since(begin)
}
