package store

import (
	"strconv"
	"time"
)

// Fate is where a copy is. Every accepted copy has exactly one.
type Fate string

// The fates.
const (
	Waiting  Fate = "waiting"   // for a digest, or to be passed on
	Held     Fate = "held"      // by an operation or a standing rule
	InFlight Fate = "in_flight" // in a batch whose outcome is not known yet
	Passed   Fate = "passed"    // relayed as it is
	Told     Fate = "told"      // in a digest, or whole in a notice
	Purged   Fate = "purged"    // by an operation; in the trash until retention removes it
	Bounced  Fate = "bounced"   // refused for good by the mail server
	Expired  Fate = "expired"   // given up after days of refusals, or under disk pressure
)

// Fates lists every fate, in the order in which they are shown.
func Fates() []Fate {
	return []Fate{Waiting, Held, InFlight, Passed, Told, Purged, Bounced, Expired}
}

// Live reports whether a copy of this fate may still be sent.
func (f Fate) Live() bool { return f == Waiting || f == Held || f == InFlight }

// Entry is one copy as a list shows it: with its message, and where it is.
type Entry struct {
	Message *Message // shared between entries; not to be changed
	Copy    Copy
	Fate    Fate
	// In is the batch or operation that gave the copy its fate, if any.
	In string
	// Shown is the notice (a batch) that showed this copy whole, if any.
	Shown    string
	Progress Progress
}

// ID is the copy's id, "<message>.<index>".
func (e Entry) ID() string { return CopyID(e.Message.ID, e.Copy.Index) }

// CopyID builds the id of a copy.
func CopyID(message string, index int) string { return message + "." + strconv.Itoa(index) }

// Progress is what happened to a copy that could not be sent yet, or that
// changed its class at the gate.
type Progress struct {
	Attempts  int       `cbor:"1,keyasint,omitempty"`
	Uncertain int       `cbor:"2,keyasint,omitempty"` // attempts of unknown outcome
	Next      time.Time `cbor:"3,keyasint"`           // not before
	Reply     Reply     `cbor:"4,keyasint"`           // the last
	// Joined is the reason why a pass copy was taken into the digest.
	Joined string `cbor:"5,keyasint,omitempty"`
}

// Kind is what a batch is.
type Kind string

// The kinds of batches. Digests and notices take slots from the reader's
// budget, pass mail from the pass budget, DSNs from their own.
const (
	KindDigest Kind = "digest"
	KindNotice Kind = "notice" // first notice: it announces, it does not account
	KindPass   Kind = "pass"
	KindDSN    Kind = "dsn"
)

// Batch is a set of copies that travel in one mail.
type Batch struct {
	ID     string    `cbor:"1,keyasint"`
	Kind   Kind      `cbor:"2,keyasint"`
	Reader string    `cbor:"3,keyasint,omitempty"`
	To     string    `cbor:"4,keyasint,omitempty"`
	At     time.Time `cbor:"5,keyasint"` // of the cut
	Copies int       `cbor:"6,keyasint"`
	// Pinned: an attempt had an unknown outcome; the bytes are kept and sent
	// again as they are.
	Pinned  bool      `cbor:"7,keyasint,omitempty"`
	Began   time.Time `cbor:"8,keyasint"`  // the first attempt
	Next    time.Time `cbor:"9,keyasint"`  // pinned: not before
	Ended   time.Time `cbor:"10,keyasint"` // zero while open
	Outcome Outcome   `cbor:"11,keyasint,omitempty"`
	// Assumed: counted as delivered without a reply, after a day of trying.
	Assumed bool `cbor:"12,keyasint,omitempty"`
	// Whole: no mail was sent, notices had shown every copy.
	Whole bool `cbor:"13,keyasint,omitempty"`
	// Returned: a DSN for this digest came back.
	Returned time.Time `cbor:"14,keyasint"`
	Attempts int       `cbor:"15,keyasint,omitempty"`
	Reply    Reply     `cbor:"16,keyasint"`
	// Incidents are the incidents told in a digest.
	Incidents int `cbor:"17,keyasint,omitempty"`
}

