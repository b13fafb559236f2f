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
	var found store.Batch
	r.locked(func(l *Ledger) {
		if b := l.batches[id]; b != nil {
			found = b.Batch
		}
	})
	if found.ID == "" {
		return found, nil, fmt.Errorf("batch %s: %w", id, store.ErrNotFound)
	}
	var mail []byte
	err := r.source(func(src Source) (err error) {
		mail, err = src.Mail(id)
		return err
	})
	return found, mail, err
}

// Open lists the batches that hold copies in flight.
func (r *Reads) Open(context.Context) ([]store.Batch, error) {
	return r.batches(func(b *batch) bool { return b.Open() }), nil
}

// Batches yields the kept batches of digests and notices, oldest first.
func (r *Reads) Batches(_ context.Context, reader string) iter.Seq2[store.Batch, error] {
	return listed(r.batches(func(b *batch) bool {
		mail := b.Kind == store.KindDigest || b.Kind == store.KindNotice
		return mail && (reader == "" || b.Reader == reader)
	}))
}

func (r *Reads) batches(wanted func(*batch) bool) []store.Batch {
	var found []*batch
	var told []store.Batch
	r.ledger.RLock()
	defer r.ledger.RUnlock()
	for _, b := range r.ledger.batches {
		if wanted(b) {
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b *batch) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, b := range found {
		told = append(told, b.Batch)
	}
	return told
}
