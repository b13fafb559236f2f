package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lull/store"
)

// alertBody is a mail of about 4 KiB, as an Icinga or a cron sends them; each
// number gives another one.
func alertBody(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var b bytes.Buffer
	fmt.Fprintf(&b, "Received: from host%d.example.org (host%d [10.%d.%d.%d])\r\n\tby mx with ESMTP id %x\r\n", n%977, n%977, r.IntN(256), r.IntN(256), r.IntN(256), r.Uint64())
	fmt.Fprintf(&b, "From: icinga@example.org\r\nTo: ops@example.org\r\nMessage-ID: <%x.%x@host%d>\r\nSubject: PROBLEM Service Alert: host%d/disk is CRITICAL\r\n\r\n", r.Uint64(), r.Uint64(), n%977, n%977)
	for b.Len() < 4000 {
		fmt.Fprintf(&b, "Disk /srv/%x on host%d: %d%% used, %d inodes left, load %.2f, since 2019-10-07 %02d:%02d:%02d\r\n",
			r.Uint32(), n%977, r.IntN(100), r.IntN(1<<20), r.Float64()*20, r.IntN(24), r.IntN(60), r.IntN(60))
	}
	return b.Bytes()
}

// BenchmarkPrepare is what an Accept costs its caller before the writer's turn.
func BenchmarkPrepare(b *testing.B) {
	r := newTestRecords(b)
	m := mail(1)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = r.bare(m)
		}
	})
	b.Run("pack", func(b *testing.B) {
		b.ReportAllocs()
		body, n := alertBody(1), 0
		for b.Loop() {
			n = len(pack(body))
		}
		b.ReportMetric(float64(n), "bytes")
	})
}

// BenchmarkRecord is what a message's record costs the writer, and a read.
func BenchmarkRecord(b *testing.B) {
	r := newTestRecords(b)
	m := mail(1)
	bare, _ := r.bare(m)
	value, _ := r.encodeMessage(number(7), bare, m.Copies)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = r.encodeMessage(number(7), bare, m.Copies)
		}
		b.ReportMetric(float64(len(value)), "bytes")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = r.decodeMessage(number(7), value)
		}
	})
}

