package admin

import "time"

// Status is the whole at a glance. Counts are copies since the store began,
// those removed by retention included.
type Status struct {
	Accepted      uint64 `json:"accepted"`
	Waiting       uint64 `json:"waiting"`
	Held          uint64 `json:"held"`
	InFlight      uint64 `json:"in_flight"`
	Passed        uint64 `json:"passed"`
	Told          uint64 `json:"told"`
	Purged        uint64 `json:"purged"`
	Bounced       uint64 `json:"bounced"`
	Expired       uint64 `json:"expired"`
	IncidentsOpen int    `json:"incidents_open"`
	// Storm is set while any reader has one; Storms names those readers.
	Storm  bool     `json:"storm"`
	Storms []string `json:"storms,omitempty"`
	// Smarthost is one word: ok, unreachable, holding (the release check
	// fails), untried or outbox. Note says more.
	Smarthost string `json:"smarthost"`
	Note      string `json:"smarthost_note,omitempty"`
	// Intake is "open", or why no mail is taken.
	Intake  string    `json:"intake"`
	Listen  []string  `json:"listen"`
	Readers int       `json:"readers"`
	Oldest  time.Time `json:"oldest_waiting,omitzero"`
	Next    time.Time `json:"next_digest,omitzero"`
	Started time.Time `json:"started"`
	// Uncertain counts attempts whose outcome was never learnt.
	Uncertain uint64 `json:"uncertain"`
	Disk      int64  `json:"disk_bytes"`
	Free      int64  `json:"disk_free,omitempty"`
	PID       int    `json:"pid"`
	Version   string `json:"version"`
	// SpoolFailed counts what our sendmail left and nobody can take, in the
	// folder Spool.
	SpoolFailed int    `json:"spool_failed"`
	Spool       string `json:"spool,omitempty"`
	// Counters count events since the start, by name.
	Counters map[string]uint64 `json:"counters,omitempty"`
}

// Live is what only the running daemon knows, for Status.
type Live struct {
	Storms    []string
	Smarthost string
	Note      string
	Intake    string
	Listen    []string
	Next      time.Time
	Started   time.Time
	Free      int64
	Version   string
	// Spool and SpoolFailed are as in Status.
	Spool       string
	SpoolFailed int
	Budget      int
	Window      time.Duration
	Counters    map[string]uint64
}

