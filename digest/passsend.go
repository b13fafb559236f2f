package digest

import (
	"context"
	"errors"
	"io"

	"lull/store"
)

// passage is one attempt to pass a message on.
type passage struct {
	*turn
	*party
	batch   string
	attempt string // "" until the slots are taken
	aboard  []bool // by place in copies: the mail server accepted the recipient
}

func (t *turn) passage(p *party) *passage {
	return &passage{turn: t, party: p, batch: t.deps.NewID(), aboard: make([]bool, len(p.copies))}
}

// pass makes one attempt to pass a message on to some of its recipients. One
// that the mail server refuses for its long lines travels once more, as an
// attachment.
func (t *turn) pass(ctx context.Context, p *party) error {
	a := t.passage(p)
	if p.kind == store.KindDSN && t.isSated(p.copies[0].Copy.Reader) {
		return a.crowded(ctx)
	}
	body, err := t.queue.Body(ctx, p.message.ID)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrCorrupt) {
		a.unreadable(ctx, err)
		return nil
	}
	if err != nil {
		return err
	}
	sent, ours := t.hand(ctx, p.outgoing(len(p.message.Trace)+len(body)), a.ready(original(p.message.Trace, body)))
	ctx = context.WithoutCancel(ctx)
	if ours != nil || a.attempt == "" || !refusesLines(sent, body) {
		return a.conclude(ctx, sent, ours)
	}
	a.again(ctx, sent)
	if err := t.broken(); err != nil {
		return err
	}
	b := t.passage(a.travellers())
	mail := attached(t.plan, b.batch, p.message, body)
	sent, ours = t.hand(ctx, b.plain(len(mail)), b.ready(original("", mail)))
	return b.conclude(ctx, sent, ours)
}

// outgoing is the envelope as it came.
func (p *party) outgoing(size int) store.Outgoing {
	m := p.message
	mail := store.Outgoing{
		From: m.Envelope.From, Ret: m.Envelope.Ret, EnvID: m.Envelope.EnvID,
		UTF8: m.Envelope.UTF8, EightBit: m.Envelope.EightBit, Size: int64(size),
	}
	for _, e := range p.copies {
		mail.To = append(mail.To, store.Target{Address: e.Copy.To, Notify: e.Copy.Notify, ORcpt: e.Copy.ORcpt})
	}
	return mail
}

// plain is the envelope for a mail of ours with the message inside.
func (p *party) plain(size int) store.Outgoing {
	mail := p.outgoing(size)
	mail.EightBit = false
	return mail
}

// ready takes the slots of those whom the mail server accepted.
func (a *passage) ready(body io.Reader) func(context.Context, []int) (io.Reader, error) {
	return func(ctx context.Context, accepted []int) (io.Reader, error) {
		now, gate := a.now()
		id := a.deps.NewID()
		begin := store.Begin{
			ID: id, Term: a.term, At: now, Gate: gate, Batch: a.batch, Limit: a.limit(),
			Cut: &store.Cut{ID: a.batch, Term: a.term, At: now, Kind: a.kind},
		}
		for _, i := range accepted {
			c := a.copies[i].Copy
			begin.Cut.Numbers = append(begin.Cut.Numbers, c.Number)
			begin.Seats = append(begin.Seats, store.Seat{Reader: c.Reader, To: c.To, Tag: tagOf(a.message)})
		}
		if err := a.queue.Begin(context.WithoutCancel(ctx), begin); err != nil {
			return nil, err
		}
		a.attempt = id
		for _, i := range accepted {
			a.aboard[i] = true
		}
		return body, nil
	}
}

func (p *passage) limit() store.Limit {
	if p.kind == store.KindDSN {
		return store.Limit{Window: p.Window, Budget: p.DSNs}
	}
	return store.Limit{Window: p.Window, Budget: p.PassBudget}
}

