package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// queue is the commands that wait. Whoever waits for one may take the turn and
// write for all: a caller that is alone is then not handed over to another
// goroutine and back.
type queue struct {
	mutex   sync.Mutex
	waiting []*command
}

func (q *queue) add(c *command) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.waiting = append(q.waiting, c)
}

// group takes every command that waits, as far as one commit may hold them.
func (q *queue) group() []*command {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	n, bytes := 0, int64(0)
	for ; n < len(q.waiting) && n < maxGroup && bytes < maxGroupBytes; n++ {
		bytes += q.waiting[n].need
	}
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return group
}

// submit waits until a command is committed, by this caller or another. A
// context that ends takes back a command that has not been begun; one that has
// been is waited for, so that the answer is always the truth.
func (s *Store) submit(ctx context.Context, c *command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.answer = make(chan error, 1)
	s.queue.add(c)
	for gone := ctx.Done(); ; {
		select {
		case err := <-c.answer:
			return err
		case s.turn <- struct{}{}:
			s.write()
		case <-s.stopped:
			return s.lastAnswer(c)
		case <-gone:
			if c.taken.CompareAndSwap(false, true) {
				return ctx.Err()
			}
			gone = nil
		}
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

// write commits what waits and gives the turn back, before it answers: the
// next group need not wait for that. After an error it keeps the turn, so that
// nothing is written any more.
func (s *Store) write() {
	group := s.queue.group()
	if len(group) == 0 && !s.wanted() {
		<-s.turn
		return
	}
	answers, err := s.commit(group)
	if err != nil {
		s.fail(err)
	} else {
		<-s.turn
	}
	reply(group, answers, err)
}

// attend writes what no caller waits for, and ends the store.
func (s *Store) attend() {
	soon := time.NewTimer(journalFor)
	defer soon.Stop()
	for {
		select {
		case <-s.fresh:
			soon.Reset(journalFor)
		case <-soon.C:
			if s.acquire() {
				s.write()
			}
		case <-s.more:
			if s.acquire() {
				s.write()
			}
		case <-s.closing:
			if s.acquire() {
				s.fail(s.finish())
			}
		case err := <-s.failing:
			if s.acquire() {
				s.fail(err)
			}
		case <-s.stopped:
			return
		}
	}
}

// acquire waits for the turn; nobody gets it once the store has stopped.
func (s *Store) acquire() bool {
	select {
	case s.turn <- struct{}{}:
		return true
	case <-s.stopped:
		return false
	}
}

// finish commits what was waiting when the store was closed.
func (s *Store) finish() error {
	for group := s.queue.group(); len(group) > 0 || !s.ended(); group = s.queue.group() {
		answers, err := s.commit(group)
		reply(group, answers, err)
		if err != nil {
			return err
		}
	}
	return errClosed
}

// reply tells each caller how its command ended.
func reply(group []*command, answers []error, err error) {
	for i, c := range group {
		c.answer <- cmp.Or(err, answers[i])
	}
}

// commit runs a group in one transaction. An error must stop the store: what
// was written is unknown.
func (s *Store) commit(group []*command) (answers []error, err error) {
	began := time.Now()
	if answers, err = s.attempt(group); err != nil {
		err = fmt.Errorf("%w: %w", store.ErrStopped, err)
	}
	if s.options.OnCommit != nil {
		s.options.OnCommit(Commit{Commands: len(group), Took: time.Since(began), Err: err})
	}
	s.notice()
	return answers, err
}

// attempt holds the ledger's lock until the commit returned, so that no read
// sees what is not durable. What the journal holds goes first.
func (s *Store) attempt(group []*command) (answers []error, err error) {
	answers = make([]error, len(group))
	kept, epoch, err := s.cut()
	if err != nil {
		return answers, err
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return answers, err
	}
	room := s.measure(tx, needOf(kept)+needOf(group))
	s.ledger.Lock()
	defer s.ledger.Unlock()
	t := &transaction{source: s.source(tx)}
	t.take(kept, epoch, &room)
	for i, c := range group {
		if answers[i] = room.take(c); answers[i] == nil {
			answers[i] = t.do(c)
		}
	}
	s.roomy.Store(room.roomy())
	s.ample.Store(room.ample())
	s.sweep(t, room.sweep())
	if t.err != nil || !t.written {
		return answers, errors.Join(t.err, tx.Rollback())
	}
	if err := cmp.Or(s.flush(tx), s.gone()); err != nil {
		return answers, err
	}
	s.taken(len(kept))
	return answers, nil
}

func needOf(group []*command) (need int64) {
	for _, c := range group {
		need += c.need
	}
	return need
}

// take runs what the journal held, which was answered already: it cannot be
// refused any more.
func (t *transaction) take(kept []*command, epoch uint64, r *room) {
	for _, c := range kept {
		r.used += c.need
		t.note(t.do(c))
	}
	if len(kept) > 0 {
		t.putEpoch(epoch)
	}
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
