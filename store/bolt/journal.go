package bolt

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lull/store"
)

// The journal makes mail durable in one write and one fsync; the next commit
// takes it into the database with all that came meanwhile. A commit of bbolt
// costs two fsyncs and the pages on the way to what it adds, whether it adds
// one message or hundreds.
//
// The file has two halves of a fixed length. Frames are appended to one of
// them; a commit takes all of its entries, says in the same transaction that
// its epoch is over, and has the frames after it go to the other half, whose
// entries an earlier commit took. So an entry is in the database, or its frame
// is in a half whose epoch is not over, and Open takes it from there.
const (
	journalName = "lull.journal"
	halfSize    = 2 * mebibyte // part of the format: a file of other halves would not be read
	// What waits in a half takes at most so much of the database, and of memory.
	halfNeed = 8 * mebibyte
	// Larger mail goes straight into the database: that costs it little.
	largestEntry = 256 << 10
	// A commit is asked for when so much waits, or the first has for so long.
	enoughNeed = 2 * mebibyte
	journalFor = 100 * time.Millisecond
)

// journal is the file and what is only there.
type journal struct {
	file  *os.File
	sync  func(*os.File) error
	alive func() error // that what is written can be found again

	full   atomic.Bool   // something found no room, until the next cut
	failed atomic.Bool   // err is set by an append
	held   atomic.Int64  // entries that are in no commit that returned
	fresh  chan struct{} // the first entry of a half was written
	more   chan struct{} // a commit is wanted now

	mutex   sync.Mutex
	waiting []*entry // to be written

	turn  chan struct{} // held by the one who writes; what follows is that one's
	err   error         // why nothing is taken any more
	frame []byte        // the last one, for its memory
	spot
}

// spot is where the journal is.
type spot struct {
	half    int64 // 0 or 1
	at      int64 // offset in the half of the next frame
	epoch   uint64
	place   uint32 // of the next frame
	need    int64
	entries []*command // of this half: durable, and not in the database
}

// entry is mail on its way into the journal.
type entry struct {
	command *command
	record  []byte // of the frame
	answer  chan error
}

// errNoRoom says that mail must go straight into the database.
var errNoRoom = errors.New("the journal has no room")

func fdatasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }

// openJournal opens the journal of a folder, and makes it if there is none.
func openJournal(folder string, fresh, more chan struct{}) (*journal, error) {
	path := filepath.Join(folder, journalName)
	if err := noFolder(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		f, err = makeJournal(path)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, notOurs(err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal of the store: %w", err)
	}
	return &journal{
		file: f, sync: fdatasync, alive: func() error { return nil }, fresh: fresh, more: more,
		turn: make(chan struct{}, 1), spot: spot{epoch: 1},
	}, nil
}

// makeJournal writes the file full of zeros: appending then changes neither
// its length nor its blocks, and one fsync is one write of the disk.
func makeJournal(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(make([]byte, 2*halfSize))
	err = cmp.Or(err, f.Sync())
	if err = cmp.Or(err, replace(path+".new", path)); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path+".new"))
	}
	return f, nil
}

// keep makes mail durable, in one write with all that waits, by this caller or
// another.
func (j *journal) keep(c *command, record []byte) error {
	e := &entry{command: c, record: record, answer: make(chan error, 1)}
	j.mutex.Lock()
	j.waiting = append(j.waiting, e)
	j.mutex.Unlock()
	for {
		select {
		case err := <-e.answer:
			return err
		case j.turn <- struct{}{}:
			j.write()
		}
	}
}

// write appends what waits as one frame, gives the turn back, and answers.
func (j *journal) write() {
	fits, rest := j.next()
	err := j.append(fits)
	<-j.turn
	for _, e := range fits {
		e.answer <- err
	}
	for _, e := range rest {
		e.answer <- errNoRoom
	}
}

