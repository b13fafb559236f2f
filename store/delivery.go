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
	Verdict  Verdict   `cbor:"7,keyasint,omitempty" json:"verdict,omitempty"`   // what the reply means for the mail
}

// Verdict is what a reply means for the mail. It is decided where the reply
// was read, since the same code says different things at different stages.
type Verdict string

// The verdicts. The zero value is "nothing stands against it".
const (
	Retry           Verdict = "retry"     // trouble of the server or the way to it: any mail would have met it
	RetryLater      Verdict = "later"     // this mail or recipient was put off
	RecipientFailed Verdict = "recipient" // this recipient will never be taken
	MailFailed      Verdict = "mail"      // this mail will never be taken
	SlowDown        Verdict = "slow"      // the server asks for a lower rate; no fault of the mail
)

// OK reports whether the reply is 2xx.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 300 }

// Permanent reports whether trying again is of no use: by the verdict, or,
// where there is none, for 5xx. A 5xx that is about the server (its greeting,
// our right to use it) is not permanent for the mail.
func (r Reply) Permanent() bool {
	if r.Verdict != "" {
		return r.Verdict == RecipientFailed || r.Verdict == MailFailed
	}
	return r.Code >= 500 && r.Code < 600
}

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
	// DSN is set when the mail server took over the DSN options of the mail
	// (RFC 3461 section 5.2: if not, success is for us to report).
	DSN bool
	// LineEnds counts the bare CR and bare LF that became CRLF on the wire,
	// Recoded is set when the mail was converted for a server without
	// 8BITMIME or SMTPUTF8.
	LineEnds int
	Recoded  bool
}
