package digest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"lull/digest/compose"
	"lull/store"
)

var errBusy = errors.New("a mail to this reader is being sent just now; try again when it has ended")

// SendNow sends a reader's digest at once, whatever the schedule says. It takes
// a slot as any other. The error says why the reader was not told; it wraps
// [store.ErrNothing], [store.ErrNoSlot], [store.ErrPinned] or [store.ErrNotFound]
// where that is the reason.
func (e *Engine) SendNow(ctx context.Context, now time.Time, reader string) (digestID string, err error) {
	t := e.turn(now)
	release, ok := e.claim(reader)
	if !ok {
		return "", fmt.Errorf("%s: %w", reader, errBusy)
	}
	defer release()
	r, err := e.queue.Reader(ctx, reader)
	if err != nil {
		return "", err
	}
	if err := t.sendable(ctx, r); err != nil {
		return "", err
	}
	id, err := t.sendDigest(ctx, r)
	if err == nil {
		err = t.failure()
	}
	return id, err
}

// sendable says what keeps a reader's digest from being sent now.
func (t *turn) sendable(ctx context.Context, r store.Reader) error {
	switch {
	case r.Open != "":
		return fmt.Errorf("digest %s to %s has an unknown outcome: %w", r.Open, r.Name, store.ErrPinned)
	case r.Waiting == 0:
		return fmt.Errorf("no mail waits for %s: %w", r.Name, store.ErrNothing)
	}
	if t.deps.Healthy != nil {
		if err := t.deps.Healthy(ctx); err != nil {
			return fmt.Errorf("mail does not leave the mail server, so lull gives it none: %w", err)
		}
	}
	until, err := t.slot(ctx, r)
	if errors.Is(err, store.ErrNoSlot) {
		return fmt.Errorf("%s has had %d mails in %v; the next slot is free at %s: %w",
			r.Name, t.Budget, t.Window, until.UTC().Format(time.TimeOnly), err)
	}
	return err
}

// Preview is what a reader's digest would be at now. It takes nothing. The
// error wraps [store.ErrNothing] when nothing waits.
func (e *Engine) Preview(ctx context.Context, now time.Time, reader string) (compose.Input, error) {
	t := e.turn(now)
	r, err := e.queue.Reader(ctx, reader)
	if err != nil {
		return compose.Input{}, err
	}
	entries, err := t.waiting(ctx, reader)
	if err != nil {
		return compose.Input{}, err
	}
	if len(entries) == 0 {
		return compose.Input{}, fmt.Errorf("no mail waits for %s: %w", reader, store.ErrNothing)
	}
	taken := store.Taken{Batch: store.Batch{
		ID: "preview", Kind: store.KindDigest, Reader: r.Name, To: r.To, At: now, Copies: len(entries),
	}}
	lately := map[string]int{}
	for _, c := range entries {
		lately[c.Copy.Incident]++
	}
	for i, err := range e.queue.Incidents(ctx, reader, now) {
		if err != nil {
			return compose.Input{}, err
		}
		if i.Lately = lately[i.ID]; i.Lately > 0 {
			taken.Incidents = append(taken.Incidents, i)
		}
	}
	return t.inputOf(ctx, r, taken, entries, e.levelOf(r))
}

// Storms names the readers that have a storm, as of the last Step.
func (e *Engine) Storms() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.memo.storms))
}
