package digest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// input is all that a digest of this cut tells.
func (d *try) input(ctx context.Context, taken store.Taken) (compose.Input, error) {
	var entries []store.Entry
	for e, err := range d.queue.Copies(ctx, store.Query{Batch: d.batch}) {
		if err != nil {
			return compose.Input{}, err
		}
		entries = append(entries, e)
	}
	return d.inputOf(ctx, d.reader, taken, entries, d.level)
}

// inputOf is the same for entries that may only wait.
func (t *turn) inputOf(ctx context.Context, r store.Reader, taken store.Taken, entries []store.Entry, level compose.Level) (compose.Input, error) {
	now := taken.Batch.At
	in := compose.Input{
		ID: taken.Batch.ID, Host: t.Host, From: t.From, Reader: r.Name, To: r.To,
		Now: now, Since: r.Last, LastID: r.LastID, Window: t.Window, LateAfter: t.LateAfter,
		Zone:  t.scheduleOf(r.Name).Zone(),
		Batch: taken.Batch, Incidents: taken.Incidents, Entries: entries,
		Next: t.planned(r.Name, now), Level: level, MaxBytes: t.MaxBytes,
		Storm: t.stormIn(r, now),
		Body:  func(message string) ([]byte, error) { return t.queue.Body(ctx, message) },
	}
	var err error
	if in.Assumed, in.Returned, err = t.earlier(ctx, r); err != nil {
		return in, err
	}
	if err := t.announced(ctx, &in); err != nil {
		return in, err
	}
	if err := t.stillOpen(ctx, &in); err != nil {
		return in, err
	}
	in.Causes = t.causes(in)
	return in, nil
}

// causes finds what probably has one cause. It is an extra: what a stranger
// sent must not end the engine for it.
func (t *turn) causes(in compose.Input) (found []compose.Cause) {
	defer func() {
		if p := recover(); p != nil {
			found = nil
			t.tell(Event{What: Failed, At: in.Now, Kind: store.KindDigest, Reader: in.Reader, Batch: in.ID, Err: fmt.Errorf("looking for causes: %v", p)})
		}
	}()
	return Causes(in)
}

// stormIn is the storm that goes on at now or ended within the window that the
// digest tells.
func (t *turn) stormIn(r store.Reader, now time.Time) *compose.Storm {
	s := t.Storm.Storm(r.Openings, now)
	if s != nil && !s.Ended.IsZero() && s.Ended.Before(now.Add(-t.Window)) {
		return nil
	}
	return s
}

// earlier finds the digests that counted as told without a reply, or came
// back, since the last one that was told.
func (t *turn) earlier(ctx context.Context, r store.Reader) (assumed, returned []store.Batch, err error) {
	for b, err := range t.queue.Batches(ctx, r.Name) {
		if err != nil {
			return nil, nil, err
		}
		if b.Kind != store.KindDigest {
			continue
		}
		if b.Assumed && b.Ended.After(r.Last) {
			assumed = append(assumed, b)
		}
		if b.Returned.After(r.Last) {
			returned = append(returned, b)
		}
	}
	return assumed, returned, nil
}

// hasEarlier reports whether the reader must be told of earlier digests.
func (d *try) hasEarlier(ctx context.Context) (bool, error) {
	assumed, returned, err := d.earlier(ctx, d.reader)
	return len(assumed)+len(returned) > 0, err
}

// announced finds the first notices that showed copies of the cut.
func (t *turn) announced(ctx context.Context, in *compose.Input) error {
	seen := map[string]bool{"": true}
	for _, e := range in.Entries {
		if seen[e.Shown] {
			continue
		}
		seen[e.Shown] = true
		b, _, err := t.queue.Batch(ctx, e.Shown)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		in.Notices = append(in.Notices, b)
	}
	return nil
}

// stillOpen finds the open incidents of which the cut has nothing.
func (t *turn) stillOpen(ctx context.Context, in *compose.Input) error {
	told := map[string]bool{}
	for _, i := range in.Incidents {
		told[i.ID] = true
	}
	for i, err := range t.queue.Incidents(ctx, in.Reader, in.Now) {
		if err != nil {
			return err
		}
		if !told[i.ID] && i.Open() && i.Before && i.State() == store.Problem {
			in.Quiet = append(in.Quiet, i)
		}
	}
	return nil
}

// composed makes the mail; with less in it, if it cannot be made in full. What
// a stranger sent must not end the engine.
func (d *try) composed(in compose.Input) (mail []byte, err error) {
	for ; ; in.Level++ {
		if mail, err = safely(in); err == nil {
			return mail, nil
		}
		d.tell(Event{What: Failed, At: in.Now, Kind: store.KindDigest, Reader: in.Reader, Batch: in.ID, Err: err})
		if in.Level >= compose.TitlesOnly {
			return nil, err
		}
	}
}

func safely(in compose.Input) (mail []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("digest %s for %s could not be made: %v; please report this", in.ID, in.Reader, p)
		}
	}()
	mail, _, err = compose.Mail(in)
	return mail, err
}
