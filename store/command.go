package store

import "time"

// Cut takes copies into a new batch: they are in flight from then on.
type Cut struct {
	// ID is the batch's. The same command again answers with the same batch.
	ID   string
	Term uint64
	At   time.Time
	Kind Kind
	// Reader and To: whose waiting alert copies a digest takes, and where it
	// goes. A cut takes every waiting alert copy of the reader that is in no
	// set yet, whatever its number.
	Reader string
	To     string
	// Numbers are the copies of a notice or of pass mail. All must wait, or
	// nothing is taken (ErrGone).
	Numbers []uint64
	// Next is when the reader's next digest is due (kind digest).
	Next time.Time
}

// Taken is the answer to a Cut.
type Taken struct {
	Batch Batch
	// Incidents are those of the batch's copies, as they were at the cut:
	// the totals that the digest tells. Lately counts the cut's copies.
	Incidents []Incident
}

// Seat is one recipient of an attempt.
type Seat struct {
	Reader string
	To     string // the address; compared case-folded
	Tag    string // pass mail: sender and signature, for the repeat guard
}

// Limit is what a Begin must fit in.
type Limit struct {
	Window time.Duration
	// Budget bounds the slots of the batch's budget (gate or pass) in one
	// window for each seat; 0 is no bound.
	Budget int
	// Notices further bounds the slots of notices.
	Notices int
}

// Begin records slots, one a seat, before the body of a batch is sent.
type Begin struct {
	// ID is the attempt's. The same command again does nothing.
	ID    string
	Term  uint64
	At    time.Time
	Gate  time.Duration
	Batch string
	Seats []Seat
	Limit Limit
	// Body is the digest as it is about to be sent; kept until the outcome
	// is known. Nil leaves what is kept unchanged.
	Body []byte
	// Cut, if set, makes the batch in the same commit.
	Cut *Cut
}

// Mark records how an attempt, or a try that took no slot, ended.
type Mark struct {
	Term uint64
	At   time.Time
	Gate time.Duration
	// Attempt is the Begin's id, "" when there was none (the mail server did
	// not answer, or refused before the body).
	Attempt string
	// Batch may be "" for pass copies that were never cut.
	Batch   string
	Outcome Outcome
	Reply   Reply
	// Results are for pass copies whose result differs from the outcome, and
	// for those that were never cut.
	Results []Result
	// Next is when copies that go back to waiting, or a pinned batch, may be
	// tried again.
	Next time.Time
	// Assumed ends a pinned batch as delivered without a reply.
	Assumed bool
	// Whole ends a digest without a mail: notices had shown every copy.
	Whole bool
}

// Result is what became of one copy. Outside of an attempt, one that waits and
// carries the reply that is kept already only waits longer: that counts as no
// attempt.
type Result struct {
	Number uint64
	Fate   Fate // Passed, Bounced, Expired or Waiting
	Reply  Reply
	Next   time.Time
}

// Refuse records that the mail server refused a reader at RCPT.
type Refuse struct {
	Term   uint64
	At     time.Time
	Reader string
	Reply  Reply
	Next   time.Time
}

// Plan sets when a reader's next digest is due.
type Plan struct {
	Reader string
	To     string
	Next   time.Time
}

// Rekey is a piece of what an upgrade does to incidents: the signatures have
// another version.
type Rekey struct {
	Version int // of the signatures that are made now
	At      time.Time
	Read    []Reread
	// Done: this was the last piece. Later ones for this version change nothing.
	Done bool
}

// Reread is what a kept message is read as now.
type Reread struct {
	Message string // its id
	Reading Reading
}

// Join takes waiting pass copies into the digest (repeat guard).
type Join struct {
	Term    uint64
	At      time.Time
	Numbers []uint64
	Reason  string
}

