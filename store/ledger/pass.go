package ledger

import (
	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// pass gives pass copies what became of each: their result, or else what the
// outcome says. Without a batch there are only results.
func (l *Ledger) pass(tx Tx, m store.Mark, b *batch, results map[uint64]store.Result) {
	if b == nil {
		b = &batch{set: roaring64.New()}
		for n := range results {
			b.set.Add(n)
		}
	} else {
		l.fates[flight].AndNot(b.set)
	}
	for n := range roaring64.Values(b.set) {
		r, ok := results[n]
		if !ok {
			r = l.otherwise(n, m)
		}
		l.became(tx, m, b, r)
	}
	l.forget(tx, b.set)
	b.set = nil
}

// otherwise is the result of a copy that has none of its own.
func (l *Ledger) otherwise(n uint64, m store.Mark) store.Result {
	if m.Outcome == store.Delivered || m.Assumed {
		return store.Result{Number: n, Fate: store.Passed, Reply: m.Reply}
	}
	return store.Result{Number: n, Fate: store.Waiting, Reply: m.Reply, Next: m.Next}
}

// became gives one pass copy its result. What ended already stays as it is.
func (l *Ledger) became(tx Tx, m store.Mark, b *batch, r store.Result) {
	if l.ended.Contains(r.Number) {
		return
	}
	one := roaring64.BitmapOf(r.Number)
	l.attempted(tx, m, r)
	to, _ := fateOf(r.Fate)
	if to == waiting {
		l.settle(one)
		return
	}
	l.end(one, to, b.index, m.At)
	tx.PutEnding(r.Number, Ending{Fate: r.Fate, At: m.At, In: b.sequence})
}

// attempted keeps what there is to tell of a copy that did not go at once.
func (l *Ledger) attempted(tx Tx, m store.Mark, r store.Result) {
	p, known := l.progress[r.Number]
	if r.Fate == store.Passed && !known {
		return
	}
	if m.Attempt != "" || r.Reply != p.Reply {
		p.Attempts++
	}
	if r.Fate == store.Waiting && m.Outcome == store.Uncertain {
		p.Uncertain++
	}
	p.Reply, p.Next = r.Reply, r.Next
	l.progress[r.Number] = p
	tx.PutProgress(r.Number, p)
}