// Open reports whether the batch still holds its copies in flight.
func (b Batch) Open() bool { return b.Ended.IsZero() }

// Slot is the right to make one attempt to send one mail to one reader,
// recorded before it is used. Times are gate time: how long lull has been
// running, over all restarts.
type Slot struct {
	ID      string        `cbor:"1,keyasint"` // "<attempt>" or "<attempt>.<n>"
	Attempt string        `cbor:"2,keyasint"`
	Batch   string        `cbor:"3,keyasint"`
	Kind    Kind          `cbor:"4,keyasint"`
	Reader  string        `cbor:"5,keyasint"`
	To      string        `cbor:"6,keyasint"` // folded address
	Tag     string        `cbor:"7,keyasint,omitempty"`
	Began   time.Duration `cbor:"8,keyasint"`
	Ended   time.Duration `cbor:"9,keyasint,omitempty"`
	Open    bool          `cbor:"10,keyasint,omitempty"`
	At      time.Time     `cbor:"11,keyasint"` // wall time, for people
	Outcome Outcome       `cbor:"12,keyasint,omitempty"`
}

// Counts reports whether the slot is taken at gate time now: while its attempt
// is open, and for one window after it ended.
func (s Slot) Counts(now, window time.Duration) bool {
	return s.Open || s.Ended+window > now
}

// Usage is what of the budgets is taken at one moment.
type Usage struct {
	Gate    int            // digests and notices
	Notices int            // notices alone
	Pass    int            // pass mail
	Tags    map[string]int // pass mail by tag (sender and signature)
	// Free is the gate time at which the oldest gate slot becomes free, zero
	// when an attempt is open or none is taken.
	Free time.Duration
}

// Incident is one incident key for one reader.
type Incident struct {
	ID        string `cbor:"1,keyasint"`
	Reader    string `cbor:"2,keyasint"`
	Key       string `cbor:"3,keyasint"` // the signature's id, unless a rule says otherwise
	Title     string `cbor:"4,keyasint"`
	Signature string `cbor:"5,keyasint"`
	Format    string `cbor:"6,keyasint,omitempty"`
	Recovers  bool   `cbor:"7,keyasint,omitempty"`
	// Opened is when the incident opened, or opened again for the last time.
	Opened time.Time `cbor:"8,keyasint"`
	Again  int       `cbor:"9,keyasint,omitempty"` // times it opened again
	// Closed is when it closed, zero while it is open; as of the time asked for.
	Closed time.Time `cbor:"10,keyasint"`
	// Copies counts all copies since the incident began that were not purged.
	Copies int       `cbor:"11,keyasint"`
	First  time.Time `cbor:"12,keyasint"`
	Last   time.Time `cbor:"13,keyasint"`
	// Objects are exact up to the store's limit, the busiest of the rest
	// are dropped into Others; ObjectCount is exact as long as Others is 0.
	Objects     []Object `cbor:"14,keyasint"`
	ObjectCount int      `cbor:"15,keyasint"`
	Others      int      `cbor:"16,keyasint,omitempty"` // reports about objects beyond the limit
	// Notice is the batch of the first notice that announced this incident.
	Notice    string    `cbor:"17,keyasint,omitempty"`
	Announced time.Time `cbor:"18,keyasint"`
	// Lately is the number of copies of this incident in the cut, when the
	// incident comes with one.
	Lately int `cbor:"19,keyasint,omitempty"`
	// Before is set when an earlier digest told this incident.
	Before bool `cbor:"20,keyasint,omitempty"`
	// Also are further keys under which mail joins it: those that a later
	// version of the signatures gives to its mail (see Rekey).
	Also []string `cbor:"21,keyasint,omitempty"`
}

// Open reports whether the incident was open at the time asked for.
func (i Incident) Open() bool { return i.Closed.IsZero() }

