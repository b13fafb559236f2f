package digest

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"lull/digest/compose"
	"lull/store"
	"lull/store/filter"
)

// newsLimit bounds how much of a reader's news is looked at in one Step; more
// than manyNews are not looked at in each.
const (
	newsLimit = 10_000
	manyNews  = 100
)

// announcing is what announces a reader's new incidents now: their first mails,
// as far as the bound lets it, or one storm notice. It is nil if nothing does.
func (t *turn) announcing(ctx context.Context, r store.Reader) (work, error) {
	now, gate := t.now()
	if t.muted(r.Name, gate) {
		return nil, nil
	}
	if wait, ok := t.look(r, gate); !ok {
		t.wakeIn(wait)
		return nil, nil
	}
	news, err := t.freshNews(ctx, r)
	if err != nil || len(news) == 0 {
		return nil, err
	}
	used, err := t.queue.Usage(ctx, r.Name, r.To, gate, t.Window)
	if err != nil {
		return nil, err
	}
	if s := t.Storm.Storm(r.Openings, now); s != nil && s.Ended.IsZero() {
		return t.weather(ctx, r, s, used, news)
	}
	chosen := t.choose(r, used, news, now)
	if len(chosen) == 0 {
		return nil, nil
	}
	return func(ctx context.Context, r store.Reader) error { return t.announce(ctx, r, chosen) }, nil
}

// freshNews are the incidents that may be announced: critical ones first, then
// the oldest.
func (t *turn) freshNews(ctx context.Context, r store.Reader) ([]store.News, error) {
	now, gate := t.now()
	news, err := t.queue.News(ctx, r.Name, now, newsLimit)
	if err != nil {
		return nil, err
	}
	news = slices.DeleteFunc(news, func(n store.News) bool { return !t.fresh(n, now, gate) })
	slices.SortStableFunc(news, func(a, b store.News) int { return urgency(a) - urgency(b) })
	return news, nil
}

// fresh reports whether an incident may be announced: its first mail waits,
// came since the start, is not late, and was not taken into the digest because
// the reader had had enough of its kind.
func (t *turn) fresh(n store.News, now time.Time, gate time.Duration) bool {
	e := n.Entry
	return e.Fate == store.Waiting && e.Copy.Silenced == "" && e.Progress.Joined == "" && e.Copy.Number > t.firstNumber() &&
		now.Sub(filter.Sent(e.Message)) <= t.LateAfter && !t.skipped(n.Incident.ID, gate)
}

// choose takes the first of the news, as far as the bound lets us announce them.
func (t *turn) choose(r store.Reader, used store.Usage, news []store.News, now time.Time) []store.News {
	lately := t.Storm.lately(r.Openings, now)
	for i, n := range news {
		wait, ok := t.mayAnnounce(used, n, lately, now)
		if !ok {
			t.wake(now.Add(wait))
			return news[:i]
		}
		used.Gate, used.Notices = used.Gate+1, used.Notices+1
	}
	return news
}

// announce sends first notices, of which the first has leave to go.
func (t *turn) announce(ctx context.Context, r store.Reader, news []store.News) error {
	for i, n := range news {
		if i > 0 {
			if wait, ok := t.reserve(); !ok {
				t.wakeIn(wait)
				return nil
			}
		}
		if goOn, err := t.sendNotice(ctx, r, n); err != nil || !goOn {
			return err
		}
	}
	return nil
}

func urgency(n store.News) int {
	if critical(n.Entry) {
		return 0
	}
	return 1
}

// critical reports whether a mail tells a critical problem.
func critical(e store.Entry) bool {
	for _, r := range e.Message.Reading.Reports {
		if r.State == store.Problem && r.Severity == store.Critical {
			return true
		}
	}
	return false
}

// keptForStorms are the notices that a burst of new incidents leaves: one for
// the storm notice, one for what is critical in the storm.
const keptForStorms = 2

// mayAnnounce reports whether the bound leaves a notice for an incident. The
// last two of a window are not for the first burst: an incident that is not
// critical waits for them a thirtieth of the window, and gets them if by then
// it does not look like a storm. wait says when to look again.
func (t *turn) mayAnnounce(used store.Usage, n store.News, lately int, now time.Time) (wait time.Duration, ok bool) {
	if used.Gate >= t.Budget || used.Notices >= t.Notices {
		return t.tick(), false
	}
	if critical(n.Entry) || used.Notices < t.Notices-keptForStorms {
		return 0, true
	}
	if lately >= t.Storm.Calm {
		return t.tick(), false
	}
	settled := n.Entry.Message.Accepted.Add(t.Window / 30)
	return settled.Sub(now), !settled.After(now)
}

