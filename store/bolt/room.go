package bolt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"lull/store"
)

// Before each commit the file is given the blocks that the commit may need,
// so that a full disk is found while nothing is written yet. A part of them
// is kept for commands: an operator who frees space must have some to work in.
const (
	keptBlocks = 16 * mebibyte // at the end of the file, for commands
	moreBlocks = 16 * mebibyte // taken at a time
)

// What a commit writes beside what it adds: the pages on the way there, which
// are written anew; and what surrounds a message and a command.
const (
	treeBytes    = 512 << 10
	messageBytes = 8 << 10
	copyBytes    = 256
	commandBytes = 1 * mebibyte
)

// disk is the part of the system that is asked for room.
type disk struct {
	statfs    func(path string, buf *unix.Statfs_t) error
	fallocate func(fd int, mode uint32, offset, length int64) error
}

func linux() disk { return disk{unix.Statfs, unix.Fallocate} }

// free is how many bytes of the filesystem an ordinary process may still
// take. One that does not say is taken to have room.
func (d disk) free(path string) int64 {
	var s unix.Statfs_t
	if err := d.statfs(path, &s); err != nil || s.Blocks == 0 {
		return math.MaxInt64 / 4
	}
	return int64(s.Bavail) * s.Bsize
}

// tail is how far the file may still grow, under one of its bounds.
type tail struct {
	left int64
	keep int64 // of left, for commands
	why  string
}

// room is what the next commit may add.
type room struct {
	tails  []tail
	inside int64 // free pages of the file
	used   int64
}

// measure takes blocks for a group that adds so many bytes, if it can, and
// says what there is.
func (s *Store) measure(tx *bbolt.Tx, need int64) room {
	end := tx.Size()
	_, used := usage(s.db, tx)
	r := room{
		tails:  []tail{s.blocks(end, need+treeBytes)},
		inside: end - used,
		used:   treeBytes,
	}
	if bound := s.options.MaxSize; bound > 0 {
		why := fmt.Sprintf("the database has reached its max_size of %d MiB", bound/mebibyte)
		r.tails = append(r.tails, tail{bound + slack - end, slack, why})
	}
	return r
}

// blocks has the file hold real blocks for what is needed beyond its end.
func (s *Store) blocks(end, need int64) tail {
	if s.reserved < end+keptBlocks+need+halfNeed { // the journal goes on only while there is room for it
		s.take(end, need)
	}
	t := tail{left: s.reserved - end, keep: keptBlocks}
	if t.left < keptBlocks+need {
		free := s.disk.free(s.path)
		t.why = fmt.Sprintf("%d MiB are free on the filesystem, and %d MiB must stay free", free/mebibyte, s.options.Reserve/mebibyte)
	}
	return t
}

// take takes blocks: what is kept for commands as far as there are any (after
// a start the file has them already), and as far as the reserve allows some
// more than is needed, so that it is seldom done.
func (s *Store) take(end, need int64) {
	for kept := int64(keptBlocks); kept > 0 && !s.allocate(end, end+kept); {
		kept -= mebibyte
	}
	want := end + keptBlocks + need + moreBlocks
	s.allocate(end, min(want, s.reserved+s.disk.free(s.path)-s.options.Reserve))
}

// allocate gives the file real blocks up to an offset; those it has need no
// room. A filesystem that cannot do that has to be believed.
func (s *Store) allocate(end, to int64) bool {
	from := max(s.reserved, end)
	if to <= from {
		return true
	}
	err := s.disk.fallocate(int(s.file.Fd()), unix.FALLOC_FL_KEEP_SIZE, from, to-from)
	believed := errors.Is(err, unix.EOPNOTSUPP) && s.disk.free(s.path) >= to-from
	if err == nil || believed {
		s.reserved = to
	}
	return s.reserved == to
}

// take reserves room for a command, or answers that there is none.
func (r *room) take(c *command) error {
	need := r.used + c.need
	for _, t := range r.tails {
		if !t.fits(c, need, r.inside) {
			return fmt.Errorf("%w: %s", store.ErrFull, t.why)
		}
	}
	r.used = need
	return nil
}

// Room is nil when there is room for another message, else [store.ErrFull]
// with what is short. It costs nothing while there is; once there is none, the
// writer looks again each time.
func (s *Store) Room(ctx context.Context) error {
	if s.roomy.Load() {
		return nil
	}
	return s.submit(ctx, another())
}

// another stands for a message of moderate length that writes nothing.
func another() *command {
	return &command{
		prepared: prepared{id: "room"}, need: messageBytes,
		run: func(*transaction) error { return nil },
	}
}

// roomy reports whether another message would fit.
func (r room) roomy() bool { return r.take(another()) == nil }

// ample reports whether all that the journal may hold would fit: only then may
// it answer what the database has not taken.
func (r room) ample() bool {
	c := another()
	c.need = halfNeed
	return r.take(c) == nil
}

// sweep is how many bytes may be written to remove bodies.
func (r *room) sweep() int64 {
	budget := int64(sweepBytes)
	for _, t := range r.tails {
		budget = min(budget, t.left-r.used)
	}
	return budget
}

// fits: mail keeps off the part that is for commands. When plenty of pages are
// free inside of the file, since an operator or retention made room, it counts
// on them; where they are too scattered it may touch most of that part.
func (t tail) fits(c *command, need, inside int64) bool {
	if !c.mail() {
		return need <= t.left
	}
	return need <= t.left-t.keep || 4*need+keptBlocks/2 <= inside && need <= t.left-t.keep/4
}

// onDisk is how many bytes of the disk a file takes.
func onDisk(f *os.File) int64 {
	var s unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &s); err != nil {
		return 0
	}
	return s.Blocks * 512
}
