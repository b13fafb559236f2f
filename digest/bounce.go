package digest

import (
	"slices"

	"lull/store"
)

// Action is what a report tells a sender (RFC 3464 section 2.3.3).
type Action string

// The actions.
const (
	ActionFailed  Action = "failed"
	ActionDelayed Action = "delayed"
	ActionRelayed Action = "relayed" // to a server, or into a digest, that reports no success
)

// Bounce is a report to the sender of one message about some of its copies.
type Bounce struct {
	Action  Action
	Message *store.Message
	// Copies are those it is about, Replies what the mail server said to
	// each; Expired is set when it was given up after PassFor.
	Copies  []store.Copy
	Replies []store.Reply
	Expired bool
}

// OwnClient is the Envelope.Client of mail that lull writes itself: reports to
// senders. They travel as pass mail within a budget of their own.
const OwnClient = "lull"

// own reports whether a message is a report of ours.
func own(m *store.Message) bool { return m.Envelope.From == "" && m.Envelope.Client == OwnClient }

// wanted reports whether the sender of a copy is to be told of an action
// (RFC 3461 section 4.1). The null sender is never told anything. Without
// NOTIFY a failure is told, a delay too; success only on demand.
func wanted(m *store.Message, c store.Copy, a Action) bool {
	if m.Envelope.From == "" {
		return false
	}
	switch a {
	case ActionFailed:
		return len(c.Notify) == 0 || slices.Contains(c.Notify, "FAILURE")
	case ActionDelayed:
		return len(c.Notify) == 0 || slices.Contains(c.Notify, "DELAY")
	case ActionRelayed:
		return slices.Contains(c.Notify, "SUCCESS")
	}
	return false
}