// Copy is one line of a list.
type Copy struct {
	ID        string    `json:"id"`
	Message   string    `json:"message"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Reader    string    `json:"reader"`
	Subject   string    `json:"subject"`
	Accepted  time.Time `json:"accepted"`
	Age       int64     `json:"age"` // seconds
	Class     string    `json:"class"`
	Reason    string    `json:"reason,omitempty"`
	Signature string    `json:"signature"`
	Title     string    `json:"title"`
	Object    string    `json:"object"`
	State     string    `json:"state"`
	Severity  string    `json:"severity,omitempty"`
	Incident  string    `json:"incident"`
	Fate      string    `json:"fate"`
	// In is the digest, notice or operation that gave the copy its fate.
	In      string `json:"in,omitempty"`
	Notice  string `json:"notice,omitempty"` // that showed it whole
	Client  string `json:"client,omitempty"`
	Size    int64  `json:"size"`
	Number  uint64 `json:"number"`
	Grouped string `json:"grouped,omitempty"` // the operation whose rule put it into its incident
	// Attempts and what follows: mail that could not be handed on yet.
	Attempts int       `json:"attempts,omitempty"`
	Retry    time.Time `json:"retry,omitzero"`
	Reply    string    `json:"reply,omitempty"`
}

// Incident is one incident of one reader.
type Incident struct {
	ID        string     `json:"id"`
	Reader    string     `json:"reader"`
	Title     string     `json:"title"`
	Signature string     `json:"signature"`
	State     string     `json:"state"`
	Objects   int        `json:"objects"`
	Copies    int        `json:"copies"`
	First     time.Time  `json:"first"`
	Last      time.Time  `json:"last"`
	Key       string     `json:"key"`
	Format    string     `json:"format,omitempty"`
	Open      bool       `json:"open"`
	Again     int        `json:"again,omitempty"`
	Closed    time.Time  `json:"closed,omitzero"`
	Announced time.Time  `json:"announced,omitzero"`
	Notice    string     `json:"notice,omitempty"`
	Worst     []Affected `json:"worst,omitempty"` // at most ten objects, troubled ones first
}

// Affected is one object of an incident, or one that a message reports about.
type Affected struct {
	Object   string    `json:"object"`
	State    string    `json:"state"`
	Kind     string    `json:"kind,omitempty"`
	Severity string    `json:"severity,omitempty"`
	Reports  int       `json:"reports,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

// Group is one line of a count.
type Group struct {
	Key     string    `json:"key"`
	Copies  int       `json:"copies"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
	Title   string    `json:"title,omitempty"`  // by incident
	Reader  string    `json:"reader,omitempty"` // by incident
	Readers int       `json:"readers"`
}

// Forecast is what a reader gets if nothing changes.
type Forecast struct {
	Reader string    `json:"reader"`
	Mails  int       `json:"mails"`
	Copies int       `json:"copies"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind,omitempty"` // digest, notice or pass
	Note   string    `json:"note,omitempty"` // why not sooner
}

// Detail is one copy with all that is known about it.
type Detail struct {
	Copy
	HeaderFrom string            `json:"header_from,omitempty"`
	MessageID  string            `json:"message_id,omitempty"`
	Sent       time.Time         `json:"sent,omitzero"`
	Helo       string            `json:"helo,omitempty"`
	Auth       string            `json:"auth,omitempty"`
	Hops       int               `json:"hops,omitempty"`
	Marks      []string          `json:"marks,omitempty"`
	Reports    []Affected        `json:"reports,omitempty"`
	Format     string            `json:"format,omitempty"`
	Excerpt    string            `json:"excerpt,omitempty"`
	Options    map[string]string `json:"options,omitempty"` // ret, envid, notify, orcpt
}

// Why explains where a copy is and when it will go. Steps are sentences.
type Why struct {
	ID    string    `json:"id"`
	Fate  string    `json:"fate"`
	Steps []string  `json:"steps"`
	At    time.Time `json:"at,omitzero"` // when it will go, if that is known
}

// Change asks for a hold, a release or a purge, or for a dry run of one.
type Change struct {
	Kind   string `json:"kind"` // hold, release, purge
	Filter string `json:"filter"`
	// All must be set for an empty filter.
	All     bool          `json:"all,omitempty"`
	Reason  string        `json:"reason,omitempty"`
	For     time.Duration `json:"for,omitempty"` // leaves a standing rule, hold and purge only
	Forever bool          `json:"forever,omitempty"`
	// Token acts on what a dry run showed; Kind must agree with it, and
	// Filter, All, For and Forever come from it.
	Token string `json:"token,omitempty"`
	// Act: without it the answer is a dry run.
	Act bool `json:"act,omitempty"`
}

// Changed is the answer to a Change, an undo, or a change of a rule.
type Changed struct {
	Operation string `json:"operation"` // "" for a dry run
	Kind      string `json:"kind"`
	Copies    int    `json:"copies"`
	Incidents int    `json:"incidents"`
	Readers   int    `json:"readers"`
	InFlight  int    `json:"in_flight"`
	Undo      string `json:"undo"` // the command, "" when there is no way back
	DryRun    bool   `json:"dry_run,omitempty"`
	Token     string `json:"token,omitempty"`
	Rule      string `json:"rule,omitempty"`
	Expires   string `json:"expires,omitempty"`
	Left      int    `json:"left,omitempty"`   // shown by the token, and gone since
	Caught    int    `json:"caught,omitempty"` // by the standing rule, since
	Undone    bool   `json:"undone,omitempty"`
	Release   string `json:"release,omitempty"` // the command that lets go what an ended rule holds
	// Moves are where a grouping rule took what was there, most copies first,
	// at most 20 of Moved; Gone is what others deleted for good since.
	Moves []Move `json:"moves,omitempty"`
	Moved int    `json:"moved,omitempty"`
	Gone  int    `json:"gone,omitempty"`
	// Of a dry run: counts by reader and by incident, most first, at most
	// 20 each, and five samples.
	ByReader   []Group `json:"by_reader,omitempty"`
	ByIncident []Group `json:"by_incident,omitempty"`
	Samples    []Copy  `json:"samples,omitempty"`
}

// Move is that copies of one incident became copies of another.
type Move struct {
	Reader    string `json:"reader"`
	From      string `json:"from"` // incident
	To        string `json:"to"`   // incident
	FromTitle string `json:"from_title,omitempty"`
	ToTitle   string `json:"to_title,omitempty"`
	ToKey     string `json:"to_key,omitempty"` // where it is not the signature
	Copies    int    `json:"copies"`
}

// Operation is one line of the record of operations.
type Operation struct {
	Operation string    `json:"operation"`
	Kind      string    `json:"kind"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason"`
	Copies    int       `json:"copies"`
	Undone    bool      `json:"undone"`
	UndoneAt  time.Time `json:"undone_at,omitzero"`
	UndoneBy  string    `json:"undone_by,omitempty"`
	Filter    string    `json:"filter"`
	Caught    int       `json:"caught,omitempty"` // by its standing rule, since
	Readers   int       `json:"readers"`
	Incidents int       `json:"incidents"`
	Rule      string    `json:"rule,omitempty"`
	Forever   bool      `json:"forever,omitempty"`
	Gone      int       `json:"gone,omitempty"` // deleted for good since, by others
	Moves     []Move    `json:"moves,omitempty"`
	Moved     int       `json:"moved,omitempty"`
}

// Rule is a standing instruction.
type Rule struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Filter    string    `json:"filter"`
	Key       string    `json:"key,omitempty"`
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Active    bool      `json:"active"`
	Operation string    `json:"operation"`
	Caught    int       `json:"caught"`
}

