package digest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"lull/digest/compose"
	"lull/store"
)

// try is one attempt to send one digest.
type try struct {
	*turn
	reader  store.Reader
	batch   string // the digest's id
	attempt string // "" until the slot is taken
	level   compose.Level
	copies  int // 0 until the cut
	success []store.Entry
}

// errWhole ends a digest that needs no mail.
var errWhole = errors.New("notices have shown every copy")

// sendDigest makes one attempt to tell a reader what waits. err says why the
// reader was not told.
func (t *turn) sendDigest(ctx context.Context, r store.Reader) (id string, err error) {
	d := &try{turn: t, reader: r, batch: t.deps.NewID(), level: t.levelOf(r)}
	if err := d.shown(ctx); err != nil {
		if errors.Is(err, errWhole) {
			err = nil
		}
		return d.batch, err
	}
	sent, ours := t.hand(ctx, t.envelope(d.batch, r.To), d.ready)
	return d.batch, d.conclude(context.WithoutCancel(ctx), sent, ours)
}

// envelope is that of a digest: a report about it comes back to us, when it
// failed.
func (p *plan) envelope(id, to string) store.Outgoing {
	return store.Outgoing{
		From: p.returnPath(id), To: []store.Target{{Address: to, Notify: []string{"FAILURE"}}}, Ret: "HDRS", EnvID: id,
	}
}

// returnPath is the envelope sender of a digest: what comes back to it names
// the digest.
func (p *plan) returnPath(id string) string {
	local, domain, ok := strings.Cut(p.from(), "@")
	if !ok {
		domain = p.Host
	}
	return local + "+" + id + "@" + domain
}

func (p *plan) from() string {
	if p.From != "" {
		return p.From
	}
	return "lull@" + p.Host
}

// shown settles a digest without asking the mail server when all that waits may
// have been shown by notices. errWhole: it had been.
func (d *try) shown(ctx context.Context) error {
	if d.reader.Waiting > d.Notices || d.reader.News > 0 {
		return nil
	}
	taken, err := d.cut(ctx)
	if err != nil {
		return err
	}
	if err := d.whole(ctx, taken); err != nil {
		return err
	}
	d.giveBack(ctx, store.Reply{})
	if err := d.broken(); err != nil {
		return err
	}
	d.batch, d.copies = d.deps.NewID(), 0
	return nil
}

