package bolt

import (
	"fmt"

	"go.etcd.io/bbolt"

	"lull/store"
)

// room is what the next commit may still add, in bytes.
type room struct {
	mail     int64 // for messages: without the reserve
	commands int64 // for everything else
	why      string
}

// What a commit writes beside the bytes that it adds: the pages on the way to
// them, which are written anew; and about what a command adds.
const (
	treeBytes    = 256 << 10
	messageBytes = 8 << 10
	commandBytes = 1 * mebibyte
)

// measure asks how much the file may grow: by pages that are free in it, and
// by what the filesystem and MaxSize leave.
func (s *Store) measure(tx *bbolt.Tx) room {
	r := s.growth(tx, s.disk.free(s.path))
	if r.commands >= commandBytes+treeBytes {
		return r
	}
	s.ballast.drop()
	return s.growth(tx, s.disk.free(s.path))
}

func (s *Store) growth(tx *bbolt.Tx, free int64) room {
	// Free pages may be too scattered for a large body: count on half of them.
	inside := int64(s.db.Stats().FreePageN) * int64(s.db.Info().PageSize) / 2
	r := room{
		mail:     max(0, free-s.options.Reserve),
		commands: max(0, free),
		why:      fmt.Sprintf("%d MiB are free on the filesystem, of which %d MiB are kept back", free/mebibyte, s.options.Reserve/mebibyte),
	}
	if bound := s.options.MaxSize; bound > 0 {
		left := bound - tx.Size()
		if left < r.mail {
			r.why = fmt.Sprintf("the database has reached its max_size of %d MiB", bound/mebibyte)
		}
		r.mail = min(r.mail, max(0, left))
		r.commands = min(r.commands, max(0, left+slack))
	}
	r.mail += inside - treeBytes
	r.commands += inside - treeBytes
	return r
}

// take reserves room for a command, or answers that there is none.
func (r *room) take(c *command) error {
	need, left := int64(commandBytes), r.commands
	if c.prepared.id != "" {
		need, left = c.prepared.size()+messageBytes, r.mail
	}
	if need > left {
		return fmt.Errorf("%w: %s", store.ErrFull, r.why)
	}
	r.mail -= need
	r.commands -= need
	return nil
}