// State is the worst state of the incident's objects: problem before notice
// before recovery.
func (i Incident) State() State {
	worst := Recovery
	for _, o := range i.Objects {
		if o.State == Problem {
			return Problem
		}
		if o.State == Notice {
			worst = Notice
		}
	}
	return worst
}

// Object is one thing that an incident happens to.
type Object struct {
	Name     string    `cbor:"1,keyasint,omitempty"`
	State    State     `cbor:"2,keyasint"` // by the latest report
	Kind     string    `cbor:"3,keyasint,omitempty"`
	Severity Severity  `cbor:"4,keyasint,omitempty"`
	Reports  int       `cbor:"5,keyasint"`
	First    time.Time `cbor:"6,keyasint"`
	Last     time.Time `cbor:"7,keyasint"`
	Since    time.Time `cbor:"8,keyasint"`           // in this state since
	Problems int       `cbor:"9,keyasint,omitempty"` // changes to problem: more than two within an hour is flapping
}

// Reader is the state of one reader.
type Reader struct {
	Name    string    `cbor:"1,keyasint"`
	To      string    `cbor:"2,keyasint"` // the address as last written, or as configured
	Next    time.Time `cbor:"3,keyasint"` // the next digest, as planned
	Last    time.Time `cbor:"4,keyasint"` // the cut of the last digest that was told
	LastID  string    `cbor:"5,keyasint,omitempty"`
	Refused time.Time `cbor:"6,keyasint"` // refused at RCPT since, zero when not
	Reply   Reply     `cbor:"7,keyasint"` // the last refusal
	Retry   time.Time `cbor:"8,keyasint"` // not before
	// Rejected counts digests in a row that were refused for their content.
	Rejected int `cbor:"9,keyasint,omitempty"`
	// Waiting, Pass, Held and News are counted, not kept.
	Waiting int `cbor:"-"` // alert copies
	Pass    int `cbor:"-"`
	Held    int `cbor:"-"`
	News    int `cbor:"-"` // incidents that opened and were neither announced nor told
	// Pinned is the open digest of unknown outcome, if any; Open the batch
	// of kind digest that is open, pinned or not.
	Pinned string `cbor:"-"`
	Open   string `cbor:"-"`
	// Openings are the times at which the last incidents opened (at most 256).
	Openings []time.Time `cbor:"-"`
}

// News is an incident that opened and was not announced, with its first copy.
type News struct {
	Incident Incident
	Entry    Entry
}

// OpKind is what an operation does.
type OpKind string

// The kinds of operations.
const (
	OpHold    OpKind = "hold"
	OpRelease OpKind = "release" // ends holds: copies go to the next digest
	OpPurge   OpKind = "purge"   // into the trash
	OpExpire  OpKind = "expire"  // given up: by the engine, or under disk pressure
	OpRule    OpKind = "rule"    // adds a standing rule; one that groups moves what is there to its incidents
	OpEnd     OpKind = "end"     // ends a standing rule before its time
	OpExtend  OpKind = "extend"  // moves a standing rule's expiry
)

// Operation is one operator action with the exact set of copies it touched.
type Operation struct {
	ID     string    `cbor:"1,keyasint"`
	Kind   OpKind    `cbor:"2,keyasint"`
	By     string    `cbor:"3,keyasint"`
	At     time.Time `cbor:"4,keyasint"`
	Reason string    `cbor:"5,keyasint,omitempty"`
	Filter string    `cbor:"6,keyasint,omitempty"`
	// Copies, Readers and Incidents count the set as fixed at the commit;
	// Caught counts what a standing rule added since.
	Copies    int `cbor:"7,keyasint"`
	Readers   int `cbor:"8,keyasint"`
	Incidents int `cbor:"9,keyasint"`
	Caught    int `cbor:"10,keyasint,omitempty"`
	// InFlight counts what matched but was in flight and was left alone; Left
	// what a token had shown and had left since.
	InFlight int    `cbor:"11,keyasint,omitempty"`
	Left     int    `cbor:"12,keyasint,omitempty"`
	Rule     string `cbor:"13,keyasint,omitempty"` // the standing rule it left or changed
	Forever  bool   `cbor:"14,keyasint,omitempty"` // cannot be undone
	// Undone is when it was undone, zero if not, and by whom.
	Undone   time.Time `cbor:"15,keyasint"`
	UndoneBy string    `cbor:"16,keyasint,omitempty"`
	// Before is the expiry that an extend or end replaced, for its undo.
	Before time.Time `cbor:"17,keyasint"`
	// Moves are where a grouping rule took copies that had come before it:
	// at most 20, those of the most copies, of Moved in all.
	Moves []Move `cbor:"18,keyasint,omitempty"`
	Moved int    `cbor:"19,keyasint,omitempty"`
	// Gone counts what of a purge others deleted for good since.
	Gone int `cbor:"-"`
}

