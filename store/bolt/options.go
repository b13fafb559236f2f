package bolt

import (
	"cmp"
	"time"

	"lull/store"
)

// Options of a store. The zero value of each field is its default.
type Options struct {
	// Limits are the store's own numbers; by default those of a window of an hour.
	Limits store.Limits
	// MaxSize bounds the file in bytes for mail; commands may use 64 MiB
	// more. 0 is no bound.
	MaxSize int64
	// Reserve is what mail leaves free on the filesystem, in bytes; by
	// default 64 MiB. Negative: nothing.
	Reserve int64
	// MaxMessage is the greatest length of a message, by default 50 MiB.
	MaxMessage int64
	// Timeout is how long to wait for another daemon to let go of the
	// folder, by default two seconds.
	Timeout time.Duration
	// MapSize is how much address space the file may fill before growing has
	// to wait for readers, by default 16 GiB. It is not memory.
	MapSize int64
	// Check, if set, is called with the path of an existing database before it
	// is opened, while the folder is locked. It should run [Check] in a
	// process of its own; Open answers with its error.
	Check func(path string) error
	// OnCommit, if set, is told of each commit, by the goroutine that made it.
	OnCommit func(Commit)

	noJournal bool // every message is a commit, for tests of those
}

// Commit is one commit as it was.
type Commit struct {
	Commands int           // that it answered
	Took     time.Duration // including both fsyncs
	Err      error         // that stopped the store
}

const (
	mebibyte = 1 << 20
	// slack is how far commands may go beyond MaxSize, so that what frees
	// space always has room.
	slack = 64 * mebibyte
)

func (o Options) withDefaults() Options {
	if o.Limits == (store.Limits{}) {
		o.Limits = store.DefaultLimits(time.Hour)
	}
	o.Reserve = max(0, cmp.Or(o.Reserve, 64*mebibyte))
	o.MaxMessage = cmp.Or(o.MaxMessage, 50*mebibyte)
	o.Timeout = cmp.Or(o.Timeout, 2*time.Second)
	o.MapSize = cmp.Or(o.MapSize, 16<<30)
	return o
}
