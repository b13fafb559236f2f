package bolt

import (
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk answers how much room there is.
type disk struct {
	// statfs is unix.Statfs but in tests.
	statfs func(path string, buf *unix.Statfs_t) error
}

// free is how many bytes of the filesystem an ordinary process may still
// write. One that does not say is taken to have room.
func (d disk) free(path string) int64 {
	var s unix.Statfs_t
	if err := d.statfs(filepath.Dir(path), &s); err != nil || s.Blocks == 0 {
		return math.MaxInt64 / 4
	}
	return int64(s.Bavail) * s.Bsize
}

// ballast is a file of real blocks that is given up when the disk is full, so
// that what frees space can be committed.
type ballast struct {
	path string
	size int64
}

const ballastSize = 16 * mebibyte

// load takes the blocks, if that leaves room enough. It is not needed while it
// fails.
func (b ballast) load(free, reserve int64) {
	if info, err := os.Stat(b.path); err == nil && info.Size() >= b.size || free < reserve+2*b.size {
		return
	}
	f, err := os.OpenFile(b.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Fallocate(int(f.Fd()), 0, 0, b.size) != nil {
		_ = os.Remove(b.path)
	}
}

// drop gives the blocks up.
func (b ballast) drop() { _ = os.Remove(b.path) }
