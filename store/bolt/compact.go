package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Compacting is worth its time when a file has this many bytes, and more than
// half of them are free.
const compactFrom = 64 * mebibyte

// openCompact opens the database, and first rewrites it when it is large and
// mostly free: bbolt never gives space back. When there is no room for the
// rewrite, the file stays as it is.
func openCompact(path string, o Options, disk disk) (*bbolt.DB, error) {
	db, err := openFile(path, o)
	if err != nil {
		return nil, err
	}
	var size, used int64
	if err := db.View(func(tx *bbolt.Tx) error { size, used = usage(db, tx); return nil }); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if size < compactFrom || used > size/2 || disk.free(filepath.Dir(path)) < used+used/2+o.Reserve {
		return db, nil
	}
	err = rewrite(path, db)
	if closed := db.Close(); err != nil || closed != nil {
		return nil, fmt.Errorf("compact %s: %w", path, errors.Join(err, closed))
	}
	return openFile(path, o)
}

// usage is the length of the file and how much of it is in use, in bytes.
func usage(db *bbolt.DB, tx *bbolt.Tx) (size, used int64) {
	stats := db.Stats()
	free := int64(stats.FreePageN+stats.PendingPageN) * int64(db.Info().PageSize)
	return tx.Size(), tx.Size() - free
}

// rewrite copies what is in use into a new file and puts it in the old one's
// place. A crash leaves one of the two, whole.
func rewrite(path string, from *bbolt.DB) error {
	temporary := path + ".compact"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	to, err := bbolt.Open(temporary, 0o600, &bbolt.Options{
		Timeout: time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
		NoSync: true, // synced once, below
	})
	if err != nil {
		return err
	}
	err = errors.Join(bbolt.Compact(to, from, 16*mebibyte), to.Sync(), to.Close())
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return replace(temporary, path)
}
