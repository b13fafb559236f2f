package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lull/store"
)

// Accept takes a message; see [store.Commands]. Packing and encoding are done
// here, by as many callers as there are; the writer only adds the numbers.
func (s *Store) Accept(ctx context.Context, m store.Message, body []byte) error {
	if int64(len(body)) > s.options.MaxMessage {
		return fmt.Errorf("%w: %d bytes, the limit is %d", store.ErrTooLarge, len(body), s.options.MaxMessage)
	}
	bare, err := s.records.bare(m)
	if err != nil {
		return err
	}
	if body == nil {
		body = []byte{} // nil would be no body
	}
	p := prepared{id: m.ID, bare: bare, body: pack(body)}
	c := &command{
		prepared: p,
		need:     int64(len(p.bare)+len(p.body)+copyBytes*len(m.Copies)) + messageBytes,
		run:      func(t *transaction) error { return s.ledger.Accept(t, m, body) },
	}
	if s.journals(c, m, body) {
		if err := s.keep(ctx, c, m); !errors.Is(err, errNoRoom) {
			return err
		}
	}
	return s.submit(ctx, c)
}

// answered runs a command that answers with more than an error.
// It writes so many bytes beyond what every command may.
func answered[T any](ctx context.Context, s *Store, beyond int64, run func(*transaction) (T, error)) (T, error) {
	var answer T
	err := s.submit(ctx, &command{need: commandBytes + beyond, run: func(t *transaction) (err error) {
		answer, err = run(t)
		return err
	}})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

func (s *Store) plain(ctx context.Context, run func(*transaction) error) error {
	return s.submit(ctx, &command{need: commandBytes, run: run})
}

// Cut takes copies into a batch. Incidents that must be counted anew are
// counted before the writer's turn.
func (s *Store) Cut(ctx context.Context, c store.Cut) (store.Taken, error) {
	if err := s.Recount(ctx, c.Reader); err != nil {
		return store.Taken{}, err
	}
	return answered(ctx, s, 0, func(t *transaction) (store.Taken, error) { return s.ledger.Cut(t, c) })
}

// Begin takes the slots of an attempt.
func (s *Store) Begin(ctx context.Context, b store.Begin) error {
	if b.Cut != nil {
		if err := s.Recount(ctx, b.Cut.Reader); err != nil {
			return err
		}
	}
	return s.submit(ctx, &command{
		need: commandBytes + 2*int64(len(b.Body)),
		run:  func(t *transaction) error { return s.ledger.Begin(t, b) },
	})
}

// Mark ends an attempt.
func (s *Store) Mark(ctx context.Context, m store.Mark) error {
	return s.plain(ctx, func(t *transaction) error { return s.ledger.Mark(t, m) })
}

// Refuse records a refusal at RCPT.
func (s *Store) Refuse(ctx context.Context, r store.Refuse) error {
	return s.plain(ctx, func(t *transaction) error { return s.ledger.Refuse(t, r) })
}

// Plan sets when a reader's next digest is due.
func (s *Store) Plan(ctx context.Context, p store.Plan) error {
	return s.plain(ctx, func(t *transaction) error { return s.ledger.Plan(t, p) })
}

// Rekey enters incidents under the keys that their mail would have now.
func (s *Store) Rekey(ctx context.Context, k store.Rekey) error {
	return s.submit(ctx, &command{
		need: commandBytes + copyBytes*int64(len(k.Read)),
		run:  func(t *transaction) error { return s.ledger.Rekey(t, k) },
	})
}

// Join takes pass copies into the digest.
func (s *Store) Join(ctx context.Context, j store.Join) error {
	return s.plain(ctx, func(t *transaction) error { return s.ledger.Join(t, j) })
}

// Return gives the copies of a digest back that came back itself.
func (s *Store) Return(ctx context.Context, batch string, at time.Time) error {
	return s.plain(ctx, func(t *transaction) error { return s.ledger.Return(t, batch, at) })
}

// Operate runs an operator's action. The filter is run before the writer's
// turn, so that mail goes on being accepted.
func (s *Store) Operate(ctx context.Context, o store.Operate) (store.Operation, error) {
	sifted, err := s.Sift(ctx, o)
	if err != nil {
		return store.Operation{}, err
	}
	return answered(ctx, s, sifted.Bytes(), func(t *transaction) (store.Operation, error) { return s.ledger.Operate(t, o, sifted) })
}

// Undo takes an operation back. What must be read for it is read before the
// writer's turn.
func (s *Store) Undo(ctx context.Context, u store.Undo) (store.Operation, error) {
	sifted, err := s.SiftUndo(ctx, u)
	if err != nil {
		return store.Operation{}, err
	}
	return answered(ctx, s, sifted.Bytes(), func(t *transaction) (store.Operation, error) { return s.ledger.Undo(t, u, sifted) })
}

// Tend does the housekeeping of one moment.
func (s *Store) Tend(ctx context.Context, d store.Tend) (store.Tended, error) {
	return answered(ctx, s, 0, func(t *transaction) (store.Tended, error) { return s.ledger.Tend(t, d) })
}
