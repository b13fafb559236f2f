package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"lull/store"
)

// command is one command on its way through the writer.
type command struct {
	run      func(*transaction) error
	prepared prepared // of an Accept
	need     int64    // about what it adds on disk, in bytes
	taken    atomic.Bool
	answer   chan error
}

// mail reports whether the command is an Accept.
func (c *command) mail() bool { return c.prepared.id != "" }

// A group is at most this much; what waits beyond it is the next group.
const (
	maxGroup      = 1024
	maxGroupBytes = 64 * mebibyte
)

// submit hands a command to the writer and waits for its commit. A context
// that ends takes back a command that the writer has not begun; one that it
// has begun is waited for, so that the answer is always the truth.
func (s *Store) submit(ctx context.Context, c *command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.answer = make(chan error, 1)
	select {
	case s.queue <- c:
	case <-s.stopped:
		return s.stopError()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.answer:
		return err
	case <-s.stopped:
		return s.lastAnswer(c)
	case <-ctx.Done():
	}
	if c.taken.CompareAndSwap(false, true) {
		return ctx.Err()
	}
	select {
	case err := <-c.answer:
		return err
	case <-s.stopped:
		return s.lastAnswer(c)
	}
}

// lastAnswer is what a command was answered before the store stopped, else that it did.
func (s *Store) lastAnswer(c *command) error {
	select {
	case err := <-c.answer:
		return err
	default:
		return s.stopError()
	}
}

// write is the writer: the only goroutine that changes the database.
func (s *Store) write() {
	defer close(s.stopped)
	for {
		select {
		case first := <-s.queue:
			if err := s.commit(s.group(first)); err != nil {
				s.fail(err)
				return
			}
		case <-s.more():
			if err := s.commit(s.group(nil)); err != nil {
				s.fail(err)
				return
			}
		case <-s.closing:
			s.fail(s.finish())
			return
		case err := <-s.failing:
			s.fail(err)
			return
		}
	}
}

// finish commits what was waiting when the store was closed.
func (s *Store) finish() error {
	for {
		select {
		case first := <-s.queue:
			if err := s.commit(s.group(first)); err != nil {
				return err
			}
		default:
			return errClosed
		}
	}
}

// group is every command that waits, without waiting for more.
func (s *Store) group(first *command) []*command {
	group, bytes := s.spare[:0], int64(0)
	if first != nil {
		group, bytes = append(group, first), first.need
	}
	for len(group) < maxGroup && bytes < maxGroupBytes {
		select {
		case c := <-s.queue:
			group = append(group, c)
			bytes += c.need
		default:
			return group
		}
	}
	return group
}

// commit runs a group in one transaction and answers it. An error stops the
// store: what was written is unknown.
func (s *Store) commit(group []*command) error {
	defer clear(group)
	s.spare = group
	began := time.Now()
	answers, err := s.attempt(group)
	if err != nil {
		err = fmt.Errorf("%w: %w", store.ErrStopped, err)
	}
	for i, c := range group {
		c.answer <- cmp.Or(err, answers[i])
	}
	if s.options.OnCommit != nil {
		s.options.OnCommit(Commit{Commands: len(group), Took: time.Since(began), Err: err})
	}
	return err
}

// attempt holds the ledger's lock until the commit returned, so that no read
// sees what is not durable.
func (s *Store) attempt(group []*command) (answers []error, err error) {
	answers = make([]error, len(group))
	tx, err := s.db.Begin(true)
	if err != nil {
		return answers, err
	}
	var need int64
	for _, c := range group {
		need += c.need
	}
	room := s.measure(tx, need)
	s.ledger.Lock()
	defer s.ledger.Unlock()
	t := &transaction{source: s.source(tx)}
	for i, c := range group {
		if answers[i] = room.take(c); answers[i] == nil {
			answers[i] = t.do(c)
		}
	}
	s.roomy.Store(room.roomy())
	s.sweep(t, room.sweep())
	if t.err != nil || !t.written {
		return answers, errors.Join(t.err, tx.Rollback())
	}
	if err := s.flush(tx); err != nil {
		return answers, err
	}
	return answers, s.gone()
}

// do runs one command, unless its caller has gone.
func (t *transaction) do(c *command) error {
	if !c.taken.CompareAndSwap(false, true) {
		return nil
	}
	t.prepared = c.prepared
	return c.run(t)
}

// commitTx is what makes a transaction durable, but in tests.
func commitTx(tx *bbolt.Tx) error { return tx.Commit() }
