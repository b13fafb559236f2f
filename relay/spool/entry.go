package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxHead is the longest envelope in bytes: a thousand long addresses.
const maxHead = 1 << 20

// abandoned is the age at which a file in tmp is one that nobody will finish.
const abandoned = 36 * time.Hour

// Entry is one message in a spool.
type Entry struct {
	Envelope
	// Name is the entry's in its folder.
	Name string
	// Sum is the SHA-256 of the whole file, in hexadecimal.
	Sum     string
	Message []byte
}

// A Bad entry is one that can be taken by nobody: SetAside ends it.
type Bad struct {
	Name string
	Err  error
}

func (b *Bad) Error() string { return fmt.Sprintf("entry %s of the spool: %v", b.Name, b.Err) }
func (b *Bad) Unwrap() error { return b.Err }

// errBusy: somebody else is at work on the entry, or has just ended it.
var errBusy = errors.New("in use")

// Failed yields what was set aside, like All.
func (f Folder) Failed(max int64) iter.Seq2[Entry, error] { return f.each(failedFolder, max) }

// FailedPath is where it is, and NewPath where it must be to be taken.
func (f Folder) FailedPath() string { return f.in(failedFolder) }

// NewPath is the folder of the entries that wait.
func (f Folder) NewPath() string { return f.in(newFolder) }

// CountFailed counts it.
func (f Folder) CountFailed() (int, error) {
	files, err := os.ReadDir(f.in(failedFolder))
	if err != nil {
		return 0, f.fault(err)
	}
	return len(files), nil
}

// All yields the entries with messages of at most max bytes, oldest first.
// During each yield no other All yields the same entry. An error that is a
// *Bad is about one entry, others end the list.
func (f Folder) All(max int64) iter.Seq2[Entry, error] { return f.each(newFolder, max) }

func (f Folder) each(in string, max int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		files, err := os.ReadDir(f.in(in))
		if err != nil {
			yield(Entry{}, f.fault(err))
			return
		}
		for _, file := range files {
			if !f.visit(in, file.Name(), max, yield) {
				return
			}
		}
	}
}

// visit yields one entry while it is locked.
func (f Folder) visit(in, name string, max int64, yield func(Entry, error) bool) bool {
	file, err := f.open(in, name)
	if err == nil {
		defer file.Close() // and with it the lock
		var e Entry
		if e, err = read(file, name, max); err == nil {
			return yield(e, nil)
		}
	}
	switch {
	case errors.Is(err, errBusy), errors.Is(err, fs.ErrNotExist):
		return true
	case mayPass(err):
		yield(Entry{}, f.fault(err))
		return false
	}
	return yield(Entry{}, &Bad{name, err})
}

// mayPass reports whether a fault is the system's, not the entry's.
func mayPass(err error) bool {
	var system syscall.Errno
	if !errors.As(err, &system) {
		return false
	}
	return system != unix.EACCES && system != unix.ELOOP && system != unix.ENXIO && system != unix.EISDIR
}

// open opens and locks an entry. Only a regular file with one name is one.
func (f Folder) open(in, name string) (*os.File, error) {
	file, err := os.OpenFile(f.in(in, name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return file, nil
}

func lock(file *os.File) error {
	var is unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &is); err != nil {
		return err
	}
	if is.Mode&unix.S_IFMT != unix.S_IFREG {
		return errors.New("is no regular file")
	}
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return errBusy
	}
	if err := unix.Fstat(int(file.Fd()), &is); err != nil { // again: it may have been taken meanwhile
		return err
	}
	switch is.Nlink {
	case 0:
		return errBusy
	case 1:
		return nil
	}
	return errors.New("has more than one name")
}

func read(r io.Reader, name string, max int64) (Entry, error) {
	all, err := io.ReadAll(io.LimitReader(r, maxHead+max+1))
	if err != nil {
		return Entry{}, err
	}
	head, message, ended := bytes.Cut(all, []byte("\n"))
	switch {
	case !ended || len(head) > maxHead:
		return Entry{}, errors.New("has no envelope in its first line")
	case int64(len(message)) > max:
		return Entry{}, fmt.Errorf("is larger than %d bytes", max)
	}
	sum := sha256.Sum256(all)
	e := Entry{Name: name, Sum: hex.EncodeToString(sum[:]), Message: message}
	if err := json.Unmarshal(head, &e.Envelope); err != nil {
		return Entry{}, fmt.Errorf("its envelope: %w", err)
	}
	if len(e.To) == 0 {
		return Entry{}, errors.New("names no recipient")
	}
	return e, nil
}

// Remove ends an entry whose message is safe elsewhere.
func (f Folder) Remove(name string) error {
	if err := os.Remove(f.in(newFolder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.fault(err)
	}
	return nil
}

// SetAside moves an entry to failed, where it stays until a person has looked.
func (f Folder) SetAside(name string) error {
	if err := os.Rename(f.in(newFolder, name), f.in(failedFolder, name)); err != nil {
		return f.fault(err)
	}
	return nil
}

// Sweep removes files in tmp that were abandoned.
func (f Folder) Sweep(now time.Time) error {
	files, err := os.ReadDir(f.in(tmpFolder))
	if err != nil {
		return f.fault(err)
	}
	var faults []error
	for _, file := range files {
		info, err := file.Info()
		if err == nil && now.Sub(info.ModTime()) > abandoned {
			faults = append(faults, os.Remove(f.in(tmpFolder, file.Name())))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return f.fault(err)
	}
	return nil
}
