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

// Forecast is what a reader gets if nothing changes: mails of one kind.
type Forecast struct {
	Reader string
	Kind   store.Kind // digest, notice or pass
	Mails  int
	Copies int
	At     time.Time // of the first, as far as it is known
	Note   string    // why not sooner
}

// Forecast tells what a reader gets, or all ("").
func (e *Engine) Forecast(ctx context.Context, now time.Time, reader string) ([]Forecast, error) {
	t := e.turn(now)
	if err := t.list(ctx, reader); err != nil {
		return nil, err
	}
	var all []Forecast
	for _, r := range t.readers {
		f, err := t.forecast(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
	}
	return all, nil
}

func (t *turn) list(ctx context.Context, reader string) error {
	if reader != "" {
		r, err := t.queue.Reader(ctx, reader)
		t.readers = []store.Reader{r}
		return err
	}
	for r, err := range t.queue.Readers(ctx) {
		if err != nil {
			return err
		}
		t.readers = append(t.readers, r)
	}
	return nil
}

func (t *turn) forecast(ctx context.Context, r store.Reader) ([]Forecast, error) {
	var all []Forecast
	used, err := t.queue.Usage(ctx, r.Name, r.To, t.gate, t.Window)
	if err != nil {
		return nil, err
	}
	if r.Open != "" {
		b, _, err := t.queue.Batch(ctx, r.Open)
		if err != nil {
			return nil, err
		}
		at, note := t.held(r, used, laterOf(b.Next, t.quietUntil(r.Name)))
		if note == "" {
			note = "sent before, and it is not known whether it arrived"
		}
		all = append(all, Forecast{Reader: r.Name, Kind: store.KindDigest, Mails: 1, Copies: b.Copies, At: at, Note: note})
	}
	if r.Waiting > 0 {
		due := r.Next
		if due.IsZero() {
			due = t.planned(r.Name, t.start)
		}
		at, note := t.held(r, used, due)
		all = append(all, Forecast{Reader: r.Name, Kind: store.KindDigest, Mails: 1, Copies: r.Waiting, At: at, Note: note})
	}
	if r.Pass > 0 {
		at, note := t.held(store.Reader{}, store.Usage{}, t.start)
		all = append(all, Forecast{Reader: r.Name, Kind: store.KindPass, Mails: r.Pass, Copies: r.Pass, At: at, Note: note})
	}
	return all, nil
}

// held is when something due then really goes, and what holds it back.
func (t *turn) held(r store.Reader, used store.Usage, due time.Time) (at time.Time, note string) {
	at = laterOf(due, t.start)
	later := func(when time.Time, why string) {
		if when.After(at) {
			at, note = when, why
		}
	}
	later(r.Retry, "refused: "+r.Reply.String())
	if used.Gate >= t.Budget && used.Free > t.gate {
		later(t.start.Add(used.Free-t.gate), "the bound: no slot is free before")
	}
	t.Engine.mu.Lock()
	defer t.Engine.mu.Unlock()
	if wait := t.pace.until - t.gate; wait > 0 {
		later(t.start.Add(wait), "the mail server does not answer; it is tried again then")
	}
	if t.memo.unwell && r.Name != "" {
		note = "the release check fails; nothing goes before it passes"
	}
	return at, note
}

// Storms names the readers that have a storm, as of the last Step.
func (e *Engine) Storms() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.memo.storms))
}