// Move is that copies of one incident became copies of another.
type Move struct {
	Reader string `cbor:"1,keyasint"`
	From   string `cbor:"2,keyasint"` // incident
	To     string `cbor:"3,keyasint"` // incident
	Copies int    `cbor:"4,keyasint"`
}

// RuleKind is what a standing rule does with what it matches.
type RuleKind string

// The kinds of rules.
const (
	RuleHold    RuleKind = "hold"
	RulePurge   RuleKind = "purge"
	RuleSilence RuleKind = "silence" // no first notice; one counted line in the digest
	RuleGroup   RuleKind = "group"   // maps to an incident key
)

// Rule is a standing instruction with expiry.
type Rule struct {
	ID      string    `cbor:"1,keyasint"`
	Kind    RuleKind  `cbor:"2,keyasint"`
	Filter  string    `cbor:"3,keyasint"`
	By      string    `cbor:"4,keyasint"`
	Reason  string    `cbor:"5,keyasint,omitempty"`
	Created time.Time `cbor:"6,keyasint"`
	Expires time.Time `cbor:"7,keyasint"` // zero: never
	Ended   time.Time `cbor:"8,keyasint"` // zero: not yet
	// Operation is the one that left the rule.
	Operation string `cbor:"9,keyasint"`
	// Key is the template of the incident key of a group rule:
	// "{signature}", "{object}", "{from}", "{client}", "{id}", "{1}" or
	// names of captures.
	Key     string `cbor:"10,keyasint,omitempty"`
	Version uint64 `cbor:"11,keyasint"`
	Caught  int    `cbor:"-"`
}

// Active reports whether the rule applies at the given time.
func (r Rule) Active(at time.Time) bool {
	return r.Ended.IsZero() && (r.Expires.IsZero() || at.Before(r.Expires))
}

// Status is the whole at a glance. Counts are copies; sealed ones included.
type Status struct {
	Accepted      uint64
	Fates         map[Fate]uint64
	IncidentsOpen int
	Readers       int
	Oldest        time.Time // acceptance of the oldest waiting copy
	Gate          time.Duration
	Term          uint64
	Bytes         int64 // on disk
	Uncertain     uint64
}

// Audit is what a recount found. Accepted = the sum of ByFate and Sealed when
// Differences is empty.
type Audit struct {
	Accepted uint64
	ByFate   map[Fate]uint64 // kept
	Sealed   map[Fate]uint64 // removed by retention, from the sealed totals
	// Differences names each thing that does not add up.
	Differences []string
}

// Seal is the total of what retention removed, for one day and fate, chained.
type Seal struct {
	Sequence uint64          `cbor:"1,keyasint"`
	Day      string          `cbor:"2,keyasint"` // of acceptance, UTC
	First    uint64          `cbor:"3,keyasint"` // numbers
	Last     uint64          `cbor:"4,keyasint"`
	Counts   map[Fate]uint64 `cbor:"5,keyasint"`
	Previous []byte          `cbor:"6,keyasint"` // SHA-256 of the seal before
	At       time.Time       `cbor:"7,keyasint"`
}
