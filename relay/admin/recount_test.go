package admin

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"lull/store"
)

// TestMaxInWindow holds the sweep against the definition.
func TestMaxInWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const window = 60 * time.Second
		var slots []store.Slot
		for range rapid.IntRange(0, 30).Draw(t, "slots") {
			began := time.Duration(rapid.IntRange(0, 300).Draw(t, "began")) * time.Second
			slots = append(slots, store.Slot{
				Began: began, Ended: began + time.Duration(rapid.IntRange(0, 90).Draw(t, "took"))*time.Second,
				Open: rapid.IntRange(0, 9).Draw(t, "open") == 0,
			})
		}
		want := 0
		for _, last := range slots {
			n := 0
			for _, s := range slots {
				if s.Began <= last.Began && s.Counts(last.Began, window) {
					n++
				}
			}
			want = max(want, n)
		}
		if got := MaxInWindow(slots, window); got != want {
			t.Fatalf("got %d, want %d for %+v", got, want, slots)
		}
	})
}

func TestBoundsCountAnAddressAgainstEachOfItsReaders(t *testing.T) {
	at := func(minutes int) time.Duration { return time.Duration(minutes) * time.Minute }
	slots := []store.Slot{
		{Kind: store.KindDigest, Reader: "ops", To: "Root@example.org", Began: at(0), Ended: at(0)},
		{Kind: store.KindNotice, Reader: "root@example.org", To: "root@example.org", Began: at(10), Ended: at(10)},
		{Kind: store.KindDigest, Reader: "anna@example.org", To: "anna@example.org", Began: at(10), Ended: at(10)},
		{Kind: store.KindPass, Reader: "anna@example.org", To: "anna@example.org", Began: at(10), Ended: at(10)},
		{Kind: store.KindDigest, Reader: "anna@example.org", To: "anna@example.org", Began: at(12), Ended: at(12), Outcome: store.Refused},
	}
	list, err := bounds(values(slots), 1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, b := range list {
		got[b.Reader] = b.Max
		if b.Over != (b.Max > 1) || b.Window != 3600 {
			t.Errorf("%+v", b)
		}
	}
	for reader, want := range map[string]int{"ops": 2, "root@example.org": 2, "anna@example.org": 1} {
		if got[reader] != want {
			t.Errorf("%s: got %d, want %d", reader, got[reader], want)
		}
	}
}
