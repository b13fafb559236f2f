package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lull/digest/signature"
	"lull/store"
	"lull/store/filter"
)

// piece is how many messages are read again between two commits.
const piece = 256

// upgrade lets mail join the incidents that a lull with other signatures
// opened, before any comes in. Should that fail the mail is taken all the
// same: then incidents that are open may open a second time, and the next
// start tries again.
func (d *daemon) upgrade(ctx context.Context) error {
	began := time.Now()
	read, err := d.rekey(ctx, began)
	switch {
	case errors.Is(err, store.ErrStopped) || ctx.Err() != nil:
		return fmt.Errorf("taking incidents over from an earlier version: %w", err)
	case err != nil:
		d.log.Error("open incidents could not be taken over from an earlier version; mail about them may open them a second time", "err", err)
	case read > 0:
		d.log.Info("open incidents were taken over from an earlier version", "version", signature.Version, "messages", read, "took", time.Since(began))
		d.warnOfRules(ctx, began)
	}
	return nil
}

// rekey reads some mail of each open incident again, and has the store enter
// the incidents under their new keys. It returns how many messages had been
// read by another version.
func (d *daemon) rekey(ctx context.Context, now time.Time) (read int, err error) {
	numbers, needed, err := d.store.Samples(ctx, signature.Version, now)
	if err != nil || !needed {
		return 0, err
	}
	for numbers := range slices.Chunk(numbers, piece) {
		again, err := d.reread(ctx, numbers)
		if err != nil {
			return read, err
		}
		if len(again) == 0 {
			continue
		}
		if err := d.store.Rekey(ctx, store.Rekey{Version: signature.Version, At: now, Read: again}); err != nil {
			return read, err
		}
		read += len(again)
	}
	return read, d.store.Rekey(ctx, store.Rekey{Version: signature.Version, At: now, Done: true})
}

// reread reads the messages of some copies again, where another version read
// them and their bytes are kept.
func (d *daemon) reread(ctx context.Context, numbers []uint64) ([]store.Reread, error) {
	var again []store.Reread
	last := ""
	for e, err := range d.store.Copies(ctx, store.Query{Numbers: numbers}) {
		if errors.Is(err, store.ErrCorrupt) {
			continue // the start has told of it
		}
		if err != nil {
			return nil, err
		}
		m := e.Message
		if m.ID == last || m.Reading.Signature.Version == signature.Version {
			continue
		}
		last = m.ID
		body, err := d.store.Body(ctx, m.ID)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCorrupt) {
			continue
		}
		if err != nil {
			return nil, err
		}
		again = append(again, store.Reread{Message: m.ID, Reading: signature.Read(body)})
	}
	return again, nil
}

// warnOfRules names the rules that decide over mail by a signature, and that
// an upgrade leaves as they are: only who laid them knows whether they mean
// what the new signature holds.
func (d *daemon) warnOfRules(ctx context.Context, now time.Time) {
	for r, err := range d.store.Rules(ctx) {
		if err != nil || r.Kind == store.RuleGroup || !r.Active(now) {
			continue
		}
		if f, err := filter.Parse(r.Filter); err == nil && f.Values("signature") != nil {
			d.log.Warn("this rule names a signature of an earlier version, and does not match the mail to come; look at it, and lay another", "rule", r.ID, "kind", r.Kind, "filter", r.Filter)
		}
	}
}