// Operate is an operator's action. Its set is fixed at its commit: what the
// filter matches and waits or is held, up to number UpTo.
//
// A rule that groups (OpRule, RuleGroup) gives new homes to what it matches:
// alert copies that wait or are held go to the incidents of their new keys,
// and with them every copy of their incidents, and of those that are open, but
// for copies in flight and what retention removed. A key leads to the incident
// that mail of it would find now, else to a new one. New incidents are news
// only if those that they come from are. Counts, objects and states are then
// those of the copies. Undo takes each copy to where it would be without the
// rule, those that came under the rule as well.
type Operate struct {
	ID     string // of the operation; the same command again answers alike
	Term   uint64
	At     time.Time
	Kind   OpKind
	By     string
	Reason string
	// Filter is in the filter language (package filter); ages are relative to At.
	// "" matches everything; whether that is allowed is the caller's to say.
	Filter string
	// UpTo is the highest number that the operator was shown; 0 is no limit.
	UpTo uint64
	// Seen is how many copies the operator was shown; Operation.Left tells
	// how many of them had left since. 0 is not told.
	Seen int
	// Rule, if set, is left standing (hold, purge), or is what the operation
	// is about (rule; for end and extend only ID and Expires matter).
	Rule *Rule
	// Forever purges for good: bodies are deleted, no undo. With a filter
	// that names the fate purged it reaches what is in the trash, too.
	Forever bool
}

// Undo takes an operation back: each copy it touched goes to where it would be
// without it, unless it was told, passed or sent meanwhile. Undoing what is
// undone already changes nothing.
type Undo struct {
	Operation string
	Term      uint64
	At        time.Time
	By        string
}

// Preview is what an Operate would do now.
type Preview struct {
	Copies    int
	InFlight  int
	Highest   uint64
	Readers   map[string]int // copies by reader
	Incidents map[string]int // copies by incident id
	Samples   []Entry        // five, spread over the set
}

// Tend is the housekeeping of one moment: rules that expired end (what they
// still hold is released by an operation), kept gate time is written, and what
// is past retention is sealed and removed.
type Tend struct {
	At   time.Time
	Gate time.Duration
	// NewID gives an id for an operation that tending makes: a prefix; the
	// store appends the rule's id.
	ID string
	// Prune also removes what is past retention.
	Prune bool
}

// Tended is what Tend did.
type Tended struct {
	Operations []Operation
	Sealed     uint64 // copies
}

// Query selects copies. The zero value is all copies of every kept fate, in
// order of acceptance.
type Query struct {
	Filter string    // filter language, "" for all
	At     time.Time // what ages in the filter are relative to
	After  uint64    // only higher numbers
	// Batch, Operation, IDs (of copies or messages), Numbers narrow further.
	Batch     string
	Operation string
	IDs       []string
	Numbers   []uint64
}

// Limits are the store's own numbers; all durations are scaled by the window in trials.
type Limits struct {
	Quiet   time.Duration // incidents without recoveries close after this much quiet
	Longest time.Duration // incidents with recoveries close at the latest
	Again   time.Duration // opening within this of closing is "again"
	Retain  time.Duration // told, passed … copies are kept this long
	Trash   time.Duration // purged copies are kept this long
	Objects int           // exact objects an incident
	// Openings bounds the incidents that one source opens for one reader in
	// one segment, Incidents those that are kept for one reader. What comes
	// beyond goes into one overflow incident, where it is counted and listed
	// like any other mail. 0 is no bound.
	Openings  int
	Incidents int
	Segment   time.Duration // length of an accept interval
}

// DefaultLimits are those of the design, for a window of one hour; other
// windows scale the hour-based ones.
func DefaultLimits(window time.Duration) Limits {
	scale := func(hours float64) time.Duration { return time.Duration(hours * float64(window)) }
	return Limits{
		Quiet: scale(26), Longest: scale(7 * 24), Again: scale(24),
		Retain: scale(7 * 24), Trash: scale(7 * 24), Segment: scale(1),
		Objects: 1000, Openings: 2000, Incidents: 50_000,
	}
}
