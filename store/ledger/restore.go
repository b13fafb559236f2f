package ledger

import "lull/store"

// Restore rebuilds a ledger from kept records: first everything but messages,
// in any order, then Message for every kept message in order of number, then
// Finish. (The interface Writer writes what Restore reads.)
type Restore struct {
	ledger *Ledger
}

// NewRestore begins a restore.
func NewRestore(limits store.Limits) *Restore { return &Restore{ledger: New(limits)} }

// Head gives the head back.
func (r *Restore) Head(h Head) {}

// Seal gives a seal back; seals come in order of Sequence.
func (r *Restore) Seal(s store.Seal) {}

// Reader gives a reader back.
func (r *Restore) Reader(s store.Reader) {}

// Rule gives a rule back.
func (r *Restore) Rule(s store.Rule) {}

// Incident gives an incident back.
func (r *Restore) Incident(i Incident) {}

// Operation gives an operation back.
func (r *Restore) Operation(o Operation) {}

// Batch gives a batch back.
func (r *Restore) Batch(b Batch) {}

// Progress gives a copy's progress back.
func (r *Restore) Progress(number uint64, p store.Progress) {}

// Ending gives a copy's ending back.
func (r *Restore) Ending(number uint64, e Ending) {}

// Slot gives a slot back.
func (r *Restore) Slot(s store.Slot) {}

// Key gives a key back.
func (r *Restore) Key(k Key) {}

// Message gives a message back, with the segment it was kept in.
func (r *Restore) Message(segment uint64, m *store.Message) error { return errUnfinished }

// Finish settles what was read and returns the ledger. It wraps ErrCorrupt
// when records contradict each other.
func (r *Restore) Finish() (*Ledger, error) { return r.ledger, errUnfinished }