// conclude records what became of each copy.
func (a *passage) conclude(ctx context.Context, sent store.Sent, ours error) error {
	switch {
	case errors.Is(ours, store.ErrNoSlot):
		return a.crowded(ctx)
	case ours != nil:
		return unexpected(ours)
	case a.attempt == "" && (asks(sent.Reply) || beforeMail(sent.Reply)):
		return nil // due until the server is back
	}
	results := make([]store.Result, len(a.copies))
	for i := range results {
		results[i] = a.result(i, sent)
	}
	a.report(ctx, sent, results)
	a.record(ctx, sent, results)
	return nil
}

// again records an attempt that will be made in another form at once.
func (a *passage) again(ctx context.Context, sent store.Sent) {
	now, _ := a.now()
	results := make([]store.Result, len(a.copies))
	for i := range results {
		if results[i] = a.result(i, sent); a.aboard[i] {
			results[i] = store.Result{Number: a.copies[i].Copy.Number, Fate: store.Waiting, Reply: sent.Reply, Next: now}
		}
	}
	a.report(ctx, sent, results)
	a.record(ctx, sent, results)
}

// travellers are the copies that the mail server accepted.
func (a *passage) travellers() *party {
	p := &party{kind: a.kind, message: a.message}
	for i, e := range a.copies {
		if a.aboard[i] {
			p.copies = append(p.copies, e)
		}
	}
	return p
}

// record marks the batch with the results of its copies, and apart from it the
// results of those that were never in it.
func (a *passage) record(ctx context.Context, sent store.Sent, results []store.Result) {
	now, gate := a.now()
	in := store.Mark{Term: a.term, At: now, Gate: gate, Attempt: a.attempt, Batch: a.batch, Outcome: sent.Outcome, Reply: sent.Reply}
	out := store.Mark{Term: a.term, At: now, Gate: gate, Outcome: store.Refused, Reply: sent.Reply}
	for i, r := range results {
		if a.aboard[i] {
			in.Results = append(in.Results, r)
		} else {
			out.Results = append(out.Results, r)
		}
	}
	if len(in.Results) > 0 {
		a.mark(ctx, in)
	}
	if len(out.Results) > 0 {
		a.mark(ctx, out)
	}
	a.tell(Event{
		What: Sent, At: now, Kind: a.kind, Message: a.message.ID, Batch: a.batch, Copies: len(a.copies),
		Outcome: sent.Outcome, Reply: sent.Reply, LineEnds: sent.LineEnds, Recoded: sent.Recoded,
	})
}

// unreadable puts off what the store cannot give back: others must not wait
// for it, and an operator should know.
func (a *passage) unreadable(ctx context.Context, err error) {
	now, gate := a.now()
	reply := store.Reply{Text: "the store cannot read this mail", Verdict: store.Retry, At: now}
	sent := store.Sent{Outcome: store.Refused, Reply: reply}
	results := make([]store.Result, len(a.copies))
	for i := range results {
		results[i] = a.result(i, sent)
	}
	a.report(ctx, sent, results)
	a.mark(ctx, store.Mark{Term: a.term, At: now, Gate: gate, Outcome: store.Refused, Reply: reply, Results: results})
	a.tell(Event{What: Failed, At: now, Kind: a.kind, Message: a.message.ID, Copies: len(a.copies), Reply: reply, Err: err})
}

// crowded deals with a budget that others took since it was looked at. A
// report to a sender who had enough of them goes into a digest.
func (a *passage) crowded(ctx context.Context) error {
	now, gate := a.now()
	if a.kind == store.KindDSN {
		var numbers []uint64
		for _, e := range a.copies {
			numbers = append(numbers, e.Copy.Number)
			a.sate(e.Copy.Reader)
		}
		return a.join(ctx, numbers, "one of more reports than the sender gets singly in one window")
	}
	wait := store.Mark{Term: a.term, At: now, Gate: gate, Outcome: store.Refused}
	for _, e := range a.copies {
		wait.Results = append(wait.Results, store.Result{
			Number: e.Copy.Number, Fate: store.Waiting, Reply: e.Progress.Reply, Next: a.queueUp(e),
		})
	}
	a.mark(ctx, wait)
	return nil
}
