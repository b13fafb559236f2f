package demo

import (
	"testing"
)

// TestReplay holds the replay to the promises, with each kind of mail server.
func TestReplay(t *testing.T) {
	for _, v := range Variants() {
		t.Run(string(v), func(t *testing.T) {
			rep, err := Run(t.Context(), Options{Dir: t.TempDir(), Variant: v, Seed: 1, Tools: 40})
			if err != nil {
				t.Fatal(err)
			}
			if rep.Differences != 0 {
				t.Errorf("the recount differs: %v", rep.Faults)
			}
			if rep.MaxInWindow > rep.Budget {
				t.Errorf("a reader was sent %d mails in a window, over %d", rep.MaxInWindow, rep.Budget)
			}
			if rep.WorstWith >= rep.WorstWithout {
				t.Errorf("no better than without: %d and %d mails in the worst hour", rep.WorstWith, rep.WorstWithout)
			}
			t.Logf("%+v", rep.Rows)
		})
	}
}
