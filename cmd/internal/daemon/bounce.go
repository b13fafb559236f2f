package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lull/digest"
	"lull/digest/signature"
	"lull/relay/deliver/dsn"
	"lull/store"
)

// bounce tells a sender what became of pass mail: the report is accepted like
// any other message, from the null sender. Its key keeps a second try, after a
// crash between the report and the mark, from telling it twice.
func (d *daemon) bounce(ctx context.Context, now time.Time, b digest.Bounce) error {
	id := newID()
	body, err := dsn.Write(d.deliveryReport(ctx, id, now, b))
	if errors.Is(err, dsn.ErrNobody) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the report about %s: %w", b.Message.ID, err)
	}
	m := store.Message{
		ID: id, Key: reportKey(b), Accepted: now,
		Envelope: store.Envelope{Client: digest.OwnClient, EightBit: true, UTF8: b.Message.Envelope.UTF8},
		Size:     int64(len(body)), Reading: signature.Read(body),
		Copies: []store.Copy{{
			Index: 1, To: b.Message.Envelope.From, Reader: d.readerOf(b.Message.Envelope.From),
			Class: store.Pass, Reason: "a report to the sender of " + b.Message.ID, Notify: []string{"NEVER"},
		}},
	}
	if err := d.store.Accept(ctx, m, body); err != nil && !errors.Is(err, store.ErrKnown) {
		return fmt.Errorf("the report about %s: %w", b.Message.ID, err)
	}
	d.stir()
	return nil
}

func (d *daemon) deliveryReport(ctx context.Context, id string, now time.Time, b digest.Bounce) dsn.Report {
	cfg := d.settings.Load().config
	engine := engineConfig(cfg)
	r := dsn.Report{
		Action: dsn.Action(b.Action), Message: b.Message, Copies: b.Copies, Replies: b.Replies, Expired: b.Expired,
		Host: engine.Host, From: engine.From, ID: id, Date: now,
	}
	if b.Action == digest.ActionDelayed {
		r.Until = b.Message.Accepted.Add(engine.PassFor)
	}
	// Without its original a report still says all that matters.
	if body, err := d.store.Body(ctx, b.Message.ID); err == nil {
		r.Original = append([]byte(b.Message.Trace), body...)
	}
	return r
}

// reportKey names what a report is about.
func reportKey(b digest.Bounce) string {
	ids := make([]string, len(b.Copies))
	for i, c := range b.Copies {
		ids[i] = store.CopyID(b.Message.ID, c.Index)
	}
	return "report " + string(b.Action) + " " + strings.Join(ids, " ")
}
