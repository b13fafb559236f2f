package bolt

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"lull/store"
)

func TestFirstOpenIsForTheOwnerAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "state")
	if err := makeFolder(folder); err != nil {
		t.Fatal(err)
	}
	// What a crash in the middle of an earlier start left behind.
	if err := os.WriteFile(Path(folder)+".new", []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := openFile(Path(folder), Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for path, want := range map[string]os.FileMode{folder: 0o700, Path(folder): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
	if _, err := os.Stat(Path(folder) + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
}

func TestFolderThatOthersMayChange(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o770); err != nil {
		t.Fatal(err)
	}
	_, err := Open(folder, Options{})
	if err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("got %v", err)
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	folder := t.TempDir()
	held, err := lock(folder, 0)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = lock(folder, 100*time.Millisecond)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took < 100*time.Millisecond || took > 5*time.Second {
		t.Errorf("waited %v", took)
	}
	_ = held.Close()
	again, err := lock(folder, 0)
	if err != nil {
		t.Fatalf("after the holder let go: %v", err)
	}
	_ = again.Close()
}

func TestFormatOfAnotherVersion(t *testing.T) {
	tests := map[string]struct {
		version uint32
		want    string
	}{
		"newer": {format + 1, "written by a newer lull (format 2, this one knows 1): start that one"},
		"older": {format - 1, "written by an older lull (format 0, this one knows 1)"},
	}
	for name, tt := range tests {
		path := Path(t.TempDir())
		change(t, path, func(tx *bbolt.Tx) error {
			key := []byte(formatBucket)
			value := binary.BigEndian.AppendUint32(make([]byte, sealSize), tt.version)
			return tx.Bucket(key).Put(key, seal(key, value))
		})
		_, err := openFile(path, Options{}.withDefaults())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesThatAreNotOurs(t *testing.T) {
	other := Path(t.TempDir())
	db, err := bbolt.Open(other, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = db.Close()
	if _, err := openFile(other, Options{}.withDefaults()); err == nil || !strings.Contains(err.Error(), "not one of lull") {
		t.Errorf("another program's database: %v", err)
	}
	garbage := Path(t.TempDir())
	if err := os.WriteFile(garbage, []byte(strings.Repeat("garbage ", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(garbage, Options{}.withDefaults()); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("garbage: %v", err)
	}
}

func TestQuarantineOverwritesNothing(t *testing.T) {
	path := Path(t.TempDir())
	at := time.Date(2019, 10, 7, 19, 6, 0, 0, time.UTC)
	for _, content := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		to, err := Quarantine(path, at)
		switch content {
		case "first":
			if err != nil || filepath.Base(to) != "lull.db.damaged-20191007T190600Z" {
				t.Errorf("%s, %v", to, err)
			}
		case "second":
			if err == nil {
				t.Errorf("moved over %s", to)
			}
		}
	}
	if b, _ := os.ReadFile(path); string(b) != "second" {
		t.Errorf("the second file holds %q", b)
	}
}

// change makes a database if need be, and changes it.
func change(t *testing.T, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db, err := openFile(path, Options{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestFileThatThisUserMayNotOpen(t *testing.T) {
	err := openError("lull.db", &fs.PathError{Op: "open", Path: "lull.db", Err: fs.ErrPermission})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "chown") || strings.Count(err.Error(), "lull.db") != 1 {
		t.Errorf("got %q", err)
	}
}
