// Package spool is the folder in which our sendmail leaves mail while no
// daemon answers, and from which the daemon takes it.
//
// It is laid out like a Maildir: an entry is written to tmp, and renamed to
// new when it is on stable storage. An entry is one file: its envelope as one
// line of JSON, then the message. failed keeps what can be taken by nobody.
//
// Any user may leave mail, as any user may talk to the daemon; sendmail needs
// no privileges for that. tmp and new have the mode 3733 (setgid, sticky,
// written by all, read by the owner alone):
//
//   - nobody but the owner can list them, and nobody but the owner of a file
//     and of the folder can remove or replace one;
//   - files get the group of the folder and the mode 0640, so that the daemon
//     can read them, and other users cannot.
//
// What is in there was written by anybody: readers follow no links, open only
// regular files, and read at most a message.
package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sys/unix"
)

// Folder is the path of a spool.
type Folder string

// The folders in it.
const (
	tmpFolder    = "tmp"
	newFolder    = "new"
	failedFolder = "failed"
)

// dropMode lets everybody leave files.
const dropMode = fs.ModeSetgid | fs.ModeSticky | 0o733

// Envelope is what an entry says beside its message.
type Envelope struct {
	// From is the reverse-path without brackets, "" for the null sender.
	From string `json:"from"`
	// To are the forward-paths.
	To []string `json:"to"`
	// Notify, Ret and EnvID are DSN parameters (RFC 3461), decoded.
	Notify []string `json:"notify,omitempty"`
	Ret    string   `json:"ret,omitempty"`
	EnvID  string   `json:"envid,omitempty"`
	// Once, where set, is the key under which the daemon may have taken the
	// message already, for all of To: they are taken together or not at all.
	Once string `json:"once,omitempty"`
	// Host is the machine that the message was written on.
	Host string `json:"host"`
	// UID is the user who says to have written it.
	UID int `json:"uid"`
	// At is when.
	At time.Time `json:"at"`
}

// Make makes the folders that are missing, with the modes of the package
// comment. The modes of folders that are there are left alone, and so is the
// rest of the path: who may reach the spool is decided there.
func (f Folder) Make() error {
	if err := os.MkdirAll(string(f), 0o755); err != nil {
		return f.fault(err)
	}
	for name, mode := range map[string]fs.FileMode{tmpFolder: dropMode, newFolder: dropMode, failedFolder: 0o700} {
		switch err := os.Mkdir(f.in(name), 0o700); {
		case errors.Is(err, fs.ErrExist):
			continue
		case err != nil:
			return f.fault(err)
		}
		if err := os.Chmod(f.in(name), mode); err != nil { // the umask has no say
			return f.fault(err)
		}
	}
	return nil
}

// Put leaves a message. When it returns nil the message is on stable storage.
func (f Folder) Put(e Envelope, message []byte) error {
	head, err := json.Marshal(e)
	if err != nil {
		return f.fault(err)
	}
	id := ulid.Make().String()
	tmp := f.in(tmpFolder, id)
	file, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o640)
	if err != nil {
		return f.fault(err)
	}
	defer file.Close()
	if err := f.fill(file, id, append(head, '\n'), message); err != nil {
		_ = os.Remove(tmp) // else the daemon does
		return f.fault(err)
	}
	return nil
}

// fill writes an entry, and moves it to where it counts.
func (f Folder) fill(file *os.File, id string, parts ...[]byte) error {
	if err := file.Chmod(0o640); err != nil { // the daemon must read it, whatever the umask
		return err
	}
	for _, part := range parts {
		if _, err := file.Write(part); err != nil {
			return err
		}
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), f.in(newFolder, id)); err != nil {
		return err
	}
	return f.settle(file)
}

// settle makes the rename durable. A folder that may not be read cannot be
// opened, and so not be synced: then all of its file system is.
func (f Folder) settle(file *os.File) error {
	folder, err := os.Open(f.in(newFolder))
	if errors.Is(err, fs.ErrPermission) {
		return os.NewSyscallError("syncfs", unix.Syncfs(int(file.Fd())))
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func (f Folder) in(names ...string) string {
	return filepath.Join(append([]string{string(f)}, names...)...)
}

func (f Folder) fault(err error) error { return fmt.Errorf("the spool %s: %w", string(f), err) }
