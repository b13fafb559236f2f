package ledger

import (
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Lull is who ends what expires.
const Lull = "lull"

// Tend does the housekeeping of one moment.
func (l *Ledger) Tend(tx Tx, t store.Tend) (store.Tended, error) {
	var done store.Tended
	if t.At.IsZero() {
		return done, fmt.Errorf("tending without a time: %w", store.ErrInvalid)
	}
	for _, r := range l.rules {
		if r.Ended.IsZero() && !r.Active(t.At) {
			done.Operations = append(done.Operations, l.expire(tx, t, r)...)
		}
	}
	if t.Prune {
		sealed, err := l.prune(tx, t.At)
		if err != nil {
			return done, err
		}
		done.Sealed = sealed
	}
	l.gate(t.Gate)
	l.putHead(tx)
	return done, nil
}

// expire ends a rule whose time has come. What it still holds is released.
func (l *Ledger) expire(tx Tx, t store.Tend, r *rule) []store.Operation {
	r.Ended = t.At
	l.change(tx, r)
	o := r.operation
	if !o.acts() || o.effect != holds {
		return nil
	}
	set := roaring64.New()
	for n, row := range l.each(o.covers) {
		if row.fate == held && row.in == o.index {
			set.Add(n)
		}
	}
	if set.IsEmpty() {
		return nil
	}
	told := store.Operation{
		ID: t.ID + r.ID, Kind: store.OpRelease, By: Lull, At: t.At,
		Reason: fmt.Sprintf("rule %s expired at %s", r.ID, r.Expires.UTC().Format(time.RFC3339)),
	}
	l.count(&told, set)
	release := l.book(tx, told, set, nil)
	l.settle(set)
	return []store.Operation{release.telling()}
}
