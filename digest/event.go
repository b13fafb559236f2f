package digest

import (
	"time"

	"lull/store"
)

// What happened.
type What string

// What an engine tells.
const (
	// Sent: an attempt ended; Outcome, Reply and Copies say how.
	Sent What = "sent"
	// Whole: a digest needed no mail, notices had shown every copy.
	Whole What = "whole"
	// Assumed: a digest of unknown outcome counts as told from now on.
	Assumed What = "assumed"
	// Recovered: an attempt that a former run left open was given an outcome.
	Recovered What = "recovered"
	// Down and Up: the mail server stopped answering, or is back. Slow: it
	// asked for fewer mails.
	Down What = "down"
	Up   What = "up"
	Slow What = "slow"
	// Unhealthy and Healthy: the release check fails, or passes again.
	Unhealthy What = "unhealthy"
	Healthy   What = "healthy"
	// Waits: a mail is due and waits for a slot until Until.
	Waits What = "waits"
	// StormBegan and StormEnded: a reader's incidents open too fast, or no longer.
	StormBegan What = "storm_began"
	StormEnded What = "storm_ended"
	// Refused: a reader was refused at RCPT. Suspended: for so long that the
	// waiting copies expired.
	Refused   What = "refused"
	Suspended What = "suspended"
	// Joined: repeated pass mail goes into the digest.
	Joined What = "joined"
	// Bounced and Expired: pass mail was given up.
	Bounced What = "bounced"
	Expired What = "expired"
	// Failed: an operator should look: a digest that is refused in every
	// form, a report to a sender that could not be made. Err says more.
	Failed What = "failed"
	// Tended: rules expired or copies were sealed.
	Tended What = "tended"
)

// Event is one thing that happened. Fields that say nothing about it are zero.
type Event struct {
	What    What
	At      time.Time
	Kind    store.Kind
	Reader  string
	To      string
	Batch   string
	Message string // of pass mail and notices
	Copies  int
	Outcome store.Outcome
	Reply   store.Reply
	Until   time.Time
	// LineEnds and Recoded are those of [store.Sent].
	LineEnds int
	Recoded  bool
	Err      error
}

// tell passes an event to the hook.
func (e *Engine) tell(ev Event) {
	if e.deps.Event != nil {
		e.deps.Event(ev)
	}
}
