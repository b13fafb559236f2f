// Package dsn writes the mails that tell a sender what became of a mail:
// delivery status notifications (RFC 3464) in the report format of RFC 6522.
//
// It is pure: records go in, bytes come out, the same for the same records.
// A person reads the first part, a program the second, which is ASCII in any
// case. The report has octets above 127 only where the mail had them.
package dsn

import (
	"errors"
	"time"

	"lull/store"
)

// Action is what a report tells (RFC 3464 section 2.3.3).
type Action string

// The actions.
const (
	Failed  Action = "failed"  // will not be delivered
	Delayed Action = "delayed" // not delivered yet; it will be tried again
	Relayed Action = "relayed" // handed to a server, or into a digest, that reports no success
)

// Report is what is to be told to the sender of one message about some of its
// recipients, and about no other.
type Report struct {
	Action  Action
	Message *store.Message
	// Copies are those it is about, Replies what the mail server said to
	// each, in the same order.
	Copies  []store.Copy
	Replies []store.Reply
	// Expired is set when a mail failed since time ran out.
	Expired bool
	// Until is, of a delay, when the mail will be given up; may be zero.
	Until time.Time
	// Original is the mail as lull would have passed it on, or at least its
	// header; may be nil.
	Original []byte
	// MaxReturn bounds what of it is returned: if it is longer, the header
	// alone is. 0 is DefaultMaxReturn.
	MaxReturn int

	// Host names this lull (Reporting-MTA), From is the address that the
	// report comes from: both ASCII.
	Host, From string
	// ID, of letters and digits, is unique among all reports.
	ID string
	// Date is the time of the report.
	Date time.Time
}

// DefaultMaxReturn is what of an original is returned: enough for a mail of
// text, and well below what mail servers look at closely.
const DefaultMaxReturn = 64 << 10

// ErrNobody says that there is nobody to tell: the message came from the null
// sender, so it may be a report itself (RFC 5321 section 6.1).
var ErrNobody = errors.New("the sender of the message is the null sender, which is never told anything")

var errIncomplete = errors.New("a report needs a message, copies with one reply each, a host, an address to come from, and an id")

// Write is the report as a mail. Its envelope is the null sender (RFC 3464
// section 2), and the sender of the message as the recipient, with
// NOTIFY=NEVER (RFC 3461 section 5.2.7).
func Write(r Report) ([]byte, error) {
	if r.Message == nil || len(r.Copies) == 0 || len(r.Copies) != len(r.Replies) || r.Host == "" || r.From == "" || r.ID == "" {
		return nil, errIncomplete
	}
	if r.Message.Envelope.From == "" {
		return nil, ErrNobody
	}
	text, back := explanation(r), r.returned()
	w := &writer{boundary: boundary(r.ID, text, back.text)}
	w.header(r, eightBit(text) || eightBit(back.text))
	w.part("text/plain; charset=utf-8", text)
	w.part("message/delivery-status", status(r))
	if len(back.text) > 0 {
		w.part(back.kind, back.text)
	}
	w.line("--" + w.boundary + "--")
	return w.out, nil
}
