package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"lull/store"
	"lull/store/ledger"
)

// journals reports whether a command is mail that the journal may answer: it is
// small, it cannot be refused any more, and the database has room for it.
func (s *Store) journals(c *command, m store.Message, body []byte) bool {
	return s.journal != nil && s.ample.Load() && !s.journal.full.Load() && m.Key == "" &&
		c.need+int64(len(body)) <= largestEntry && ledger.Acceptable(m) == nil
}

// keep makes mail durable without a commit. It answers errNoRoom when that
// must be left to a commit, and [store.ErrStopped] as one does.
func (s *Store) keep(ctx context.Context, c *command, m store.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	record, err := s.records.entryOf(c.prepared, m.Copies)
	if err != nil {
		return err
	}
	return s.journal.keep(c, record)
}

// held is how many messages are only in the journal.
func (s *Store) held() int64 {
	if s.journal == nil {
		return 0
	}
	return s.journal.held.Load()
}

// wanted reports whether a commit has something to do that no caller waits for.
func (s *Store) wanted() bool {
	return s.unswept() || s.held() > 0 || s.journal != nil && s.journal.failed.Load()
}

// settle has the database take what the journal holds: reads look only there.
func (s *Store) settle() {
	if s.held() > 0 {
		_ = s.submit(context.Background(), &command{run: func(*transaction) error { return nil }})
	}
}

func (s *Store) cut() ([]*command, uint64, error) {
	if s.journal == nil {
		return nil, 0, nil
	}
	return s.journal.cut()
}

// taken counts what a commit took out of the journal.
func (s *Store) taken(n int) {
	if n > 0 {
		s.journal.held.Add(-int64(n))
	}
}

// ended ends the journal, if it holds nothing any more.
func (s *Store) ended() bool { return s.journal == nil || s.journal.end(errClosed) }

// resume opens the journal, and takes what a former run left in it. A disk
// that has no room for a new one must not keep the store shut.
func (s *Store) resume(folder string) error {
	if s.options.noJournal {
		return nil
	}
	j, err := openJournal(folder, s.fresh, s.more)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return nil
	}
	if err != nil {
		return err
	}
	s.journal, j.alive = j, s.gone
	return s.replay()
}

// putEpoch says that an epoch of the journal is over.
func (t *transaction) putEpoch(epoch uint64) {
	key := []byte(journalBucket)
	t.put(key, key, seal(key, binary.BigEndian.AppendUint64(make([]byte, sealSize), epoch)), nil)
}

// over is the last epoch that is over, 0 when none is.
func (s source) over() (uint64, error) {
	key := []byte(journalBucket)
	b := s.tx.Bucket(key)
	if b == nil || b.Get(key) == nil {
		return 0, nil
	}
	payload, err := unseal(key, b.Get(key))
	if err != nil || len(payload) != 8 {
		return 0, fmt.Errorf("%w: the epoch of the journal", store.ErrCorrupt)
	}
	return binary.BigEndian.Uint64(payload), nil
}

// replay commits what a former run left in the journal. Mail that the database
// has already is not taken again.
func (s *Store) replay() error {
	src, err := s.begin()
	if err != nil {
		return err
	}
	over, err := src.(source).over()
	src.Close()
	if err != nil {
		s.damage = append(s.damage, err)
	}
	records, damage, err := s.journal.read(over)
	if err != nil {
		return err
	}
	s.damage = append(s.damage, damage...)
	for _, record := range records {
		if c, err := s.again(record); err != nil {
			s.damage = append(s.damage, err)
		} else {
			s.journal.hold(c)
		}
	}
	if s.held() == 0 {
		return nil
	}
	_, err = s.commit(nil)
	return err
}

// again is the Accept that an entry of the journal stands for.
func (s *Store) again(record []byte) (*command, error) {
	m, body, err := s.records.entry(record)
	if err == nil {
		err = ledger.Acceptable(m)
	}
	if err != nil {
		return nil, err
	}
	return &command{
		need: int64(len(record)) + messageBytes,
		run:  func(t *transaction) error { return s.ledger.Accept(t, m, body) },
	}, nil
}
