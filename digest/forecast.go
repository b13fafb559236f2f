package digest

import (
	"context"
	"slices"
	"time"

	"lull/store"
)

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

// forecast is what one reader gets: digests, notices, pass mail.
func (t *turn) forecast(ctx context.Context, r store.Reader) ([]Forecast, error) {
	used, err := t.queue.Usage(ctx, r.Name, r.To, t.gate, t.Window)
	if err != nil {
		return nil, err
	}
	var all []Forecast
	if r.Open != "" {
		b, _, err := t.queue.Batch(ctx, r.Open)
		if err != nil {
			return nil, err
		}
		at, note := t.held(r, used, laterOf(b.Next, t.quietUntil(r.Name)))
		if note == "" {
			note = "sent before, and it is not known whether it arrived"
		}
		all = append(all, Forecast{r.Name, store.KindDigest, 1, b.Copies, at, note})
	}
	if r.Waiting > 0 {
		due := r.Next
		if due.IsZero() {
			due = t.planned(r.Name, t.start)
		}
		at, note := t.held(r, used, due)
		all = append(all, Forecast{r.Name, store.KindDigest, 1, r.Waiting, at, note})
	}
	n, err := t.noticesAhead(ctx, r, used)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		at, note := t.held(r, used, t.start)
		all = append(all, Forecast{r.Name, store.KindNotice, n, n, at, note})
	}
	if r.Pass > 0 {
		at, note := t.held(store.Reader{}, store.Usage{}, t.start)
		all = append(all, Forecast{r.Name, store.KindPass, r.Pass, r.Pass, at, note})
	}
	slices.SortStableFunc(all, func(a, b Forecast) int { return a.At.Compare(b.At) })
	return all, nil
}

// noticesAhead is how many first notices the reader gets before the digest.
func (t *turn) noticesAhead(ctx context.Context, r store.Reader, used store.Usage) (int, error) {
	room := min(t.Notices-used.Notices, t.Budget-used.Gate)
	if !t.hasNews(r) || room <= 0 || t.Storm.on(r.Openings, t.start) {
		return 0, nil
	}
	news, err := t.freshNews(ctx, r)
	return min(len(news), room), err
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