// RuleChange adds a rule, or changes one.
type RuleChange struct {
	ID     string        `json:"id,omitempty"`   // of the rule to extend or end
	Kind   string        `json:"kind,omitempty"` // hold, purge, silence, group
	Filter string        `json:"filter,omitempty"`
	All    bool          `json:"all,omitempty"`
	Key    string        `json:"key,omitempty"`
	Reason string        `json:"reason,omitempty"`
	For    time.Duration `json:"for,omitempty"` // from now; 0 is for ever
	// Incidents are those to split (one, by one of Splits) or to merge (into
	// the first): filter and key come from them.
	Incidents []string `json:"incidents,omitempty"`
	By        string   `json:"by,omitempty"`
}

// RuleTested is what a grouping rule would have done with the alerts kept.
type RuleTested struct {
	Filter  string `json:"filter"`
	Key     string `json:"key"`
	Copies  int    `json:"copies"` // looked at
	Matched int    `json:"matched"`
	// Splits are incidents whose mail would have been in several, Merges what
	// would have held mail of several.
	Splits []Regrouped `json:"splits"`
	Merges []Regrouped `json:"merges"`
}

// Regrouped is one key of a reader's incidents, and what it would have been
// split into or merged from.
type Regrouped struct {
	Reader string `json:"reader"`
	Part
	Of    int    `json:"of"`    // parts
	Parts []Part `json:"parts"` // at most 20, those with the most copies
}

// Part is the mail under one key: with the last incident that has it, if any.
type Part struct {
	Key      string `json:"key"`
	Incident string `json:"incident,omitempty"`
	Title    string `json:"title,omitempty"`
	Copies   int    `json:"copies"`
}

// Verified is what a recount found.
type Verified struct {
	Accepted    uint64            `json:"accepted"`
	ByFate      map[string]uint64 `json:"by_fate"` // kept
	Sealed      uint64            `json:"sealed"`
	SealedBy    map[string]uint64 `json:"sealed_by_fate,omitempty"`
	Differences int               `json:"differences"`
	Found       []string          `json:"found,omitempty"`
}

// Bound is the most mails that a reader got in any window, from the slots.
type Bound struct {
	Reader string  `json:"reader"`
	Max    int     `json:"max_in_window"`
	Budget int     `json:"budget"`
	Window float64 `json:"window"` // seconds
	Slots  int     `json:"slots"`
	Over   bool    `json:"over,omitempty"`
}

// Sending asks for a digest now.
type Sending struct {
	Reader string `json:"reader"`
}

// Sent tells what became of it.
type Sent struct {
	Reader  string `json:"reader"`
	Digest  string `json:"digest,omitempty"`
	Copies  int    `json:"copies"`
	Outcome string `json:"outcome"`
	Reply   string `json:"reply,omitempty"`
}
