package bolt

import (
	"os"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// hollow makes a database of 80 MiB of which little is in use.
func hollow(t *testing.T) string {
	t.Helper()
	path := Path(t.TempDir())
	change(t, path, func(tx *bbolt.Tx) error {
		for segment := range uint64(2) {
			b, err := tx.CreateBucket(segmentName(bodiesOf, segment))
			if err != nil {
				return err
			}
			for i := range 40 - segment*39 {
				key, value := number(i), make([]byte, 2*mebibyte)
				if err := b.Put(key, seal(key, value)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	change(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket(segmentName(bodiesOf, 0)) })
	return path
}

func TestCompactWhenMostlyFree(t *testing.T) {
	path := hollow(t)
	db, err := openCompact(path, Options{}.withDefaults(), linux())
	if err != nil {
		t.Fatal(err)
	}
	if size, used := sizes(t, db); size > 4*mebibyte || used < 2*mebibyte {
		t.Errorf("%d bytes, %d in use", size, used)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); err != nil {
		t.Error(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestCompactNeedsRoom(t *testing.T) {
	path := hollow(t)
	tight := disk{statfs: func(_ string, s *unix.Statfs_t) error {
		s.Blocks, s.Bavail, s.Bsize = 1<<20, 256, 4096
		return nil
	}}
	db, err := openCompact(path, Options{}.withDefaults(), tight)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if size, _ := sizes(t, db); size < 64*mebibyte {
		t.Errorf("%d bytes: it was rewritten on a full disk", size)
	}
}

func sizes(t *testing.T, db *bbolt.DB) (size, used int64) {
	t.Helper()
	err := db.View(func(tx *bbolt.Tx) error {
		size, used = usage(db, tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return size, used
}
