package digest

import (
	"context"
	"io"
	"iter"
	"time"

	"lull/store"
)

// Queue is what the engine needs of a store; [store.Store] has it all.
type Queue interface {
	Batches
	Copies
	Readers
	Budgets
	Operations
}

// Batches take copies in flight and give them their fates.
type Batches interface {
	Cut(ctx context.Context, c store.Cut) (store.Taken, error)
	Begin(ctx context.Context, b store.Begin) error
	Mark(ctx context.Context, m store.Mark) error
	Batch(ctx context.Context, id string) (store.Batch, []byte, error)
	Open(ctx context.Context) ([]store.Batch, error)
	Batches(ctx context.Context, reader string) iter.Seq2[store.Batch, error]
}

// Copies tell what waits.
type Copies interface {
	Copies(ctx context.Context, q store.Query) iter.Seq2[store.Entry, error]
	Body(ctx context.Context, message string) ([]byte, error)
	Incidents(ctx context.Context, reader string, now time.Time) iter.Seq2[store.Incident, error]
	News(ctx context.Context, reader string, now time.Time, limit int) ([]store.News, error)
	Due(ctx context.Context, now time.Time, limit int) (due []store.Entry, next time.Time, err error)
	Join(ctx context.Context, j store.Join) error
}

// Readers are those who get digests.
type Readers interface {
	Readers(ctx context.Context) iter.Seq2[store.Reader, error]
	Reader(ctx context.Context, name string) (store.Reader, error)
	Plan(ctx context.Context, p store.Plan) error
	Refuse(ctx context.Context, r store.Refuse) error
}

// Budgets tell what of the slots is taken.
type Budgets interface {
	Status(ctx context.Context, now time.Time) (store.Status, error)
	Usage(ctx context.Context, reader, to string, gate, window time.Duration) (store.Usage, error)
	Slots(ctx context.Context) iter.Seq2[store.Slot, error]
}

// Operations are those that the engine makes by itself.
type Operations interface {
	Operate(ctx context.Context, o store.Operate) (store.Operation, error)
	Preview(ctx context.Context, o store.Operate) (store.Preview, error)
	Tend(ctx context.Context, t store.Tend) (store.Tended, error)
}

// Sender makes one attempt to send one mail. When the mail server has accepted
// the sender and a recipient it calls ready, at most once, for the body;
// accepted are indexes into mail.To. An error of ready ends the attempt as
// refused.
type Sender interface {
	Send(ctx context.Context, mail store.Outgoing, ready func(ctx context.Context, accepted []int) (io.Reader, error)) store.Sent
}

// Deps are the engine's ways to the world. Only NewID and Gate must be set.
type Deps struct {
	// NewID draws an id for a batch, an attempt or an operation: letters and
	// digits, as it becomes part of addresses.
	NewID func() string
	// Gate is the gate time now: what the store had kept when this process
	// started, and how long it has been running since, monotonic.
	Gate func() time.Duration
	// Healthy is the release check: an error says why mail given to the mail
	// server does not really leave it. Nil is always healthy. It is asked at
	// most once a Step and should answer from memory.
	Healthy func(ctx context.Context) error
	// Bounce tells a sender what became of pass mail. It has made the report
	// durable when it returns nil; until then the copies keep waiting. Nil:
	// nobody is told.
	Bounce func(ctx context.Context, now time.Time, b Bounce) error
	// Event is told what happens, for logs and metrics; it may be called by
	// several goroutines at once and must not call the engine.
	Event func(Event)
	// Term is that of the release commands; 0 is the newest the store has seen.
	Term uint64
}
