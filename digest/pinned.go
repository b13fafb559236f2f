package digest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"lull/store"
)

// pinnedWait is how long a digest of unknown outcome waits after so many attempts.
func (p *plan) pinnedWait(attempts int) time.Duration {
	return Backoff{First: p.Window / 20, Max: p.Window}.After(max(attempts, 1))
}

// pinnedNext is when a digest whose first attempt ended so is tried again; zero
// if it is not pinned.
func (p *plan) pinnedNext(now time.Time, o store.Outcome) time.Time {
	if o != store.Uncertain {
		return time.Time{}
	}
	return now.Add(p.pinnedWait(1))
}

// sendPinned tries a digest of unknown outcome again: the same bytes under the
// same Message-ID, in a new slot.
func (t *turn) sendPinned(ctx context.Context, r store.Reader, b store.Batch) error {
	_, mail, err := t.queue.Batch(ctx, b.ID)
	if err != nil {
		return err
	}
	attempt := ""
	sent, ours := t.hand(ctx, t.envelope(b.ID, b.To), func(ctx context.Context, _ []int) (io.Reader, error) {
		now, gate := t.now()
		id := t.deps.NewID()
		err := t.queue.Begin(context.WithoutCancel(ctx), store.Begin{
			ID: id, Term: t.term, At: now, Gate: gate, Batch: b.ID, Seats: []store.Seat{{Reader: b.Reader, To: b.To}},
			Limit: store.Limit{Window: t.Window, Budget: t.Budget, Notices: t.Notices},
		})
		if err != nil {
			return nil, err
		}
		attempt = id
		return bytes.NewReader(mail), nil
	})
	ctx = context.WithoutCancel(ctx)
	now, gate := t.now()
	if attempt == "" && (ours != nil || asks(sent.Reply) || beforeMail(sent.Reply)) {
		t.wakeIn(t.tick())
		return unexpected(ours)
	}
	t.mark(ctx, store.Mark{
		Term: t.term, At: now, Gate: gate, Attempt: attempt, Batch: b.ID, Outcome: sent.Outcome, Reply: sent.Reply,
		Next: now.Add(t.pinnedWait(b.Attempts)),
	})
	t.tell(Event{
		What: Sent, At: now, Kind: store.KindDigest, Reader: b.Reader, To: b.To, Batch: b.ID, Copies: b.Copies,
		Outcome: sent.Outcome, Reply: sent.Reply,
	})
	return t.afterPinned(ctx, r, b, sent)
}

// afterPinned draws from an attempt what it says about the reader.
func (t *turn) afterPinned(ctx context.Context, r store.Reader, b store.Batch, sent store.Sent) error {
	switch reply := sent.Reply; {
	case sent.Outcome == store.Delivered:
		t.told(b.Reader)
	case reply.Stage == "rcpt" && reply.Verdict != store.Retry && reply.Code != 0 && !asks(reply):
		return t.refused(ctx, r, reply)
	}
	return nil
}

// assume counts digests as told that were tried for PinnedFor. The next digest
// says so. It returns those that are still open, by reader.
func (t *turn) assume(ctx context.Context) (map[string]store.Batch, error) {
	pinned := map[string]store.Batch{}
	open, err := t.queue.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open batches: %w", err)
	}
	for _, b := range open {
		if b.Kind != store.KindDigest || !b.Pinned {
			continue
		}
		if t.start.Sub(b.Began) < t.PinnedFor {
			pinned[b.Reader] = b
			continue
		}
		t.mark(ctx, store.Mark{Term: t.term, At: t.start, Gate: t.gate, Batch: b.ID, Outcome: store.Uncertain, Reply: b.Reply, Assumed: true})
		t.tell(Event{What: Assumed, At: t.start, Kind: store.KindDigest, Reader: b.Reader, To: b.To, Batch: b.ID, Copies: b.Copies, Reply: b.Reply})
	}
	return pinned, t.broken()
}
