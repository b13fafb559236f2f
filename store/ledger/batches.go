package ledger

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"lull/store"
)

// Batch is one batch with its kept bytes.
func (r *Reads) Batch(_ context.Context, id string) (store.Batch, []byte, error) {
	var found []store.Batch
	r.locked(func(l *Ledger) { found = l.batchesBy([]string{id}) })
	if len(found) == 0 {
		return store.Batch{}, nil, fmt.Errorf("batch %s: %w", id, store.ErrNotFound)
	}
	var mail []byte
	err := r.source(func(src Source) (err error) {
		mail, err = src.Mail(id)
		return err
	})
	return found[0], mail, err
}

func (l *Ledger) batchesBy(ids []string) []store.Batch {
	var some []store.Batch
	for _, id := range ids {
		if b := l.batches[id]; b != nil {
			some = append(some, b.Batch)
		}
	}
	return some
}

// Open lists the batches that hold copies in flight, oldest first.
func (r *Reads) Open(context.Context) ([]store.Batch, error) {
	var open []store.Batch
	r.locked(func(l *Ledger) {
		var places []rank
		for id := range l.underway {
			places = append(places, rank{l.batches[id].sequence, id})
		}
		open = l.batchesBy(inOrder(places))
	})
	return open, nil
}

// Batches yields the kept batches of digests and notices, oldest first.
func (r *Reads) Batches(_ context.Context, reader string) iter.Seq2[store.Batch, error] {
	return func(yield func(store.Batch, error) bool) {
		var places []rank
		r.locked(func(l *Ledger) { places = l.mails(reader) })
		for ids := range slices.Chunk(inOrder(places), page) {
			var some []store.Batch
			r.locked(func(l *Ledger) { some = l.batchesBy(ids) })
			for _, b := range some {
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

// mails are the digests and notices of a reader, or of all.
func (l *Ledger) mails(reader string) []rank {
	var places []rank
	for id, b := range l.batches {
		mail := b.Kind == store.KindDigest || b.Kind == store.KindNotice
		if mail && (reader == "" || b.Reader == reader) {
			places = append(places, rank{b.sequence, id})
		}
	}
	return places
}

// rank is where something comes in an order that is made without the lock.
type rank struct {
	sequence uint64
	id       string
}

// inOrder are the ids in order.
func inOrder(places []rank) []string {
	slices.SortFunc(places, func(a, b rank) int { return cmp.Compare(a.sequence, b.sequence) })
	ids := make([]string, len(places))
	for k, p := range places {
		ids[k] = p.id
	}
	return ids
}
