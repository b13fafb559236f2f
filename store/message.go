package store

import "time"

// Message is one accepted SMTP transaction: the envelope and what was read
// from the bytes. The bytes themselves are kept apart and read with
// [Store.Body]: they are the bytes as received, without Trace.
type Message struct {
	// ID is a ULID that the relay drew. It sorts by time of acceptance.
	ID string `cbor:"1,keyasint,omitempty"`
	// Key, where set, is unique among all messages kept and for 30 days
	// more (imports: source, spool id and SHA-256). SMTP leaves it empty.
	Key string `cbor:"2,keyasint,omitempty"`
	// Accepted is the wall time at the end of DATA.
	Accepted time.Time `cbor:"3,keyasint"`
	Envelope Envelope  `cbor:"4,keyasint"`
	// Trace is the Received field that the relay adds on the way out, with
	// its final CRLF (RFC 5321 section 4.4).
	Trace string `cbor:"5,keyasint,omitempty"`
	// Size is the length of the body as received, in bytes.
	Size    int64   `cbor:"6,keyasint"`
	Reading Reading `cbor:"7,keyasint"`
	Copies  []Copy  `cbor:"8,keyasint"`
}

// Envelope is what the client said outside of DATA.
type Envelope struct {
	// From is the reverse-path without brackets, "" for the null sender.
	From   string `cbor:"1,keyasint,omitempty"`
	Client string `cbor:"2,keyasint,omitempty"` // IP address, "unix" for a socket
	Helo   string `cbor:"3,keyasint,omitempty"`
	Auth   string `cbor:"4,keyasint,omitempty"` // authenticated user, if any
	TLS    bool   `cbor:"5,keyasint,omitempty"`
	// Ret and EnvID are the DSN parameters of MAIL (RFC 3461), decoded.
	Ret   string `cbor:"6,keyasint,omitempty"`
	EnvID string `cbor:"7,keyasint,omitempty"`
	// UTF8 is set by SMTPUTF8 (RFC 6531), EightBit by BODY=8BITMIME (RFC 6152).
	UTF8     bool `cbor:"8,keyasint,omitempty"`
	EightBit bool `cbor:"9,keyasint,omitempty"`
}

// Copy is one message for one recipient: the unit of every count, fate,
// filter and operation.
type Copy struct {
	// Index counts from 1 within the message; the copy's id is
	// "<message>.<index>".
	Index int `cbor:"1,keyasint"`
	// To is the forward-path as written, without brackets.
	To string `cbor:"2,keyasint"`
	// Notify ("NEVER", or of SUCCESS, FAILURE, DELAY) and ORcpt
	// ("rfc822;…") are the DSN parameters of RCPT (RFC 3461).
	Notify []string `cbor:"3,keyasint,omitempty"`
	ORcpt  string   `cbor:"4,keyasint,omitempty"`
	// Reader is whom the digest is for: derived from To, case-folded.
	Reader string `cbor:"5,keyasint"`
	Class  Class  `cbor:"6,keyasint"`
	// Reason says in a few words why policy chose the class.
	Reason string `cbor:"7,keyasint,omitempty"`
	// Number and the fields below are set by admission.
	Number   uint64 `cbor:"8,keyasint,omitempty"`  // unique, grows; may have gaps
	Incident string `cbor:"9,keyasint,omitempty"`  // id of the incident, "" for pass
	Caught   string `cbor:"10,keyasint,omitempty"` // operation whose standing rule caught it
	Silenced string `cbor:"11,keyasint,omitempty"` // rule that silenced it
	Rules    uint64 `cbor:"12,keyasint,omitempty"` // version of the rules at admission
	// Also are the operations of further standing rules that matched.
	Also []string `cbor:"13,keyasint,omitempty"`
	// Grouped is the operation whose grouping rule it is in its incident for,
	// "" where the signature alone says so.
	Grouped string `cbor:"14,keyasint,omitempty"`
}

// Class is what policy decided for a copy.
type Class string

// The classes.
const (
	Alert Class = "alert" // told in digests, through the gate
	Pass  Class = "pass"  // relayed as it is
)

// Reading is all that was read from the bytes of a message, by a pure function
// of those bytes and the algorithm's version. Every string is valid UTF-8
// without control characters, and bounded.
type Reading struct {
	Signature Signature `cbor:"1,keyasint"`
	// Reports has at least one entry; Reports[0] is the worst, the
	// message's own object and state.
	Reports []Report `cbor:"2,keyasint"`
	Subject string   `cbor:"3,keyasint,omitempty"` // decoded
	From    string   `cbor:"4,keyasint,omitempty"` // header From, decoded, "Name <a@b>"
	// MessageID is the Message-ID field with its brackets. It never
	// identifies a mail: different mails share one.
	MessageID string `cbor:"5,keyasint,omitempty"`
	// Answers is set when In-Reply-To or References names another mail.
	Answers bool `cbor:"6,keyasint,omitempty"`
	// Sent is the time of the oldest Received field, else of Date, else
	// zero. It is what the bytes claim and may lie anywhere.
	Sent time.Time `cbor:"7,keyasint"`
	// Hops is the number of Received fields.
	Hops int `cbor:"8,keyasint,omitempty"`
	// Marks are the marks of automation found: "auto-submitted",
	// "precedence", "list-id", "x-cron-env", "bounce" (a DSN or other
	// report), "x-mailer:monit" … In order of appearance, each once.
	Marks []string `cbor:"9,keyasint,omitempty"`
	// Digest is the id in our own X-Lull-Digest field, Host the instance in it:
	// a digest of a lull that comes back.
	Digest     string `cbor:"10,keyasint,omitempty"`
	DigestHost string `cbor:"11,keyasint,omitempty"`
	// Excerpt is the first informative lines of the decoded text, at most
	// 1 KiB, lines separated by "\n".
	Excerpt string `cbor:"12,keyasint,omitempty"`
}

// Signature says what kind of trouble a message reports.
type Signature struct {
	// ID is "s<version>-" and 26 characters of base32.
	ID string `cbor:"1,keyasint"`
	// Title is for people: the constant words, with masks typed as <time>.
	Title string `cbor:"2,keyasint"`
	// Format is the known format that recognised the message, or "generic".
	Format string `cbor:"3,keyasint"`
	// Source is the domain and role in whose name it was sent; mail of two
	// sources never shares a signature.
	Source string `cbor:"4,keyasint,omitempty"`
	// Core is the canonical text that was hashed.
	Core string `cbor:"5,keyasint,omitempty"`
	// Variant is what was masked or left out, for people: the first
	// informative line of the body, masked.
	Variant string `cbor:"6,keyasint,omitempty"`
	Version int    `cbor:"7,keyasint"`
	// Recovers is set for formats that send a recovery for each problem.
	Recovers bool `cbor:"8,keyasint,omitempty"`
}

// Report is one (object, state, severity, time) that a message tells.
type Report struct {
	Object   string    `cbor:"1,keyasint,omitempty"` // host, job, device, pod; may be empty
	State    State     `cbor:"2,keyasint"`
	Kind     string    `cbor:"3,keyasint,omitempty"` // of a notice: acknowledgement, flapping, downtime, success …
	Severity Severity  `cbor:"4,keyasint,omitempty"`
	Time     time.Time `cbor:"5,keyasint"` // as the report says, or zero
}

// State is how an object is, as a report tells it.
type State string

// The states.
const (
	Problem  State = "problem"
	Recovery State = "recovery"
	Notice   State = "notice" // neither; Report.Kind may say more
)

// Severity of a report. The zero value is "not said".
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Unknown  Severity = "unknown"
	Info     Severity = "info"
)
