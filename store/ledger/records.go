package ledger

import (
	"iter"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Set is a set of copy numbers.
type Set = roaring64.Bitmap

// Tx is an engine's open transaction: what commands read and write. A write
// that fails is the engine's to remember: its commit then fails, and the store
// stops.
type Tx interface {
	Source
	Writer
}

// Source reads kept records as of one moment. Inside of a Tx it sees what the
// Tx wrote.
type Source interface {
	// Messages yields the kept messages in order of number, from the one
	// that holds copy number from, or else the next. The numbers of a
	// message's copies are consecutive. What it yields is not changed later.
	Messages(from uint64) iter.Seq2[*store.Message, error]
	// Body is the body of the message whose first copy has that number, as
	// received. ErrNotFound when it was dropped.
	Body(first uint64) ([]byte, error)
	// Mail is what PutMail kept for an open batch, nil if nothing.
	Mail(batch string) ([]byte, error)
	// Slots yields the kept slots in order of Began and ID.
	Slots() iter.Seq2[store.Slot, error]
	// Seals yields the seals in order of Sequence.
	Seals() iter.Seq2[store.Seal, error]
	// Close ends a Source that was opened for reading.
	Close()
}

// Writer writes records. Put replaces a record with the same key, Drop removes
// one and does nothing when there is none. What is given is not changed by the
// ledger afterwards, and not by the engine.
type Writer interface {
	// PutMessage keeps a message, by the number of its first copy, in its
	// segment (the number of the segment's first copy). A nil body leaves the body that
	// is kept.
	PutMessage(segment uint64, m *store.Message, body []byte)
	// DropBody removes the body of the message whose first copy has that number.
	DropBody(segment, first uint64)
	// DropSegment removes the segment's messages with their bodies, and
	// progress and endings of the numbers first to last.
	DropSegment(segment, first, last uint64)
	// PutProgress and PutEnding keep what happened to one copy, by number.
	PutProgress(number uint64, p store.Progress)
	PutEnding(number uint64, e Ending)
	// PutBatch keeps a batch, by Sequence. A nil Set leaves the one that is kept.
	PutBatch(b Batch)
	DropBatch(sequence uint64)
	// PutMail keeps the bytes of an open batch, by its id; nil drops them.
	PutMail(batch string, mail []byte)
	// PutOperation keeps an operation, by Sequence. A nil Set leaves the one
	// that is kept.
	PutOperation(o Operation)
	DropOperation(sequence uint64)
	PutMoves(m Moves) // by Sequence
	DropMoves(sequence uint64)
	PutRule(r store.Rule) // by ID
	DropRule(id string)
	PutSlot(s store.Slot) // by ID
	DropSlot(s store.Slot)
	PutReader(r store.Reader) // by Name; only what is kept of it
	DropReader(name string)
	PutIncident(i Incident) // by ID
	DropIncident(id string)
	// PutKey keeps the key of a message that was removed.
	PutKey(k Key)
	DropKey(key string)
	PutSeal(s store.Seal) // by Sequence; never dropped
	PutHead(h Head)
}

// Head is the single record of what belongs to no other.
type Head struct {
	Term      uint64        `cbor:"1,keyasint,omitempty"` // the newest seen
	Gate      time.Duration `cbor:"2,keyasint,omitempty"` // the latest known
	Uncertain uint64        `cbor:"3,keyasint,omitempty"` // attempts of unknown outcome
	Sequence  uint64        `cbor:"4,keyasint,omitempty"` // of the last batch, operation or opening, or less
	Version   uint64        `cbor:"5,keyasint,omitempty"` // of the rules
	// Signatures is the version that incidents were last rekeyed to, 0 if never.
	Signatures int `cbor:"6,keyasint,omitempty"`
}

// Ending is how a single copy ended, other than with a digest.
type Ending struct {
	Fate store.Fate `cbor:"1,keyasint"` // Passed, Bounced or Expired
	At   time.Time  `cbor:"2,keyasint"`
	// In is the batch's sequence, 0 when there was none.
	In uint64 `cbor:"3,keyasint,omitempty"`
}

// Batch is a batch with its copies. Sequence orders batches and operations.
type Batch struct {
	Sequence uint64
	Batch    store.Batch
	Set      *Set
}

// Operation is an operation with the copies it touched. What its standing rule
// caught is told by the copies.
type Operation struct {
	Sequence  uint64
	Operation store.Operation
	Set       *Set
}

// Moves are where a grouping rule's operation took copies to, or, Back, where
// its undo took copies that had come under the rule.
type Moves struct {
	Sequence  uint64 `cbor:"1,keyasint"`
	Operation string `cbor:"2,keyasint"`
	Back      bool   `cbor:"3,keyasint,omitempty"`
	Homes     []Home `cbor:"4,keyasint,omitempty"`
}

// Home is an incident that some copies of another were moved to; By is, of
// those that an undo moved, the operation under whose rule they are now, if any.
type Home struct {
	From string `cbor:"1,keyasint"`
	To   string `cbor:"2,keyasint"`
	Set  *Set   `cbor:"3,keyasint"`
	By   string `cbor:"4,keyasint,omitempty"`
}

// Key is the key of a message, kept for a while after the message.
type Key struct {
	Key string `cbor:"1,keyasint"`
	// Dropped is when the message was removed. Keys of kept messages are
	// told by the messages.
	Dropped time.Time `cbor:"2,keyasint"`
}

// Incident is what must be kept of an incident beside its copies.
type Incident struct {
	ID     string `cbor:"1,keyasint"`
	Reader string `cbor:"2,keyasint"`
	Key    string `cbor:"3,keyasint"`
	// Title, Signature, Format, Recovers and Source are those of the first copy.
	Title     string `cbor:"4,keyasint"`
	Signature string `cbor:"5,keyasint"`
	Format    string `cbor:"6,keyasint,omitempty"`
	Recovers  bool   `cbor:"7,keyasint,omitempty"`
	Source    string `cbor:"18,keyasint,omitempty"`
	// Number is the copy that opened it last, and Opened when. Sequence
	// orders openings: a copy that joined opens later than its number says.
	Sequence  uint64    `cbor:"17,keyasint"`
	Number    uint64    `cbor:"8,keyasint"`
	Opened    time.Time `cbor:"9,keyasint"`
	Again     int       `cbor:"10,keyasint,omitempty"`
	Notice    string    `cbor:"11,keyasint,omitempty"`
	Announced time.Time `cbor:"12,keyasint"`
	// Told is set when a digest told copies of it that were removed, Since
	// when one did that was cut after it opened last. Copies that are kept
	// say the same.
	Told  bool `cbor:"13,keyasint,omitempty"`
	Since bool `cbor:"14,keyasint,omitempty"`
	// Came and Base sum up the copies that retention removed: all of them,
	// and those that had not been purged.
	Came *Tally `cbor:"15,keyasint,omitempty"`
	Base *Tally `cbor:"16,keyasint,omitempty"`
	// Also are the keys under which mail finds it since an upgrade.
	Also []Alias `cbor:"19,keyasint,omitempty"`
	// Split is the operation whose rule opened it with copies of others.
	Split string `cbor:"20,keyasint,omitempty"`
}

// Tally sums up copies of one incident.
type Tally struct {
	Copies  int            `cbor:"1,keyasint"`
	First   time.Time      `cbor:"2,keyasint"`
	Last    time.Time      `cbor:"3,keyasint"`
	Objects []store.Object `cbor:"4,keyasint"`
	// Stated are the times of the reports that gave the objects their states.
	Stated []time.Time `cbor:"7,keyasint"`
	Others int         `cbor:"5,keyasint,omitempty"` // reports about further objects
	// Cleared is when the last object that had a problem recovered.
	Cleared time.Time `cbor:"6,keyasint"`
}
