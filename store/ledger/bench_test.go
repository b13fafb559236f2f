package ledger

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"lull/store"
)

// kept keeps messages and nothing else.
type kept struct{ messages []*store.Message }

func (k *kept) PutMessage(_ uint64, m *store.Message, _ []byte) { k.messages = append(k.messages, m) }

// Messages yields messages of one copy each, by number.
func (k *kept) Messages(from uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		for _, m := range k.messages[min(len(k.messages), int(max(from, 1)-1)):] {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// nowhere drops every record.
type nowhere struct{}

func (nowhere) PutMessage(uint64, *store.Message, []byte) {}
func (nowhere) Messages(uint64) iter.Seq2[*store.Message, error] {
	return func(func(*store.Message, error) bool) {}
}
func (nowhere) Body(uint64) ([]byte, error)         { return nil, store.ErrNotFound }
func (nowhere) Mail(string) ([]byte, error)         { return nil, nil }
func (nowhere) Slots() iter.Seq2[store.Slot, error] { return func(func(store.Slot, error) bool) {} }
func (nowhere) Seals() iter.Seq2[store.Seal, error] { return func(func(store.Seal, error) bool) {} }
func (nowhere) Close()                              {}
func (nowhere) DropBody(uint64, uint64)             {}
func (nowhere) DropSegment(uint64, uint64, uint64)  {}
func (nowhere) PutProgress(uint64, store.Progress)  {}
func (nowhere) PutEnding(uint64, Ending)            {}
func (nowhere) PutBatch(Batch)                      {}
func (nowhere) DropBatch(uint64)                    {}
func (nowhere) PutMail(string, []byte)              {}
func (nowhere) PutOperation(Operation)              {}
func (nowhere) DropOperation(uint64)                {}
func (nowhere) PutMoves(Moves)                      {}
func (nowhere) DropMoves(uint64)                    {}
func (nowhere) PutRule(store.Rule)                  {}
func (nowhere) DropRule(string)                     {}
func (nowhere) PutSlot(store.Slot)                  {}
func (nowhere) DropSlot(store.Slot)                 {}
func (nowhere) PutReader(store.Reader)              {}
func (nowhere) DropReader(string)                   {}
func (nowhere) PutIncident(Incident)                {}
func (nowhere) DropIncident(string)                 {}
func (nowhere) PutKey(Key)                          {}
func (nowhere) DropKey(string)                      {}
func (nowhere) PutSeal(store.Seal)                  {}
func (nowhere) PutHead(Head)                        {}

// memory keeps messages so that filters can run.
type memory struct {
	nowhere
	*kept
}

func (m memory) PutMessage(s uint64, msg *store.Message, b []byte)  { m.kept.PutMessage(s, msg, b) }
func (m memory) Messages(n uint64) iter.Seq2[*store.Message, error] { return m.kept.Messages(n) }

var _ Tx = memory{}

var benchStart = time.Date(2019, 10, 7, 14, 0, 0, 0, time.UTC)

// alert is the nth mail: to one reader in 500, about one incident in 2,000.
func alert(n int) store.Message {
	at := benchStart.Add(time.Duration(n) * 50 * time.Millisecond)
	reader := fmt.Sprintf("reader%d@example.org", n%500)
	return store.Message{
		ID: fmt.Sprintf("%026d", n), Accepted: at,
		Envelope: store.Envelope{From: "icinga@example.org", Client: "192.0.2.7"},
		Reading: store.Reading{
			Signature: store.Signature{ID: fmt.Sprintf("s1-%d", n%2000), Title: "disk", Recovers: true},
			Reports:   []store.Report{{Object: fmt.Sprintf("host%d", n%97), State: store.Problem}},
			Subject:   fmt.Sprintf("PROBLEM disk on host%d", n%97),
		},
		Copies: []store.Copy{{Index: 1, To: reader, Reader: reader, Class: store.Alert}},
	}
}

func BenchmarkAccept(b *testing.B) {
	l := New(store.DefaultLimits(time.Hour))
	b.ReportAllocs()
	for n := range b.N {
		if err := l.Accept(nowhere{}, alert(n), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMail is what making the mail costs, to be subtracted from BenchmarkAccept.
func BenchmarkMail(b *testing.B) {
	b.ReportAllocs()
	for n := range b.N {
		if m := alert(n); m.ID == "" {
			b.Fatal("no id")
		}
	}
}

// BenchmarkMemory tells the bytes that the ledger keeps for a live copy.
func BenchmarkMemory(b *testing.B) {
	for range b.N {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := New(store.DefaultLimits(time.Hour))
		const copies = 200_000
		for n := range copies {
			if err := l.Accept(nowhere{}, alert(n), nil); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/copies, "B/copy")
		b.ReportMetric(0, "ns/op")
		runtime.KeepAlive(l)
	}
}

// BenchmarkOperations purges half of 200,000 waiting copies and takes it back,
// the filter included.
func BenchmarkOperations(b *testing.B) {
	l := New(store.DefaultLimits(time.Hour))
	tx := memory{kept: &kept{}}
	reads := NewReads(l, func() (Source, error) { return tx, nil }, func() {})
	for n := range 200_000 {
		if err := l.Accept(tx, alert(n), nil); err != nil {
			b.Fatal(err)
		}
	}
	var filter, operate, undo, cut time.Duration
	for k := range b.N {
		o := store.Operate{ID: fmt.Sprint(k), At: benchStart, Kind: store.OpPurge, Filter: "--subject host[0-9]*[02468]$"}
		t := time.Now()
		sifted, err := reads.Sift(context.Background(), o)
		filter += time.Since(t)
		if err != nil {
			b.Fatal(err)
		}
		t = time.Now()
		done, err := l.Operate(tx, o, sifted)
		operate += time.Since(t)
		if err != nil || done.Copies < 90_000 {
			b.Fatal(done, err)
		}
		t = time.Now()
		if _, err := l.Undo(tx, store.Undo{Operation: o.ID, At: benchStart}, nil); err != nil {
			b.Fatal(err)
		}
		undo += time.Since(t)
		t = time.Now()
		if _, err := reads.Status(context.Background(), benchStart); err != nil {
			b.Fatal(err)
		}
		cut += time.Since(t)
	}
	for name, d := range map[string]time.Duration{"filter": filter, "operate": operate, "undo": undo, "status": cut} {
		b.ReportMetric(float64(d.Microseconds())/1000/float64(b.N), name+"-ms")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRegroup splits 20 incidents of 200,000 waiting copies into 1,940 by
// object, and takes that back: what is read without the lock apart from what is
// done with it.
func BenchmarkRegroup(b *testing.B) {
	l := New(store.DefaultLimits(time.Hour))
	tx := memory{kept: &kept{}}
	reads := NewReads(l, func() (Source, error) { return tx, nil }, func() {})
	for n := range 200_000 {
		m := alert(n)
		m.Reading.Signature.ID, m.Copies[0].Reader = fmt.Sprintf("s1-%d", n%20), fmt.Sprintf("reader%d@example.org", n%5)
		if err := l.Accept(tx, m, nil); err != nil {
			b.Fatal(err)
		}
	}
	var sift, operate, ask, undo time.Duration
	ctx := context.Background()
	for k := range b.N {
		o := store.Operate{ID: fmt.Sprint(k), At: benchStart, Kind: store.OpRule, Rule: &store.Rule{Kind: store.RuleGroup, Key: "{signature} {object}"}}
		t := time.Now()
		sifted, err := reads.Sift(ctx, o)
		sift += time.Since(t)
		if err != nil {
			b.Fatal(err)
		}
		t = time.Now()
		done, err := l.Operate(tx, o, sifted)
		operate += time.Since(t)
		if err != nil || done.Copies < 190_000 {
			b.Fatal(done, err)
		}
		u := store.Undo{Operation: o.ID, At: benchStart}
		t = time.Now()
		if sifted, err = reads.SiftUndo(ctx, u); err != nil {
			b.Fatal(err)
		}
		ask += time.Since(t)
		t = time.Now()
		if _, err := l.Undo(tx, u, sifted); err != nil {
			b.Fatal(err)
		}
		undo += time.Since(t)
	}
	for name, d := range map[string]time.Duration{"sift": sift, "operate": operate, "sift-undo": ask, "undo": undo} {
		b.ReportMetric(float64(d.Microseconds())/1000/float64(b.N), name+"-ms")
	}
	b.ReportMetric(0, "ns/op")
}
