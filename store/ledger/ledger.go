package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"lull/store"
)

// Ledger is the state machine. Commands need its lock; [Reads] takes it.
type Ledger struct {
	sync.RWMutex
	limits store.Limits
}

var errUnfinished = errors.New("unfinished")

// New returns the ledger of an empty store.
func New(limits store.Limits) *Ledger { return &Ledger{limits: limits} }

// Accept admits a message; see [store.Commands].
func (l *Ledger) Accept(tx Tx, m store.Message, body []byte) error { return errUnfinished }

// Cut takes copies into a batch.
func (l *Ledger) Cut(tx Tx, c store.Cut) (store.Taken, error) { return store.Taken{}, errUnfinished }

// Begin takes slots.
func (l *Ledger) Begin(tx Tx, b store.Begin) error { return errUnfinished }

// Mark ends an attempt.
func (l *Ledger) Mark(tx Tx, m store.Mark) error { return errUnfinished }

// Refuse records a refusal at RCPT.
func (l *Ledger) Refuse(tx Tx, r store.Refuse) error { return errUnfinished }

// Plan sets when a digest is due.
func (l *Ledger) Plan(tx Tx, p store.Plan) error { return errUnfinished }

// Join takes pass copies into the digest.
func (l *Ledger) Join(tx Tx, j store.Join) error { return errUnfinished }

// Return gives the copies of a digest back.
func (l *Ledger) Return(tx Tx, batch string, at time.Time) error { return errUnfinished }

// Operate runs an operator's action. The sifting was done by [Reads.Sift]
// before, without the lock; what changed since is looked at again.
func (l *Ledger) Operate(tx Tx, o store.Operate, s *Sifted) (store.Operation, error) {
	return store.Operation{}, errUnfinished
}

// Undo takes an operation back.
func (l *Ledger) Undo(tx Tx, u store.Undo) (store.Operation, error) {
	return store.Operation{}, errUnfinished
}

// Tend does the housekeeping of one moment.
func (l *Ledger) Tend(tx Tx, t store.Tend) (store.Tended, error) {
	return store.Tended{}, errUnfinished
}

// Sifted is what a filter matched at one moment.
type Sifted struct{}

// Reads are the reads of [store.Reads], all of them, over a ledger and the
// records of its engine. Status leaves Bytes to the engine.
type Reads struct {
	ledger *Ledger
	open   func() (Source, error)
}

// NewReads returns the reads. open gives a Source as of now: everything that
// was committed before the ledger's lock was last released. It may be called
// with the ledger's lock held for reading.
func NewReads(l *Ledger, open func() (Source, error)) *Reads { return &Reads{ledger: l, open: open} }

// Sift runs the filter of an operation over the live copies, without keeping
// commands waiting.
func (r *Reads) Sift(ctx context.Context, o store.Operate) (*Sifted, error) {
	return nil, errUnfinished
}