// next is what fits into the half of what waits, and what does not.
func (j *journal) next() (fits, rest []*entry) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	fits, j.waiting = j.waiting, nil
	need, size := j.need, frameHeader
	for i, e := range fits {
		need += e.command.need
		size += binary.MaxVarintLen32 + len(e.record)
		if need > halfNeed || j.at+frameSize(size) > halfSize {
			j.full.Store(true)
			return fits[:i], fits[i:]
		}
	}
	return fits, nil
}

// append makes entries durable. After a failed sync it is unknown what is:
// nothing more is taken, and the next cut stops the store.
func (j *journal) append(entries []*entry) error {
	if len(entries) == 0 || j.err != nil {
		return j.err
	}
	j.frame = appendFrame(j.frame[:0], j.epoch, j.place, entries)
	if _, err := j.file.WriteAt(j.frame, j.half*halfSize+j.at); err != nil {
		j.full.Store(true)
		return errNoRoom
	}
	if err := cmp.Or(j.sync(j.file), j.gone(), j.alive()); err != nil {
		j.err = fmt.Errorf("%w: the journal: %w", store.ErrStopped, err)
		j.failed.Store(true)
		nudge(j.more)
		return j.err
	}
	if len(j.entries) == 0 {
		nudge(j.fresh)
	}
	for _, e := range entries {
		j.hold(e.command)
	}
	j.at, j.place = j.at+int64(len(j.frame)), j.place+1
	if j.need >= enoughNeed {
		nudge(j.more)
	}
	return nil
}

// hold holds a command whose entry is durable.
func (j *journal) hold(c *command) {
	j.need += c.need
	j.entries = append(j.entries, c)
	j.held.Add(1)
}

// nudge has the other side of a channel look, now or soon.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// gone says that the file was removed.
func (j *journal) gone() error {
	var s unix.Stat_t
	if err := unix.Fstat(int(j.file.Fd()), &s); err != nil {
		return err
	}
	if s.Nlink == 0 {
		return fmt.Errorf("%s was removed while in use", j.file.Name())
	}
	return nil
}

// cut takes the entries of the half in use, which ends its epoch as soon as
// they are in the database, and goes on in the other half. The one who calls
// it has committed what the last cut took.
func (j *journal) cut() (entries []*command, epoch uint64, err error) {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	j.full.Store(false)
	if len(j.entries) == 0 || j.err != nil {
		return nil, 0, j.err
	}
	entries, epoch = j.entries, j.epoch
	j.spot = spot{half: 1 - j.half, epoch: epoch + 1}
	return entries, epoch, nil
}

// stop ends taking mail, with the error that it is answered from now on.
func (j *journal) stop(err error) {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	j.err = cmp.Or(j.err, err)
}

// end stops when all entries are in the database, and forgets them; else it
// reports that some are not.
func (j *journal) end(err error) (ended bool) {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	if j.err == nil && len(j.entries) > 0 {
		return false
	}
	j.err = cmp.Or(j.err, err)
	_ = j.forget() // the epochs are over all the same
	return true
}

// forget empties both halves, for a database that knows no epochs.
func (j *journal) forget() error {
	for half := range int64(2) {
		if _, err := j.file.WriteAt(make([]byte, blockSize), half*halfSize); err != nil {
			return err
		}
	}
	return j.sync(j.file)
}

// read gives the entries of epochs that are not over, in order, and goes on
// behind all epochs that were ever begun.
func (j *journal) read(over uint64) (records [][]byte, damage []error, err error) {
	b := make([]byte, 2*halfSize)
	if n, err := j.file.ReadAt(b, 0); n < len(b) && err != io.EOF {
		return nil, nil, fmt.Errorf("read %s: %w", j.file.Name(), err)
	}
	halves := []half{readHalf(b[:halfSize]), readHalf(b[halfSize:])}
	slices.SortFunc(halves, func(a, b half) int { return cmp.Compare(a.epoch, b.epoch) })
	for _, h := range halves {
		if h.epoch > over {
			records = append(records, h.records...)
			damage = append(damage, h.damage...)
		}
	}
	j.spot = spot{epoch: max(over, halves[1].epoch) + 1}
	return records, damage, nil
}