// BenchmarkAccept is a durable Accept of 4 KiB with so many senders.
func BenchmarkAccept(b *testing.B) {
	bodies := make([][]byte, 256)
	for i := range bodies {
		bodies[i] = alertBody(i)
	}
	for _, senders := range []int{1, 20, 100, 128} {
		b.Run(fmt.Sprint(senders), func(b *testing.B) {
			var commits atomic.Int64
			s := openAt(b, state(b), Options{OnCommit: func(Commit) { commits.Add(1) }})
			cpu := processor()
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range senders {
				wg.Go(func() {
					for n := int(next.Add(1)); n <= b.N; n = int(next.Add(1)) {
						if err := s.Accept(noContext(), mail(n), bodies[n%256]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			b.ReportMetric(float64(processor()-cpu)/float64(b.N)/1e3, "cpu-µs/mail")
			b.ReportMetric(float64(b.N)/float64(commits.Load()), "mails/commit")
		})
	}
}

// processor is the processor time of this process.
func processor() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// waiting fills a folder with so many mails of 4 KiB.
func waiting(b *testing.B, folder string, mails int) {
	b.Helper()
	s := openAt(b, folder, Options{})
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 128 {
		wg.Go(func() {
			for n := int(next.Add(1)); n <= mails; n = int(next.Add(1)) {
				if err := s.Accept(noContext(), mail(n), alertBody(n)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// anonymous is the memory of this process that is no mapped file, in MiB.
func anonymous() (mib float64) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "RssAnon:") {
			_, _ = fmt.Sscanf(line, "RssAnon: %f", &mib)
		}
	}
	return mib / 1024
}

// BenchmarkOpen opens and checks stores in which so many mails wait.
func BenchmarkOpen(b *testing.B) {
	for _, mails := range []int{100_000, 200_000} {
		b.Run(fmt.Sprint(mails), func(b *testing.B) {
			folder := state(b)
			waiting(b, folder, mails)
			info, _ := os.Stat(Path(folder))
			b.Run("check", func(b *testing.B) {
				for b.Loop() {
					if err := Check(Path(folder)); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("open", func(b *testing.B) {
				cpu := processor()
				for b.Loop() {
					s, err := Open(folder, Options{})
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					b.ReportMetric(anonymous(), "RssAnon-MiB")
					_ = s.Close()
					b.StartTimer()
				}
				b.ReportMetric((processor()-cpu).Seconds()*1e3/float64(b.N), "cpu-ms")
				b.ReportMetric(float64(info.Size())/float64(mails), "file-bytes/mail")
			})
		})
	}
}

// BenchmarkLarge is an operator's evening: 200,000 mails wait, and mail keeps
// coming in while the operator looks and acts. late-ms is the longest Accept.
func BenchmarkLarge(b *testing.B) {
	const mails = 200_000
	folder := state(b)
	waiting(b, folder, mails)
	s := openAt(b, folder, Options{})
	at := start.Add(time.Hour)
	first := func(q store.Query, n int) error {
		for _, err := range s.Copies(b.Context(), q) {
			if n--; n == 0 || err != nil {
				return err
			}
		}
		return nil
	}
	operations := 0
	var purged string
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			stop, late := intake(b, s)
			cpu := processor()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processor()-cpu).Seconds()*1e3/float64(b.N), "cpu-ms")
			close(stop)
			b.ReportMetric(float64((<-late).Milliseconds()), "late-ms")
		})
	}
	run("nothing", func() error { time.Sleep(time.Second); return nil })
	run("status", func() error { _, err := s.Status(b.Context(), at); return err })
	run("list first 50", func() error { return first(store.Query{At: at}, 50) })
	run("list last 50", func() error { return first(store.Query{At: at, After: mails - 50}, 50) })
	run("list filter", func() error { return first(store.Query{At: at, Filter: "--reader reader3@* --object host44"}, 50) })
	run("list all", func() error { return first(store.Query{At: at}, -1) })
	run("preview", func() error {
		_, err := s.Preview(b.Context(), store.Operate{At: at, Kind: store.OpPurge, Filter: "--subject 'host[0-9]*[02468]/'"})
		return err
	})
	run("purge and undo 100000", func() error {
		operations++
		purged = fmt.Sprint("o", operations)
		began := time.Now()
		op, err := s.Operate(b.Context(), store.Operate{ID: purged, At: at, Kind: store.OpPurge, By: "ops", Filter: "--subject 'host[0-9]*[02468]/'"})
		if err != nil {
			return err
		}
		took := time.Since(began)
		_, err = s.Undo(b.Context(), store.Undo{Operation: purged, At: at, By: "ops"})
		b.Logf("purge of %d %v, undo %v", op.Copies, took, time.Since(began)-took)
		return err
	})
	run("audit", func() error { _, err := s.Audit(b.Context()); return err })
	run("purge forever and prune", func() error {
		operations++
		began := time.Now()
		op, err := s.Operate(b.Context(), store.Operate{ID: fmt.Sprint("o", operations), At: at, Kind: store.OpPurge, By: "ops",
			Filter: "--subject 'host[0-9]*[02468]/'", Forever: true})
		if err != nil && !errors.Is(err, store.ErrNothing) {
			return err
		}
		b.Logf("purge of %d %v", op.Copies, time.Since(began))
		operations++
		if _, err := s.Operate(b.Context(), store.Operate{ID: fmt.Sprint("o", operations), At: at, Kind: store.OpPurge, By: "ops", UpTo: mails}); err != nil && !errors.Is(err, store.ErrNothing) {
			return err
		}
		began = time.Now()
		sealed := uint64(0)
		for more := true; more; {
			tended, err := s.Tend(b.Context(), store.Tend{At: at.Add(8 * 24 * time.Hour), ID: "t", Prune: true})
			if err != nil {
				return err
			}
			sealed += tended.Sealed
			more = tended.Sealed > 0
		}
		b.Logf("prune of %d %v", sealed, time.Since(began))
		return nil
	})
}

// coming counts mails over all runs of intake.
var coming atomic.Int64

// intake keeps accepting mail from 8 senders until stop is closed, then tells
// the longest that an Accept took.
func intake(b *testing.B, s *Store) (stop chan bool, late chan time.Duration) {
	stop, late = make(chan bool), make(chan time.Duration, 1)
	var longest atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for pace := time.NewTicker(40 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-pace.C:
				}
				n := int(coming.Add(1)) + 1_000_000
				began := time.Now()
				m := mail(n)
				m.Accepted = m.Accepted.Add(time.Hour)
				if err := s.Accept(context.Background(), m, alertBody(n)); err != nil {
					b.Error(err)
				}
				took := int64(time.Since(began))
				for old := longest.Load(); took > old && !longest.CompareAndSwap(old, took); old = longest.Load() {
				}
			}
		})
	}
	go func() {
		wg.Wait()
		late <- time.Duration(longest.Load())
	}()
	return stop, late
}
