package admin

import (
	"errors"
	"fmt"
	"testing"

	"lull/store"
	"lull/store/filter"
)

// TestFaultIsTotal: every error of the contract has its code, wrapped or not,
// and any other is a fault of ours.
func TestFaultIsTotal(t *testing.T) {
	_, wrong := filter.Parse("--nonsense")
	for err, want := range map[error]Code{
		store.ErrFull: Full, store.ErrStopped: Stopped, store.ErrInvalid: Usage, store.ErrTooLarge: Internal,
		store.ErrNotFound: NotFound, store.ErrKnown: Internal, store.ErrStaleTerm: Refused, store.ErrNoSlot: Refused,
		store.ErrNothing: NotFound, store.ErrGone: Refused, store.ErrPinned: Refused, store.ErrCorrupt: Internal,
		errors.New("anything"): Internal, wrong: Usage, usage("x"): Usage,
	} {
		f := fault(fmt.Errorf("wrapped: %w", err))
		if f.Code != want || f.Text == "" {
			t.Errorf("%v: got %s %q, want %s", err, f.Code, f.Text, want)
		}
		if f.Code.status() < 400 {
			t.Errorf("%v: status %d is no failure", err, f.Code.status())
		}
	}
}
