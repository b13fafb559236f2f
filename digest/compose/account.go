package compose

import (
	"lull/store"
)

// account is the cut, counted and shared out into parts.
type account struct {
	Input
	clock   clock
	parts   []part
	tallies []*tally
	told    Told
	// open, news … count incidents; missing counts copies of the batch that
	// the composer was not given.
	again, noticed, missing int
	// attached and unattached count originals.
	attached, unattached int
}

// reckon counts the cut.
func reckon(in Input) *account {
	a := &account{Input: in, clock: clock{in.Now, in.Zone}, tallies: tallies(in)}
	a.parts = parts(in, a.tallies)
	a.missing = in.Batch.Copies - len(in.Entries)
	a.told = Told{Copies: len(in.Entries), Incidents: len(a.tallies), Open: len(in.Quiet)}
	for _, t := range a.tallies {
		a.count(t)
	}
	return a
}

func (a *account) count(t *tally) {
	a.told.Late += t.late
	a.told.Silenced += t.silenced
	a.told.Shown += t.shown
	a.told.Objects += objectsOf(&t.incident)
	if t.copies() == 0 {
		return
	}
	if t.open() {
		a.told.Open++
	}
	switch place(a.Input, t) {
	case fresh:
		a.told.New++
	case again:
		a.again++
	case recovered:
		a.told.Recovered++
	case notices:
		a.noticed++
	}
}

// objectsOf is how many things an incident happens to. An object without a
// name stands for mail that names none.
func objectsOf(i *store.Incident) int {
	n := i.ObjectCount
	for _, o := range i.Objects {
		if o.Name == "" {
			n--
		}
	}
	return max(n, 0)
}
