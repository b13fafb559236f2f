package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lull/store"
)

// TestAFolderInPlaceOfAFile: the error names it and says what to do, and is no
// damage, which would have the queue set aside.
func TestAFolderInPlaceOfAFile(t *testing.T) {
	for _, name := range []string{fileName, journalName} {
		folder := state(t)
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := Open(folder, Options{})
		if err == nil || !strings.Contains(err.Error(), filepath.Join(folder, name)+" is a folder") || !strings.Contains(err.Error(), "move it out") {
			t.Errorf("%s: %v", name, err)
		}
		if name != fileName {
			continue
		}
		if err := Check(Path(folder)); err == nil || errors.Is(err, store.ErrCorrupt) {
			t.Errorf("check: %v", err)
		}
	}
}

// TestFirstStartOnAFullDisk: there is no room for an empty database. The error
// says what to do; nothing half-made is left, and with room all is well.
func TestFirstStartOnAFullDisk(t *testing.T) {
	folder := smallDisk(t, 1)
	rest := filepath.Join(folder, "somebody else's")
	occupy(t, rest)
	_, err := Open(folder, Options{})
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "free some space") || !strings.Contains(err.Error(), "--state") {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(Path(folder) + "*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(rest); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, folder, Options{Reserve: -1})
	if s.Err() != nil {
		t.Error(s.Err())
	}
}
