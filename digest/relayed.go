package digest

import (
	"context"
	"slices"

	"lull/store"
)

// succeeding are the copies of a digest whose senders asked to be told of
// success. A digest is the end of their way as far as such reports go.
func succeeding(entries []store.Entry) []store.Entry {
	var asked []store.Entry
	for _, e := range entries {
		if wanted(e.Message, e.Copy, ActionRelayed) {
			asked = append(asked, e)
		}
	}
	return asked
}

// relayed tells senders that their mails went into a digest (RFC 3461 section
// 5.2.2, RFC 3464 section 2.3.3).
func (t *turn) relayed(ctx context.Context, copies []store.Entry, reply store.Reply) {
	if t.deps.Bounce == nil {
		return
	}
	now, _ := t.now()
	for _, group := range byMessage(copies) {
		b := Bounce{Action: ActionRelayed, Message: group[0].Message}
		for _, e := range group {
			b.Copies, b.Replies = append(b.Copies, e.Copy), append(b.Replies, reply)
		}
		if err := t.deps.Bounce(ctx, now, b); err != nil {
			t.tell(Event{What: Failed, At: now, Kind: store.KindDSN, Message: b.Message.ID, Copies: len(group), Err: err})
		}
	}
}

// byMessage groups copies that come one after the other.
func byMessage(copies []store.Entry) [][]store.Entry {
	var groups [][]store.Entry
	for len(copies) > 0 {
		n := slices.IndexFunc(copies, func(e store.Entry) bool { return e.Message.ID != copies[0].Message.ID })
		if n < 0 {
			n = len(copies)
		}
		groups = append(groups, copies[:n])
		copies = copies[n:]
	}
	return groups
}
