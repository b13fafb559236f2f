package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

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
	file    os.FileInfo // of the database, as it was opened
	db      *bbolt.DB
	disk    disk
	ballast ballast
	records records
	bodies  bodies
	flush   func(*bbolt.Tx) error
	damage  []error

	queue   chan *command
	spare   []*command // the writer's
	closing chan struct{}
	failing chan error
	stopped chan struct{}
	err     error // set before stopped is closed
	close   sync.Once
}

var errClosed = fmt.Errorf("%w: it was closed", store.ErrStopped)

// Open opens the store in a folder, and makes both if they are not there. The
// database should have passed [Check], in a process of its own.
//
// Errors: [ErrLocked] when another process has it, [store.ErrCorrupt].
func Open(folder string, o Options) (*Store, error) {
	return open(folder, o.withDefaults(), disk{unix.Statfs})
}

func open(folder string, o Options, d disk) (_ *Store, err error) {
	s := &Store{
		options: o, path: Path(folder), disk: d, flush: commitTx,
		ballast: ballast{filepath.Join(folder, ballastName), ballastSize},
		queue:   make(chan *command, maxGroup),
		closing: make(chan struct{}), failing: make(chan error, 1), stopped: make(chan struct{}),
	}
	if err := makeFolder(folder); err != nil {
		return nil, err
	}
	if s.lock, err = lock(folder, o.Timeout); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		s.release()
		return nil, err
	}
	s.Reads = ledger.NewReads(s.ledger, s.begin)
	go s.write()
	return s, nil
}

// load opens the file and rebuilds the ledger from it.
func (s *Store) load() (err error) {
	if s.records, err = newRecords(); err != nil {
		return err
	}
	if s.bodies, err = newBodies(s.options.MaxMessage + packing); err != nil {
		return err
	}
	s.ballast.load(s.disk.free(s.path), s.options.Reserve)
	if s.db, err = openCompact(s.path, s.options, s.disk); err != nil {
		return err
	}
	if s.file, err = os.Stat(s.path); err != nil {
		return err
	}
	s.ledger, err = s.restore()
	return err
}

// release lets go of the files.
func (s *Store) release() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
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

func (s *Store) source(tx *bbolt.Tx) source { return source{tx, s.records, s.bodies} }

// Status adds the size of the file to what the ledger knows.
func (s *Store) Status(ctx context.Context, now time.Time) (store.Status, error) {
	status, err := s.Reads.Status(ctx, now)
	if info, failed := os.Stat(s.path); failed == nil {
		status.Bytes = info.Size()
	}
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

// fail is the writer's last word.
func (s *Store) fail(err error) { s.err = err }

// Damaged are the records that could not be read when the store was opened.
// Each wraps [store.ErrCorrupt]; everything else works.
func (s *Store) Damaged() []error { return s.damage }

// Watch looks whether the database is still the file that was opened, and
// takes the ballast again where there is room. Call it each minute: writing
// into a file that was removed succeeds, and is lost. When it is gone the
// store stops.
func (s *Store) Watch() error {
	now, err := os.Stat(s.path)
	if err == nil && os.SameFile(now, s.file) {
		s.ballast.load(s.disk.free(s.path), s.options.Reserve)
		return nil
	}
	gone := fmt.Errorf("%w: %s was removed or replaced while in use", store.ErrStopped, s.path)
	select {
	case s.failing <- gone:
	default:
	}
	<-s.stopped
	return gone
}

// Close ends the store when the commands under way have been answered.
func (s *Store) Close() error {
	err := errClosed
	s.close.Do(func() {
		close(s.closing)
		<-s.stopped
		err = s.release()
	})
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}

var _ store.Store = (*Store)(nil)
