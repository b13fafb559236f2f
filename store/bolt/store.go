package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"lull/store"
	"lull/store/ledger"
)

// Store is a [store.Store] in one file. It is safe for use by many goroutines.
type Store struct {
	*ledger.Reads
	ledger  *ledger.Ledger
	options Options
	path    string
	lock    *os.File
	file    *os.File // the database, as it was opened
	db      *bbolt.DB
	disk    disk
	records records
	flush   func(*bbolt.Tx) error
	damage  []error
	dropped atomic.Pointer[ledger.Set] // bodies still to remove; never changed
	roomy   atomic.Bool                // another message would have fitted into the last commit
	ample   atomic.Bool                // and all that the journal may hold
	journal *journal                   // nil when the disk has no room for one

	queue   queue
	turn    chan struct{} // held by the one who writes
	more    chan struct{} // something is left to do that nobody waits for
	fresh   chan struct{} // the journal holds something
	closing chan struct{}
	failing chan error
	stopped chan struct{}
	err     error // set before stopped is closed
	close   sync.Once

	// Of the one who has the turn.
	reserved int64 // up to where the file has blocks
	swept    bool  // the last commit had room to remove bodies
}

var errClosed = fmt.Errorf("%w: it was closed", store.ErrStopped)

// Open opens the store in a folder, and makes both if they are not there.
//
// Errors: [ErrLocked] when another process has it, [store.ErrCorrupt] when it
// is damaged as a whole (see [Quarantine]; single records see Damaged), that
// of Options.Check.
func Open(folder string, o Options) (*Store, error) {
	return open(folder, o.withDefaults(), linux())
}

func open(folder string, o Options, d disk) (_ *Store, err error) {
	s := &Store{
		options: o, path: Path(folder), disk: d, flush: commitTx,
		turn: make(chan struct{}, 1), more: make(chan struct{}, 1), fresh: make(chan struct{}, 1),
		closing: make(chan struct{}), failing: make(chan error, 1), stopped: make(chan struct{}),
	}
	if err := makeFolder(folder); err != nil {
		return nil, err
	}
	if s.lock, err = lock(folder, o.Timeout); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		_ = s.release()
		return nil, err
	}
	if err := s.resume(folder); err != nil {
		_ = s.release()
		return nil, err
	}
	s.Reads = ledger.NewReads(s.ledger, s.begin, s.settle)
	go s.attend()
	return s, nil
}

// load opens the file and rebuilds the ledger from it.
func (s *Store) load() (err error) {
	if s.records, err = newRecords(); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	if s.db, err = openCompact(s.path, s.options, s.disk); err != nil {
		return err
	}
	if s.file, err = os.OpenFile(s.path, os.O_RDWR, 0); err != nil {
		return err
	}
	s.ledger, err = s.restore()
	return err
}

// check has the database looked through, if there is one.
func (s *Store) check() error {
	_, err := os.Lstat(s.path)
	if s.options.Check == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.options.Check(s.path)
}

// release lets go of the files.
func (s *Store) release() error {
	var err error
	if s.journal != nil {
		err = s.journal.file.Close()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return errors.Join(err, s.lock.Close())
}

// begin opens a source for reading, as of now.
func (s *Store) begin() (ledger.Source, error) {
	tx, err := s.db.Begin(false)
	if err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	return s.source(tx), nil
}

func (s *Store) source(tx *bbolt.Tx) source { return source{tx, s.records, &s.dropped} }

// Status adds the size of the file to what the ledger knows.
func (s *Store) Status(ctx context.Context, now time.Time) (store.Status, error) {
	status, err := s.Reads.Status(ctx, now)
	status.Bytes = onDisk(s.file)
	return status, err
}

// Stopped is closed when the store has stopped for good: after a commit of
// unknown effect, when its file vanished, or after Close. Err says why.
func (s *Store) Stopped() <-chan struct{} { return s.stopped }

// Err is why the store has stopped, nil while it has not. It wraps
// [store.ErrStopped].
func (s *Store) Err() error {
	select {
	case <-s.stopped:
		return s.err
	default:
		return nil
	}
}

func (s *Store) stopError() error { return s.err }

// fail stops the store; only the one who has the turn may.
func (s *Store) fail(err error) {
	s.err = err
	if s.journal != nil {
		s.journal.stop(err)
	}
	close(s.stopped)
}

// Damaged are the records that could not be read when the store was opened.
// Each wraps [store.ErrCorrupt]; everything else works.
func (s *Store) Damaged() []error { return s.damage }

// Watch looks whether the database is still the file that was opened: writing
// into one that was removed succeeds, and is lost. Each commit looks, too;
// call Watch each minute, for the times without any. When the file is gone
// the store stops.
func (s *Store) Watch() error {
	gone := s.gone()
	if gone == nil {
		return nil
	}
	select {
	case s.failing <- gone:
	default:
	}
	<-s.stopped
	return gone
}

// gone says that the file was removed or replaced.
func (s *Store) gone() error {
	opened, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrStopped, err)
	}
	if named, err := os.Stat(s.path); err != nil || !os.SameFile(opened, named) {
		return fmt.Errorf("%w: %s was removed or replaced while in use", store.ErrStopped, s.path)
	}
	return nil
}

// Close ends the store when the commands under way have been answered.
func (s *Store) Close() error {
	err := errClosed
	s.close.Do(func() {
		close(s.closing)
		<-s.stopped
		if s.err == errClosed {
			keepFreelist(s.db)
		}
		err = s.release()
	})
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}

var _ store.Store = (*Store)(nil)