// ready makes the digest when the mail server waits for it, so that it tells
// all that came until then.
func (d *try) ready(ctx context.Context, _ []int) (io.Reader, error) {
	taken, err := d.cut(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.whole(ctx, taken); err != nil {
		return nil, err
	}
	in, err := d.input(ctx, taken)
	if err != nil {
		return nil, err
	}
	mail, err := d.composed(in)
	if err != nil {
		return nil, err
	}
	d.success = succeeding(in.Entries)
	return bytes.NewReader(mail), d.begin(ctx, mail)
}

func (d *try) cut(ctx context.Context) (store.Taken, error) {
	now, _ := d.now()
	taken, err := d.queue.Cut(context.WithoutCancel(ctx), store.Cut{
		ID: d.batch, Term: d.term, At: now, Kind: store.KindDigest, Reader: d.reader.Name, To: d.reader.To,
		Next: d.planned(d.reader.Name, now),
	})
	if err == nil {
		d.copies = taken.Batch.Copies
	}
	return taken, err
}

// whole ends the digest if notices have shown every copy, for certain, and
// there is nothing to say about earlier digests.
func (d *try) whole(ctx context.Context, taken store.Taken) error {
	shown, replies := map[string][]store.Entry{}, map[string]store.Reply{} // by notice; of the copies those whose senders want to know
	for e, err := range d.queue.Copies(ctx, store.Query{Batch: d.batch}) {
		if err != nil {
			return err
		}
		if e.Shown == "" {
			return nil
		}
		shown[e.Shown] = append(shown[e.Shown], succeeding([]store.Entry{e})...)
	}
	for id := range shown {
		notice, _, err := d.queue.Batch(ctx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if notice.Outcome != store.Delivered {
			return nil
		}
		replies[id] = notice.Reply
	}
	if news, err := d.hasEarlier(ctx); err != nil || news {
		return err
	}
	now, gate := d.now()
	d.mark(ctx, store.Mark{Term: d.term, At: now, Gate: gate, Batch: d.batch, Outcome: store.Delivered, Whole: true})
	if err := d.broken(); err != nil {
		return err
	}
	d.tell(Event{What: Whole, At: now, Kind: store.KindDigest, Reader: d.reader.Name, Batch: d.batch, Copies: taken.Batch.Copies})
	for id, asked := range shown {
		d.relayed(ctx, asked, replies[id])
	}
	return errWhole
}

// begin takes the slot and keeps the bytes.
func (d *try) begin(ctx context.Context, mail []byte) error {
	now, gate := d.now()
	id := d.deps.NewID()
	err := d.queue.Begin(context.WithoutCancel(ctx), store.Begin{
		ID: id, Term: d.term, At: now, Gate: gate, Batch: d.batch, Seats: []store.Seat{{Reader: d.reader.Name, To: d.reader.To}},
		Limit: store.Limit{Window: d.Window, Budget: d.Budget, Notices: d.Notices}, Body: mail,
	})
	if err == nil {
		d.attempt = id
	}
	return err
}

// giveBack lets the copies wait again after an attempt that took no slot.
func (d *try) giveBack(ctx context.Context, why store.Reply) {
	now, gate := d.now()
	d.mark(ctx, store.Mark{Term: d.term, At: now, Gate: gate, Batch: d.batch, Outcome: store.Refused, Reply: why})
}

// conclude records what became of the attempt, and plans what follows.
func (d *try) conclude(ctx context.Context, sent store.Sent, ours error) error {
	if errors.Is(ours, errWhole) {
		return nil
	}
	now, gate := d.now()
	switch {
	case d.attempt != "":
		d.mark(ctx, store.Mark{
			Term: d.term, At: now, Gate: gate, Attempt: d.attempt, Batch: d.batch, Outcome: sent.Outcome, Reply: sent.Reply,
			Next: d.pinnedNext(now, sent.Outcome),
		})
	case d.copies > 0:
		d.giveBack(ctx, sent.Reply)
	}
	if ours != nil {
		return d.ours(ctx, ours)
	}
	d.tell(Event{
		What: Sent, At: now, Kind: store.KindDigest, Reader: d.reader.Name, To: d.reader.To, Batch: d.batch,
		Copies: d.copies, Outcome: sent.Outcome, Reply: sent.Reply,
	})
	switch sent.Outcome {
	case store.Delivered:
		d.told(d.reader.Name)
		d.relayed(ctx, d.success, sent.Reply)
		return nil
	case store.Uncertain:
		d.setOverdue(d.reader.Name, false)
		return &refusal{fmt.Sprintf("the outcome of digest %s is not known: %v; it will be sent again as it is", d.batch, sent.Reply)}
	}
	return d.again(ctx, sent.Reply)
}

// ours deals with an attempt that we ended ourselves.
func (d *try) ours(ctx context.Context, err error) error {
	now, _ := d.now()
	switch {
	case errors.Is(err, store.ErrNothing):
		return nil
	case errors.Is(err, store.ErrNoSlot):
		d.due(ctx, now.Add(d.tick()))
	case d.copies > 0:
		d.due(ctx, now.Add(d.Retry.After(d.fault(d.reader.Name))))
	}
	return fmt.Errorf("digest for %s: %w", d.reader.Name, err)
}

// again plans the next attempt after the mail server refused this one.
func (d *try) again(ctx context.Context, r store.Reply) error {
	now, _ := d.now()
	why := &refusal{fmt.Sprintf("digest %s for %s was refused: %v", d.batch, d.reader.Name, r)}
	switch {
	case asks(r), beforeMail(r):
		d.due(ctx, now) // until the server is back
		return why
	case r.Stage == "rcpt" && r.Verdict != store.Retry && r.Code != 0:
		d.due(ctx, now)
		d.failFor(d.reader.Name, d.refused(ctx, d.reader, r))
		return why
	case r.Verdict == store.MailFailed && d.attempt != "":
		d.lower(ctx, r)
		return why
	}
	if r.Permanent() {
		d.tell(Event{What: Failed, At: now, Kind: store.KindDigest, Reader: d.reader.Name, Batch: d.batch, Reply: r, Err: why})
	}
	d.due(ctx, now.Add(d.Retry.After(d.fault(d.reader.Name))))
	return why
}