// sendNotice sends the original mail of an incident's first copy, as it was
// received. goOn is false when the next one would fare no better.
func (t *turn) sendNotice(ctx context.Context, r store.Reader, n store.News) (goOn bool, err error) {
	m, c := n.Entry.Message, n.Entry.Copy
	body, err := t.queue.Body(ctx, m.ID)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCorrupt) {
		t.skip(n.Incident.ID) // the digest tells it without its body
		return true, nil
	}
	if err != nil {
		return false, err
	}
	mail := store.Outgoing{
		From: m.Envelope.From, To: []store.Target{{Address: c.To, Notify: []string{"NEVER"}}},
		UTF8: m.Envelope.UTF8, EightBit: m.Envelope.EightBit, Size: int64(len(m.Trace) + len(body)),
	}
	sent, ours := t.sendOnce(ctx, mail, notice{r, c.To, []uint64{c.Number}}, t.deps.NewID(), original(m.Trace, body))
	switch {
	case ours != nil:
		return errors.Is(ours, store.ErrGone), unexpected(ours)
	case sent.Outcome == store.Delivered, sent.Outcome == store.Uncertain:
		return sent.Outcome == store.Delivered, nil
	case asks(sent.Reply), trouble(sent):
		return false, nil
	case sent.Reply.Stage == "rcpt":
		t.mute(r.Name)
		return false, nil
	}
	t.skip(n.Incident.ID) // it was this mail: the digest will tell it
	return true, nil
}

// notice is what a notice is about.
type notice struct {
	reader  store.Reader
	to      string
	numbers []uint64
}

// sendOnce makes the one attempt that a notice gets. It announces the incident
// also when its outcome is unknown: the digest accounts for it anyway.
func (t *turn) sendOnce(ctx context.Context, mail store.Outgoing, n notice, batch string, body io.Reader) (store.Sent, error) {
	attempt := ""
	sent, ours := t.hand(ctx, mail, func(ctx context.Context, _ []int) (io.Reader, error) {
		now, gate := t.now()
		id := t.deps.NewID()
		err := t.queue.Begin(context.WithoutCancel(ctx), store.Begin{
			ID: id, Term: t.term, At: now, Gate: gate, Batch: batch, Seats: []store.Seat{{Reader: n.reader.Name, To: n.to}},
			Limit: store.Limit{Window: t.Window, Budget: t.Budget, Notices: t.Notices},
			Cut:   &store.Cut{ID: batch, Term: t.term, At: now, Kind: store.KindNotice, Reader: n.reader.Name, To: n.to, Numbers: n.numbers},
		})
		if err == nil {
			attempt = id
		}
		return body, err
	})
	now, gate := t.now()
	if attempt != "" {
		t.mark(ctx, store.Mark{Term: t.term, At: now, Gate: gate, Attempt: attempt, Batch: batch, Outcome: sent.Outcome, Reply: sent.Reply, Next: now})
	}
	if ours == nil {
		t.tell(Event{
			What: Sent, At: now, Kind: store.KindNotice, Reader: n.reader.Name, To: n.to, Batch: batch, Copies: len(n.numbers),
			Outcome: sent.Outcome, Reply: sent.Reply, LineEnds: sent.LineEnds, Recoded: sent.Recoded,
		})
	}
	return sent, ours
}

// weather announces a storm once, and in it what is critical, in the slot that
// is kept for that.
func (t *turn) weather(ctx context.Context, r store.Reader, s *compose.Storm, used store.Usage, news []store.News) (work, error) {
	told, err := t.stormTold(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case !told && used.Notices < max(1, t.Notices-1):
		return func(ctx context.Context, r store.Reader) error { return t.sendStorm(ctx, r, s) }, nil
	case used.Notices < t.Notices && critical(news[0].Entry):
		return func(ctx context.Context, r store.Reader) error { return t.announce(ctx, r, news[:1]) }, nil
	}
	return nil, nil
}
