package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"lull/store"
)

// openFile opens the database for work, and makes it first if there is none.
func openFile(path string, o Options) (*bbolt.DB, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("make the database: %w", noSpace(err))
		}
	}
	if err := noFolder(path); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, boltOptions(o))
	if err != nil {
		return nil, openError(path, err)
	}
	if err := db.View(checkFormat); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return db, nil
}

func boltOptions(o Options) *bbolt.Options {
	bo := &bbolt.Options{
		Timeout:         max(o.Timeout, time.Second),
		NoFreelistSync:  true, // a big freelist would be written with every commit
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: int(o.MapSize),
	}
	if o.MaxSize > 0 {
		bo.MaxSize = int(o.MaxSize + 2*slack) // the writer's own check comes first
	}
	return bo
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("open %s: %w: stop the process that has it open", path, ErrLocked)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("open %s: %w: this is no database of lull: %w", path, store.ErrCorrupt, err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return notOurs(err)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// notOurs says what to do about a file of the state folder that this user may
// not open, as after a start by root.
func notOurs(err error) error {
	return fmt.Errorf("%w; start lull as the user that owns this file, or give all of the state folder to this user with chown -R", err)
}

// noSpace says what to do about a disk that is full at the first start. Later
// ones get along without.
func noSpace(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("%w; free some space on that file system, or name a folder on another one with --state", err)
	}
	return err
}

// noFolder says what to do about a folder where a file of ours should be.
func noFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder, and should be a file of lull: move it out of the state folder; without it lull begins a new file", path)
	}
	return nil
}

// create makes an empty database under another name and moves it into place
// when it is whole and durable: power may fail while bbolt writes its first
// pages, and such a file cannot be opened.
func create(path string) error {
	temporary := path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(temporary, 0o600, &bbolt.Options{Timeout: time.Second, NoFreelistSync: true})
	if err != nil {
		_ = os.Remove(temporary) // the next start would
		return err
	}
	err = errors.Join(db.Update(layOut), db.Sync(), db.Close())
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return err
	}
	return replace(temporary, path)
}

// layOut makes the buckets that there is one of, and says which format they are in.
func layOut(tx *bbolt.Tx) error {
	for _, b := range fixedBuckets() {
		if _, err := tx.CreateBucket([]byte(b)); err != nil {
			return err
		}
	}
	key := []byte(formatBucket)
	value := binary.BigEndian.AppendUint32(make([]byte, sealSize), format)
	return tx.Bucket(key).Put(key, seal(key, value))
}

// checkFormat refuses what another version of lull wrote in another way.
func checkFormat(tx *bbolt.Tx) error {
	key := []byte(formatBucket)
	b := tx.Bucket(key)
	if b == nil {
		return errors.New("a bbolt database, but not one of lull")
	}
	payload, err := unseal(key, b.Get(key))
	if err != nil || len(payload) != 4 {
		return fmt.Errorf("the version of the format cannot be read: %w", store.ErrCorrupt)
	}
	switch found := binary.BigEndian.Uint32(payload); {
	case found > format:
		return fmt.Errorf("written by a newer lull (format %d, this one knows %d): start that one", found, format)
	case found < format:
		return fmt.Errorf("written by an older lull (format %d, this one knows %d): start that one, let it deliver what waits, and move the file away", found, format)
	}
	return nil
}

// keepFreelist writes the list of free pages before a file is closed in order,
// so that opening it need not read every page. Without it, as after a crash or
// on a full disk, opening takes longer; hence no error.
func keepFreelist(db *bbolt.DB) {
	db.NoFreelistSync = false
	_ = db.Update(func(*bbolt.Tx) error { return nil })
}
