package ledger

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"lull/store"
)

// numbered is a message as it is kept, with its first number and copies.
func numbered(n uint64, copies int) *store.Message {
	m := alert(int(n))
	one := m.Copies[0]
	m.Copies = nil
	for k := range copies {
		c := one
		c.Index, c.Number, c.Incident = k+1, n+uint64(k), "i1"
		m.Copies = append(m.Copies, c)
	}
	return &m
}

// TestRestoreWithout leaves a message out and names it as lost: its numbers
// stay taken, everything else works, and an audit tells.
func TestRestoreWithout(t *testing.T) {
	r := NewRestore(store.DefaultLimits(time.Hour))
	r.Operation(Operation{Sequence: 1, Operation: store.Operation{ID: "o", Kind: store.OpHold}, Set: setOf([]uint64{2, 3, 4})})
	r.Ending(3, Ending{Fate: store.Passed})
	r.Ending(5, Ending{Fate: store.Bounced})
	for _, m := range []*store.Message{numbered(1, 1), numbered(4, 2)} {
		if err := r.Message(1, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Message(1, numbered(5, 1)); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a number twice: %v", err)
	}
	r.Lost(6)
	l := r.Finish()
	if l.row(2) != nil || l.row(3) != nil || !l.kept(1) || !l.kept(5) {
		t.Error("kept are not 1, 4 and 5")
	}
	for n, want := range map[uint64]fate{1: waiting, 4: held, 5: bounced} {
		if got := l.row(n).fate; got != want {
			t.Errorf("copy %d is %s, want %s", n, got.name(), want.name())
		}
	}
	if i := l.byIncident["i1"]; i == nil || i.kept() != 3 {
		t.Errorf("the incident is not put up again: %+v", i)
	}
	if l.next <= 6 {
		t.Errorf("number %d is given again", l.next)
	}
	if all := l.all().ToArray(); len(all) != 3 {
		t.Errorf("all are %v", all)
	}
	tx := memory{kept: &kept{messages: []*store.Message{numbered(1, 1), numbered(4, 2)}}}
	reads := NewReads(l, func() (Source, error) { return source{tx}, nil }, func() {})
	audit, err := reads.Audit(context.Background())
	if err != nil || len(audit.Differences) == 0 || audit.ByFate[store.Waiting] != 1 {
		t.Errorf("audit %+v, %v", audit, err)
	}
	if err := l.Accept(tx, alert(9), nil); err != nil {
		t.Fatal(err)
	}
	if n := len(l.segments); n != 2 {
		t.Errorf("%d segments; numbers that do not follow need one of their own", n)
	}
}

// source yields messages whatever their numbers.
type source struct{ memory }

func (s source) Messages(from uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		for _, m := range s.messages {
			if last(m) >= from && !yield(m, nil) {
				return
			}
		}
	}
}

// damaged yields an error in place of some messages.
type damaged struct {
	source
	at map[uint64]bool
}

func (d damaged) Messages(from uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		for m := range d.source.Messages(from) {
			var err error
			if d.at[m.Copies[0].Number] {
				m, err = nil, store.ErrCorrupt
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

func TestVisitPastDamage(t *testing.T) {
	tx := damaged{source{memory{kept: &kept{}}}, map[uint64]bool{4: true, 200: true}}
	for _, n := range []uint64{1, 4, 6, 100, 200, 300} {
		tx.messages = append(tx.messages, numbered(n, 2))
	}
	var read []uint64
	damage := 0
	for f, err := range visitAll(context.Background(), tx, nil, setOf([]uint64{2, 4, 5, 7, 101, 150, 200, 300, 400})) {
		switch {
		case err != nil:
			t.Fatal(err)
		case f.damage != nil:
			damage++
		default:
			read = append(read, f.copy.Number)
		}
	}
	if len(read) != 4 || read[0] != 2 || read[1] != 7 || read[2] != 101 || read[3] != 300 || damage != 2 {
		t.Errorf("read %v, %d damaged", read, damage)
	}
	reads := NewReads(New(store.DefaultLimits(time.Hour)), func() (Source, error) { return tx, nil }, func() {})
	for _, m := range tx.messages {
		reads.ledger.enter(&segment{first: m.Copies[0].Number}, m, &m.Copies[0], nil)
	}
	entries, errs := 0, 0
	for _, err := range reads.Copies(context.Background(), store.Query{}) {
		if errors.Is(err, store.ErrCorrupt) {
			errs++
		} else {
			entries++
		}
	}
	if entries != 4 || errs != 2 {
		t.Errorf("%d entries, %d errors", entries, errs)
	}
}

func TestVisitEnds(t *testing.T) {
	broken := errors.New("broken")
	tx := source{memory{kept: &kept{messages: []*store.Message{numbered(1, 1), numbered(2, 1)}}}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for _, err := range visit(ctx, tx, nil, setOf([]uint64{1, 2})) {
		if n++; n == 2 && !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		cancel()
	}
	if n != 2 {
		t.Errorf("%d steps", n)
	}
	for _, err := range visit(context.Background(), failing{tx, broken}, nil, setOf([]uint64{1, 2})) {
		if !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	}
}

// failing yields nothing but an error.
type failing struct {
	source
	err error
}

func (f failing) Messages(uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) { yield(nil, f.err) }
}
