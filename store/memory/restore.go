package memory

import (
	"maps"
	"slices"

	"lull/store"
	"lull/store/ledger"
)

// restore rebuilds the books from the records, in the order that
// [ledger.Restore] asks for.
func (r *records) restore(limits store.Limits) *ledger.Ledger {
	into := ledger.NewRestore(limits)
	into.Head(r.head)
	for _, s := range r.seals {
		into.Seal(s)
	}
	give(r.readers, into.Reader)
	give(r.rules, into.Rule)
	give(r.incidents, into.Incident)
	give(r.slots, into.Slot)
	give(r.keys, into.Key)
	for _, o := range r.operations {
		o.Set = o.Set.Clone() // the restored ledger changes it
		into.Operation(o)
	}
	for _, m := range r.moves {
		m.Homes = slices.Clone(m.Homes)
		for k := range m.Homes {
			m.Homes[k].Set = m.Homes[k].Set.Clone()
		}
		into.Moves(m)
	}
	for _, b := range r.batches {
		b.Set = b.Set.Clone()
		into.Batch(b)
	}
	for n, p := range r.progress {
		into.Progress(n, p)
	}
	for n, e := range r.endings {
		into.Ending(n, e)
	}
	for _, first := range r.order {
		if err := into.Message(r.segments[first], r.messages[first]); err != nil {
			into.Lost(first)
		}
	}
	return into.Finish()
}

func give[K comparable, V any](m map[K]V, to func(V)) {
	for v := range maps.Values(m) {
		to(v)
	}
}
