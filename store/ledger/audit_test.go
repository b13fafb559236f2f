package ledger

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"lull/store"
)

// books is a ledger with ten copies of two incidents, three of them told and sealed.
type books struct {
	memory
	ledger *Ledger
	seals  []store.Seal
	reads  *Reads
}

func (b *books) PutSeal(s store.Seal) { b.seals = append(b.seals, s) }

func (b *books) Seals() iter.Seq2[store.Seal, error] {
	return func(yield func(store.Seal, error) bool) {
		for _, s := range b.seals {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (b *books) DropSegment(_, first, last uint64) {
	var left []*store.Message
	for _, m := range b.messages {
		if n := m.Copies[0].Number; n < first || n > last {
			left = append(left, m)
		}
	}
	b.messages = left
}

// Messages finds messages by number although some were dropped.
func (b *books) Messages(from uint64) iter.Seq2[*store.Message, error] {
	return func(yield func(*store.Message, error) bool) {
		for _, m := range b.messages {
			if last(m) >= from && !yield(m, nil) {
				return
			}
		}
	}
}

func (b *books) PutMessage(s uint64, m *store.Message, body []byte) { b.kept.PutMessage(s, m, body) }

func newBooks(t *testing.T) *books {
	t.Helper()
	b := &books{ledger: New(store.DefaultLimits(time.Hour)), memory: memory{kept: &kept{}}}
	b.reads = NewReads(b.ledger, func() (Source, error) { return b, nil }, func() {})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	accept := func(n int, at time.Time) {
		m := alert(n % 2)
		m.ID, m.Accepted = fmt.Sprint(n), at
		must(b.ledger.Accept(b, m, nil))
	}
	for n := range 3 {
		accept(n, benchStart.Add(time.Duration(n)*2*time.Hour))
	}
	for _, reader := range []string{"reader0@example.org", "reader1@example.org"} {
		taken, err := b.ledger.Cut(b, store.Cut{ID: reader, At: benchStart, Kind: store.KindDigest, Reader: reader})
		must(err)
		must(b.ledger.Mark(b, store.Mark{Batch: taken.Batch.ID, At: benchStart, Outcome: store.Delivered}))
	}
	at := benchStart.AddDate(0, 0, 30)
	done, err := b.ledger.Tend(b, store.Tend{At: at, Prune: true})
	if must(err); done.Sealed != 3 || len(b.seals) != 3 {
		t.Fatalf("%d sealed in %d seals", done.Sealed, len(b.seals))
	}
	for n := 3; n < 10; n++ {
		accept(n, at)
	}
	_, err = b.ledger.Operate(b, store.Operate{ID: "o", At: at, Kind: store.OpHold, Filter: "--to reader1@example.org"}, nil)
	must(err)
	return b
}

func (b *books) differences(t *testing.T) string {
	t.Helper()
	audit, err := b.reads.Audit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(audit.Differences, "; ")
}

// TestAuditFinds breaks the books in one way at a time.
func TestAuditFinds(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*books)
		want  string
	}{
		"nothing":              {func(*books) {}, ""},
		"a copy in two fates":  {func(b *books) { b.ledger.fates[told].Add(5) }, "has 2 fates"},
		"a copy in none":       {func(b *books) { b.ledger.fates[waiting].Remove(7); b.ledger.fates[held].Remove(7) }, "has 0 fates"},
		"a copy in another":    {func(b *books) { b.ledger.fates[waiting].Remove(5); b.ledger.fates[held].Add(5) }, "is not among those waiting"},
		"a lost message":       {func(b *books) { b.messages = b.messages[1:] }, "9 are kept or sealed"},
		"a message twice":      {func(b *books) { b.messages = append(b.messages, b.messages[0]) }, "has number"},
		"a lost seal":          {func(b *books) { b.seals = b.seals[:2] }, "seals 3 to 3 are missing"},
		"a lost first seal":    {func(b *books) { b.seals = b.seals[1:] }, "seal 2 follows 0"},
		"a changed seal":       {func(b *books) { b.seals[1].Counts = map[store.Fate]uint64{store.Purged: 1} }, "does not match the one before"},
		"a seal of too few":    {func(b *books) { b.seals[2].Counts = nil }, "counts 0 copies of 1"},
		"a seal over kept":     {func(b *books) { b.seals[2].First = 4 }, "is kept and sealed"},
		"wrong totals":         {func(b *books) { b.ledger.sealed[store.Told]++ }, "the ledger says 4"},
		"an incident's counts": {func(b *books) { b.ledger.byIncident["i4"].counts[waiting]++ }, "its copies are"},
		"a row's fate":         {func(b *books) { b.ledger.row(5).fate = told }, "is not among those told"},
		"held by nothing":      {func(b *books) { b.ledger.row(4).in = 99 }, "by nothing"},
		"an alert without one": {func(b *books) { b.ledger.alerts.Remove(5) }, "its incident differ"},
		"told, not for good": {func(b *books) {
			b.ledger.row(5).fate = told
			b.ledger.fates[waiting].Remove(5)
			b.ledger.fates[told].Add(5)
		}, "not for good"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBooks(t)
			c.spoil(b)
			found := b.differences(t)
			if (found == "") != (c.want == "") || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}

// TestChecksum changes each field of a seal: the sum must change.
func TestChecksum(t *testing.T) {
	seal := store.Seal{Sequence: 1, Day: "2019-10-07", First: 2, Last: 3, Counts: map[store.Fate]uint64{store.Told: 2}, Previous: []byte("x"), At: benchStart}
	seen := map[string]string{string(Checksum(seal)): "itself"}
	for name, change := range map[string]func(*store.Seal){
		"sequence": func(s *store.Seal) { s.Sequence++ },
		"day":      func(s *store.Seal) { s.Day = "2019-10-08" },
		"first":    func(s *store.Seal) { s.First++ },
		"last":     func(s *store.Seal) { s.Last++ },
		"count":    func(s *store.Seal) { s.Counts = map[store.Fate]uint64{store.Told: 3} },
		"fate":     func(s *store.Seal) { s.Counts = map[store.Fate]uint64{store.Passed: 2} },
		"previous": func(s *store.Seal) { s.Previous = []byte("y") },
		"time":     func(s *store.Seal) { s.At = s.At.Add(1) },
	} {
		other := seal
		change(&other)
		sum := string(Checksum(other))
		if seen[sum] != "" {
			t.Errorf("%s: the sum of %s", name, seen[sum])
		}
		seen[sum] = name
	}
	elsewhere := seal
	elsewhere.At = seal.At.In(time.FixedZone("", 3600))
	if string(Checksum(elsewhere)) != string(Checksum(seal)) {
		t.Error("the sum depends on the zone of the time")
	}
}
