package store

import (
	"fmt"
	"time"
)

// Outgoing is the envelope of one mail on its way to the mail server.
type Outgoing struct {
	From       string // "" is the null sender
	To         []Target
	Ret, EnvID string // DSN parameters (RFC 3461), decoded
	UTF8       bool   // needs SMTPUTF8
	EightBit   bool   // body has octets above 127
	Size       int64  // bytes of the body, 0 when it is not known yet
}

// Target is one recipient of an outgoing mail.
type Target struct {
	Address string
	Notify  []string
	ORcpt   string
}

// Outcome is how one attempt to send a mail ended.
type Outcome string

// The outcomes. Only refused says for certain that nothing can arrive and
// that the body was not sent.
const (
	Delivered Outcome = "delivered" // 2xx to the final dot
	Refused   Outcome = "refused"   // ended before the final dot, for whatever reason
	Rejected  Outcome = "rejected"  // 4xx or 5xx to the final dot
	Uncertain Outcome = "unknown"   // the final dot may have been read; no reply came
)

// Reply is what the mail server answered, or why there was no answer.
type Reply struct {
	Code     int       `cbor:"1,keyasint,omitempty" json:"code,omitempty"`      // 0: no reply (network, time-out)
	Enhanced string    `cbor:"2,keyasint,omitempty" json:"enhanced,omitempty"`  // "4.7.1", "" if none (RFC 2034)
	Text     string    `cbor:"3,keyasint,omitempty" json:"text,omitempty"`      // one line, printable
	Stage    string    `cbor:"4,keyasint,omitempty" json:"stage,omitempty"`     // connect, greeting, ehlo, starttls, auth, mail, rcpt, data, body, dot
	At       time.Time `cbor:"5,keyasint" json:"at,omitzero"`                   // when
	SlowDown bool      `cbor:"6,keyasint,omitempty" json:"slow_down,omitempty"` // the server asks for a lower rate
}

// OK reports whether the reply is 2xx.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 300 }

// Permanent reports whether the reply is 5xx.
func (r Reply) Permanent() bool { return r.Code >= 500 && r.Code < 600 }

// String is the reply on one line, for people.
func (r Reply) String() string {
	switch {
	case r.Code == 0:
		return fmt.Sprintf("%s: %s", r.Stage, r.Text)
	case r.Enhanced == "":
		return fmt.Sprintf("%s: %d %s", r.Stage, r.Code, r.Text)
	}
	return fmt.Sprintf("%s: %d %s %s", r.Stage, r.Code, r.Enhanced, r.Text)
}

// Sent is the result of one attempt.
type Sent struct {
	Outcome Outcome
	// Reply is the one that decided the outcome.
	Reply Reply
	// Targets has one reply a recipient, in the order of Outgoing.To: the
	// refusal at RCPT, or the reply to the final dot for those accepted.
	Targets []Reply
}
