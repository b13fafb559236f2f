package memory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lull/store"
	"lull/store/ledger"
)

// Store keeps everything in memory. It is safe for use by many goroutines.
type Store struct {
	*ledger.Reads
	ledger  *ledger.Ledger
	records *records
	limits  store.Limits

	mu     sync.RWMutex // held for reading by commands, for writing by Close
	closed bool
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New(limits store.Limits) *Store { return over(newRecords(), ledger.New(limits), limits) }

func over(r *records, l *ledger.Ledger, limits store.Limits) *Store {
	open := func() (ledger.Source, error) { return r, nil }
	return &Store{Reads: ledger.NewReads(l, open, func() {}), ledger: l, records: r, limits: limits}
}

// Reopen closes the store and returns another over the same records, with its
// books rebuilt from them.
func (s *Store) Reopen() (*Store, error) {
	if err := s.Close(); err != nil {
		return nil, err
	}
	return over(s.records, s.records.restore(s.limits), s.limits), nil
}

// Close makes every later command answer ErrStopped.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// run runs a command with the ledger's lock held.
func (s *Store) run(ctx context.Context, command func(*ledger.Ledger) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return fmt.Errorf("closed: %w", store.ErrStopped)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.ledger.Lock()
	defer s.ledger.Unlock()
	return command(s.ledger)
}

// answer runs a command that answers with more than an error.
func answer[T any](ctx context.Context, s *Store, command func(*ledger.Ledger) (T, error)) (answer T, err error) {
	err = s.run(ctx, func(l *ledger.Ledger) (err error) {
		answer, err = command(l)
		return err
	})
	return answer, err
}

// Accept takes one message for all of its recipients.
func (s *Store) Accept(ctx context.Context, m store.Message, body []byte) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Accept(s.records, m, append([]byte{}, body...)) })
}

// Cut takes copies into a batch.
func (s *Store) Cut(ctx context.Context, c store.Cut) (store.Taken, error) {
	if err := s.Recount(ctx, c.Reader); err != nil {
		return store.Taken{}, err
	}
	return answer(ctx, s, func(l *ledger.Ledger) (store.Taken, error) { return l.Cut(s.records, c) })
}

// Begin takes the slots of an attempt.
func (s *Store) Begin(ctx context.Context, b store.Begin) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Begin(s.records, b) })
}

// Mark ends an attempt.
func (s *Store) Mark(ctx context.Context, m store.Mark) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Mark(s.records, m) })
}

// Refuse records a refusal of a reader.
func (s *Store) Refuse(ctx context.Context, r store.Refuse) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Refuse(s.records, r) })
}

// Plan sets when a reader's next digest is due.
func (s *Store) Plan(ctx context.Context, p store.Plan) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Plan(s.records, p) })
}

// Rekey enters incidents under the keys that their mail would have now.
func (s *Store) Rekey(ctx context.Context, k store.Rekey) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Rekey(s.records, k) })
}

// Join takes pass copies into the digest.
func (s *Store) Join(ctx context.Context, j store.Join) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Join(s.records, j) })
}

// Return gives the copies of a digest back that came back itself.
func (s *Store) Return(ctx context.Context, batch string, at time.Time) error {
	return s.run(ctx, func(l *ledger.Ledger) error { return l.Return(s.records, batch, at) })
}

// Operate runs an operator's action.
func (s *Store) Operate(ctx context.Context, o store.Operate) (store.Operation, error) {
	sifted, err := s.Sift(ctx, o)
	if err != nil {
		return store.Operation{}, err
	}
	return answer(ctx, s, func(l *ledger.Ledger) (store.Operation, error) { return l.Operate(s.records, o, sifted) })
}

// Undo takes an operation back.
func (s *Store) Undo(ctx context.Context, u store.Undo) (store.Operation, error) {
	sifted, err := s.SiftUndo(ctx, u)
	if err != nil {
		return store.Operation{}, err
	}
	return answer(ctx, s, func(l *ledger.Ledger) (store.Operation, error) { return l.Undo(s.records, u, sifted) })
}

// Tend does the housekeeping of one moment.
func (s *Store) Tend(ctx context.Context, t store.Tend) (store.Tended, error) {
	return answer(ctx, s, func(l *ledger.Ledger) (store.Tended, error) { return l.Tend(s.records, t) })
}
