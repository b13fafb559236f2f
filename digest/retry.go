package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lull/digest/compose"
	"lull/store"
	"lull/store/filter"
)

// due plans the reader's next digest for a time that is not on the schedule:
// what could not be told is told when it can, but not later than scheduled.
func (d *try) due(ctx context.Context, at time.Time) {
	d.setOverdue(d.reader.Name, true)
	now, _ := d.now()
	if next := d.planned(d.reader.Name, now); !next.IsZero() && next.Before(at) {
		at = next
	}
	d.failFor(d.reader.Name, d.queue.Plan(ctx, store.Plan{Reader: d.reader.Name, To: d.reader.To, Next: at}))
	d.wake(at)
}

// lower lets the next digest show less, as the mail server refused the content
// of this one. When nothing less is left an operator must look, and the next
// is due by the schedule.
func (d *try) lower(ctx context.Context, r store.Reply) {
	now, _ := d.now()
	if d.level < compose.TitlesOnly {
		d.setLevel(d.reader.Name, d.level+1)
		d.due(ctx, now.Add(d.tick()))
		return
	}
	err := fmt.Errorf("the mail server refuses the digests of %s in every form: %v", d.reader.Name, r)
	d.tell(Event{What: Failed, At: now, Kind: store.KindDigest, Reader: d.reader.Name, To: d.reader.To, Batch: d.batch, Copies: d.copies, Reply: r, Err: err})
	d.due(ctx, now.Add(d.Window))
	d.setOverdue(d.reader.Name, false) // notices may still get through
}

// A reader who is refused is tried again after as long as it has been going
// on, at least refusedFirst and at most refusedMax windows.
const (
	refusedFirst = 1. / 20
	refusedMax   = 6
)

// refused records that the mail server does not take mail for a reader. After
// SuspendAfter of that the waiting copies expire, by an operation that can be
// undone.
func (t *turn) refused(ctx context.Context, r store.Reader, why store.Reply) error {
	now, _ := t.now()
	since := r.Refused
	if since.IsZero() || since.After(now) {
		since = now
	}
	window := float64(t.Window)
	wait := max(min(now.Sub(since), time.Duration(refusedMax*window)), time.Duration(refusedFirst*window))
	err := t.queue.Refuse(ctx, store.Refuse{Term: t.term, At: now, Reader: r.Name, Reply: why, Next: now.Add(wait)})
	t.wake(now.Add(wait))
	t.tell(Event{What: Refused, At: now, Reader: r.Name, To: r.To, Reply: why, Until: now.Add(wait)})
	if err != nil || now.Sub(since) < t.SuspendAfter {
		return err
	}
	return t.suspend(ctx, r, why)
}

// suspend gives up what waits for a reader.
func (t *turn) suspend(ctx context.Context, r store.Reader, why store.Reply) error {
	now, _ := t.now()
	f, err := t.waitingFilter(ctx, r.Name)
	if err != nil || f == "" {
		return err
	}
	op, err := t.queue.Operate(ctx, store.Operate{
		ID: t.deps.NewID(), Term: t.term, At: now, Kind: store.OpExpire, By: "lull", Filter: f,
		Reason: fmt.Sprintf("the mail server has refused %s since %s: %v", r.To, r.Refused.UTC().Format("2006-01-02 15:04"), why),
	})
	if errors.Is(err, store.ErrNothing) {
		return nil
	}
	if err == nil {
		t.tell(Event{What: Suspended, At: now, Reader: r.Name, To: r.To, Copies: op.Copies, Batch: op.ID, Reply: why})
	}
	return err
}

// readerFilter is the filter for the alerts that wait for one reader; ok is
// false if the language cannot name the reader alone.
func readerFilter(name string) (f string, ok bool) {
	parsed, err := filter.ParseArgs([]string{"--reader=" + name, "--class=alert", "--fate=waiting"})
	return parsed.String(), err == nil && !strings.Contains(name, "*")
}

// waitingFilter selects the alerts that wait for one reader: by id, as far as
// a filter may be long, where the reader cannot be named. It is empty when
// nothing waits.
func (t *turn) waitingFilter(ctx context.Context, reader string) (string, error) {
	if f, ok := readerFilter(reader); ok {
		return f, nil
	}
	entries, err := t.waiting(ctx, reader)
	if err != nil {
		return "", err
	}
	var ids strings.Builder
	for _, e := range entries {
		if ids.Len() > filter.MaxLength/2 {
			break
		}
		ids.WriteString(" --id " + e.ID())
	}
	return strings.TrimSpace(ids.String()), nil
}

// waiting are the alert copies that wait for a reader.
func (t *turn) waiting(ctx context.Context, reader string) ([]store.Entry, error) {
	f, ok := readerFilter(reader)
	if !ok {
		f = "--class alert --fate waiting"
	}
	var entries []store.Entry
	for e, err := range t.queue.Copies(ctx, store.Query{Filter: f, At: t.start}) {
		if err != nil {
			return nil, err
		}
		if e.Copy.Reader == reader {
			entries = append(entries, e)
		}
	}
	return entries, nil
}
