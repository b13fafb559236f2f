package store

import (
	"context"
	"iter"
	"time"
)

// Store keeps messages and the fate of every copy.
//
// Promises, which storetest holds every engine to:
//
//   - Durable: when a command returns nil its effect survives a crash of the
//     process and of the machine. When it returns an error other than
//     ErrStopped nothing was written. After ErrStopped the effect of that one
//     command is unknown, and every later command answers ErrStopped.
//   - Checked first: a command checks before it writes, so that a bad one never
//     fails those that are committed with it.
//   - Idempotent by id: the same command again (Accept by message, Cut by
//     batch, Begin and Mark by attempt, Operate and Undo by operation,
//     Rekey by version)
//     changes nothing and answers as before.
//   - Conserving: after every command each accepted copy has exactly one fate,
//     and Audit finds no difference.
//   - Current: a read sees everything that was acknowledged before it was called.
//   - Safe for use by many goroutines at once. Iterators hold no lock that
//     would keep commands waiting for long, and may be left at any point.
//
// Cut, Begin, Mark, Join, Refuse, Operate and Undo carry a term; one lower
// than the newest seen is refused with ErrStaleTerm.
type Store interface {
	Commands
	Reads
	// Close ends the store in order. Commands under way finish first.
	Close() error
}

// Commands change the store.
type Commands interface {
	// Accept takes one message for all of its recipients. It only appends.
	// The copies need Index, To, Reader and Class; admission sets the rest:
	// their numbers, incidents (alert copies), and what standing rules do.
	// Errors: ErrKnown (Key), ErrFull, ErrTooLarge, ErrInvalid, ErrStopped.
	Accept(ctx context.Context, m Message, body []byte) error
	// Cut takes copies into a batch. Errors: ErrNothing, ErrGone, ErrPinned
	// (the reader has an open digest), ErrStaleTerm.
	Cut(ctx context.Context, c Cut) (Taken, error)
	// Begin takes the slots of one attempt. Errors: ErrNoSlot (nothing was
	// taken or cut), ErrGone, ErrNotFound (no open batch), ErrStaleTerm.
	Begin(ctx context.Context, b Begin) error
	// Mark ends an attempt and gives the copies their fates:
	//
	//  digest   delivered: told. refused: the slots are given back, the
	//           copies wait again. rejected: the slots stay, the copies wait
	//           again. unknown: the slots stay, the batch is pinned. A pinned
	//           batch stays pinned unless delivered, assumed, or rejected with 5xx.
	//  notice   the copy waits again in every case; unless refused or
	//           rejected the incident counts as announced and the copy as
	//           shown whole.
	//  pass     by Results, else delivered: passed; all others: waiting, not
	//           before Next; unknown is counted.
	Mark(ctx context.Context, m Mark) error
	Refuse(ctx context.Context, r Refuse) error
	Plan(ctx context.Context, p Plan) error
	Join(ctx context.Context, j Join) error
	// Return records that a DSN for a digest came back: the batch is marked,
	// and its copies wait again, once.
	Return(ctx context.Context, batch string, at time.Time) error
	Operate(ctx context.Context, o Operate) (Operation, error)
	Undo(ctx context.Context, u Undo) (Operation, error)
	Tend(ctx context.Context, t Tend) (Tended, error)
	// Rekey lets mail join the incidents that earlier versions of the
	// signatures opened. Every incident that mail may still join (it is
	// open, or would open again) and that a message's old reading leads to
	// is found by its new reading as well, rules included; so several new
	// keys may lead to one incident. Keys stay what they are, and where
	// mail of a new key finds another incident already it goes on doing so;
	// of two incidents that come to share a new key the older has it, the
	// other ends by itself. Rules that group a signature of old name the
	// new one, too. Messages keep the reading they came with. Once a piece
	// was Done, pieces for the same version change nothing. ErrInvalid.
	Rekey(ctx context.Context, k Rekey) error
}

// Reads look into the store.
type Reads interface {
	Status(ctx context.Context, now time.Time) (Status, error)
	// Copies yields what the query selects, in order of acceptance.
	Copies(ctx context.Context, q Query) iter.Seq2[Entry, error]
	// Count is how many copies Copies would yield, when that is known without
	// reading them: known is false for filters that look into mail.
	Count(ctx context.Context, q Query) (n uint64, known bool, err error)
	// Body is the message as received. ErrNotFound when it was removed.
	Body(ctx context.Context, message string) ([]byte, error)
	// Incidents yields incidents with their state at now, of one reader or
	// of all (""), in order of opening.
	Incidents(ctx context.Context, reader string, now time.Time) iter.Seq2[Incident, error]
	// Incident is one incident by id.
	Incident(ctx context.Context, id string, now time.Time) (Incident, error)
	// Samples are the numbers of some kept copies of each incident that mail
	// may still join, spread over its life, at most 17 an incident: those
	// that a Rekey to the version is to be told. Needed is false when that
	// is done.
	Samples(ctx context.Context, version int, at time.Time) (numbers []uint64, needed bool, err error)
	// Readers yields every reader that has a live copy, a plan or a refusal,
	// by name. Reader is one of them, ErrNotFound if there is none.
	Readers(ctx context.Context) iter.Seq2[Reader, error]
	Reader(ctx context.Context, name string) (Reader, error)
	// News are a reader's incidents that opened and were neither announced
	// nor told, oldest first, at most limit.
	News(ctx context.Context, reader string, now time.Time, limit int) ([]News, error)
	// Due are the waiting pass copies whose Next is not after now, oldest
	// first, at most limit; next is when another becomes due, zero if none.
	Due(ctx context.Context, now time.Time, limit int) (due []Entry, next time.Time, err error)
	// Batch is one batch with its kept bytes (nil if none). Open lists
	// those that are open.
	Batch(ctx context.Context, id string) (Batch, []byte, error)
	Open(ctx context.Context) ([]Batch, error)
	// Batches yields the kept batches of digests and notices, oldest first;
	// of one reader or of all ("").
	Batches(ctx context.Context, reader string) iter.Seq2[Batch, error]
	// Usage is what of the budgets is taken at gate time gate: slots of the
	// reader, and slots of the address.
	Usage(ctx context.Context, reader, to string, gate, window time.Duration) (Usage, error)
	Slots(ctx context.Context) iter.Seq2[Slot, error]
	Operations(ctx context.Context) iter.Seq2[Operation, error]
	Rules(ctx context.Context) iter.Seq2[Rule, error]
	Preview(ctx context.Context, o Operate) (Preview, error)
	// Audit recounts what is kept plus the sealed totals.
	Audit(ctx context.Context) (Audit, error)
}
