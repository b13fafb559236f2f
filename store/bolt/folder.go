package bolt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The files in a store's folder.
const (
	fileName = "lull.db"
	lockName = "lull.lock"
)

// Path is the database in a store's folder.
func Path(folder string) string { return filepath.Join(folder, fileName) }

// makeFolder makes the folder, for its owner alone. One that others could
// change is refused: they could put another database in place.
func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of the store: %w", err)
	}
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("look at the folder of the store: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others may change %s (mode %#o): run chmod 700 on it", folder, info.Mode().Perm())
	}
	return nil
}

// lock takes the folder for this process, until the file is closed. It names
// the process that holds it, if that does not end in time.
func lock(folder string, timeout time.Duration) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the store: %w", err)
	}
	if err := flock(f, timeout); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		_ = f.Close()
		return nil, fmt.Errorf("another lull (process %s) uses %s; stop it, or give this one another folder: %w",
			strings.TrimSpace(string(holder)), folder, err)
	}
	// The number is for people; a full disk must not keep the store shut.
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintln(f, os.Getpid())
	}
	return f, nil
}

// ErrLocked says that another process holds the store.
var ErrLocked = errors.New("the store is in use")

func flock(f *os.File, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			return err
		}
		if time.Now().After(deadline) {
			return ErrLocked
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// syncFolder makes names in a folder durable.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// replace puts a finished, synced file in another one's place, durably.
func replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// Quarantine moves a damaged database out of the way, never over anything, and
// says where it is. The next Open begins an empty store.
func Quarantine(path string, at time.Time) (string, error) {
	to := path + ".damaged-" + at.UTC().Format("20060102T150405Z")
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("quarantine %s: %s is there already", path, to)
	}
	if err := replace(path, to); err != nil {
		return "", fmt.Errorf("quarantine %s: %w", path, err)
	}
	return to, nil
}
