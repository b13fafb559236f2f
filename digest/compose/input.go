package compose

import (
	"time"

	"lull/store"
)

// Input is all that a digest tells. Everything in it belongs to one reader.
type Input struct {
	// ID is the digest's: it becomes the Message-ID "<ID@Host>".
	ID string
	// Host names this instance, in the identity of its digests.
	Host string
	// From is the address that the digest comes from; "" is lull@Host.
	From string
	// Reader is whom the digest is for, To the address it goes to.
	Reader string
	To     string
	// Now is when the digest is composed, which is the time of its cut.
	Now time.Time
	// Since is the cut of the last told digest, zero if there is none, and
	// LastID its id.
	Since  time.Time
	LastID string
	// Window is the time that one digest covers, LateAfter the age from
	// which on a mail is late. Both default to one hour.
	Window    time.Duration
	LateAfter time.Duration
	// Zone is the zone in which times are shown; nil is UTC. It is named
	// in the digest.
	Zone *time.Location
	// Batch is the digest's, Entries are its copies in order of acceptance.
	Batch   store.Batch
	Entries []store.Entry
	// Incidents are those of the copies, as they were at the cut: Copies and
	// Objects in total, Lately the copies in this cut.
	Incidents []store.Incident
	// Notices are the first notices that showed copies of this cut, so that
	// the digest can say when; a notice that is missing is told without.
	Notices []store.Batch
	// Quiet are open incidents that have no copy in this cut: still open, as
	// far as mail tells. They are listed and not counted as copies.
	Quiet []store.Incident
	// Next is when the reader's next digest is due, zero if it is not known.
	Next time.Time
	// Assumed are earlier digests that counted as told without a reply, and
	// Returned those that a report said had not arrived, since the last digest.
	Assumed  []store.Batch
	Returned []store.Batch
	// Level is how much of the mails the digest shows.
	Level Level
	// Storm is set while the reader has a storm, or had one in this window.
	Storm *Storm
	// Causes name incidents that are told together.
	Causes []Cause
	// MaxBytes bounds the mail; 0 is 100 kB. Below MinBytes it counts as MinBytes.
	MaxBytes int
	// Body reads the bytes of a message by its id; nil leaves originals out.
	Body func(message string) ([]byte, error)
}

// Level is how much of the mails a digest shows: a mail server that refuses a
// digest for its content gets the next level.
type Level int

// The levels.
const (
	Full        Level = iota // excerpts, and a few originals attached
	NoOriginals              // excerpts only
	TitlesOnly               // counts and titles, plain text
)

// Storm is a time in which a reader's incidents opened faster than notices can
// announce them.
type Storm struct {
	Began time.Time
	Ended time.Time // zero while it goes on
	// Opened is the number of incidents that opened since it began.
	Opened int
}

// Cause is a set of incidents that probably have one cause. They are told
// together and never merged.
type Cause struct {
	// Title says what they have in common, in a few words.
	Title string
	// Incidents are ids, the earliest first.
	Incidents []string
	// Reasons say why they are taken together, one line each.
	Reasons []string
}

// Told is what a digest claims, for checking against the store.
type Told struct {
	// Copies, Late and Silenced count the copies of the cut. Late ones are
	// those older than LateAfter at Now; Silenced those that a rule silenced.
	Copies, Late, Silenced int
	// Shown counts the copies that notices had shown whole before.
	Shown int
	// Incidents and Objects are those of the cut; Objects is the sum over
	// incidents of what they happen to.
	Incidents, Objects int
	// Open, New and Recovered count incidents.
	Open, New, Recovered int
	// Omitted is what was left out for size.
	Omitted Omitted
	// Bytes is the size of the mail.
	Bytes int
}

// Omitted counts what a digest does not show for its size. Every count in the
// digest includes it.
type Omitted struct {
	// Incidents without a line of their own, and the copies in them.
	Incidents, Copies int
	// Objects that are counted but not named.
	Objects int
	// Originals that were to be attached and were too large.
	Originals int
}

// The bounds of a mail in bytes.
const (
	DefaultBytes = 100_000
	MinBytes     = 16_000
)
