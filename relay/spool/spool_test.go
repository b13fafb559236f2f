package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func folder(t *testing.T) Folder {
	t.Helper()
	f := Folder(filepath.Join(t.TempDir(), "spool"))
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, f Folder, to, message string) {
	t.Helper()
	e := Envelope{From: "root@a.example", To: []string{to}, Notify: []string{"NEVER"}, Host: "a.example", UID: 7, At: time.Unix(1570435200, 0).UTC()}
	if err := f.Put(e, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, f Folder) (good []Entry, bad []*Bad) {
	t.Helper()
	for e, err := range f.All(1000) {
		var b *Bad
		switch {
		case err == nil:
			good = append(good, e)
		case errors.As(err, &b):
			bad = append(bad, b)
		default:
			t.Fatal(err)
		}
	}
	return good, bad
}

func TestWhatIsPutIsRead(t *testing.T) {
	f := folder(t)
	messages := []string{"Subject: a\r\n\r\n.\r\nx\ny\x00\r", "", "\n{}\n"}
	for _, m := range messages {
		put(t, f, "ops@example.org", m)
	}
	good, bad := list(t, f)
	if len(bad) > 0 || len(good) != len(messages) {
		t.Fatalf("%d entries, faults %v", len(good), bad)
	}
	for i, e := range good {
		if string(e.Message) != messages[i] || e.From != "root@a.example" || !slices.Equal(e.To, []string{"ops@example.org"}) ||
			e.UID != 7 || e.Host != "a.example" || e.At.Unix() != 1570435200 || len(e.Sum) != 64 || !slices.Equal(e.Notify, []string{"NEVER"}) {
			t.Errorf("entry %d is %+v", i, e)
		}
		if err := f.Remove(e.Name); err != nil {
			t.Error(err)
		}
	}
	if good, _ := list(t, f); len(good) > 0 {
		t.Errorf("after the removal: %v", good)
	}
}

func TestModes(t *testing.T) {
	f := folder(t)
	old := syscall.Umask(0o077)
	put(t, f, "ops@example.org", "x")
	syscall.Umask(old)
	good, _ := list(t, f)
	for name, want := range map[string]fs.FileMode{
		"tmp": fs.ModeDir | dropMode, "new": fs.ModeDir | dropMode, "failed": fs.ModeDir | 0o700, "new/" + good[0].Name: 0o640,
	} {
		if info, err := os.Stat(f.in(name)); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; expected %v", name, info.Mode(), err, want)
		}
	}
	if err := os.Chmod(f.in("new"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(f.in("new")); info.Mode().Perm() != 0o700 {
		t.Error("a mode that somebody chose was changed")
	}
}

// TestWhatStrangersLeave: nothing that is no entry is read, and the entries
// beside it are.
func TestWhatStrangersLeave(t *testing.T) {
	f := folder(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(`{"to":["thief@example.org"]}`+"\nsecret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"symlink":  os.Symlink(secret, f.in("new", "0-symlink")),
		"hardlink": os.Link(secret, f.in("new", "0-hardlink")),
		"fifo":     syscall.Mkfifo(f.in("new", "0-fifo"), 0o666),
		"folder":   os.Mkdir(f.in("new", "0-folder"), 0o755),
		"empty":    os.WriteFile(f.in("new", "0-empty"), nil, 0o644),
		"no json":  os.WriteFile(f.in("new", "0-text"), []byte("hello\nworld\n"), 0o644),
		"no to":    os.WriteFile(f.in("new", "0-noto"), []byte("{}\nworld\n"), 0o644),
		"large":    os.WriteFile(f.in("new", "0-large"), []byte(`{"to":["a@b"]}`+"\n"+strings.Repeat("x", 1001)), 0o644),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	put(t, f, "ops@example.org", "x")
	good, bad := list(t, f)
	if len(good) != 1 || len(bad) != 8 {
		t.Errorf("%d good and %d bad entries: %v", len(good), len(bad), bad)
	}
	for _, b := range bad {
		if err := f.SetAside(b.Name); err != nil {
			t.Error(err)
		}
	}
	if good, bad := list(t, f); len(good) != 1 || len(bad) > 0 {
		t.Errorf("after they were set aside: %d good, %v", len(good), bad)
	}
}

// TestOneAtATime: while one reader has an entry, another does not see it.
func TestOneAtATime(t *testing.T) {
	f := folder(t)
	put(t, f, "ops@example.org", "x")
	for e := range f.All(1000) {
		if good, bad := list(t, f); len(good)+len(bad) > 0 {
			t.Error("an entry was given to two")
		}
		if err := f.Remove(e.Name); err != nil {
			t.Error(err)
		}
	}
}

func TestSweep(t *testing.T) {
	f := folder(t)
	for name, age := range map[string]time.Duration{"old": 37 * time.Hour, "young": time.Hour} {
		if err := os.WriteFile(f.in("tmp", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(f.in("tmp", name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Sweep(time.Now()); err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(f.in("tmp"))
	if len(files) != 1 || files[0].Name() != "young" {
		t.Errorf("left: %v", files)
	}
}

func TestPutTellsOfAFolderThatIsNotThere(t *testing.T) {
	if err := Folder(filepath.Join(t.TempDir(), "none")).Put(Envelope{To: []string{"a@b"}}, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"from":"a@b","to":["c@d"],"at":"2019-10-07T08:00:00Z"}` + "\nSubject: x\r\n"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		e, err := read(strings.NewReader(string(file)), "n", 100)
		if err == nil && (len(e.To) == 0 || len(e.Message) > 100 || !strings.HasSuffix(string(file), "\n"+string(e.Message))) {
			t.Errorf("%q gave %+v", file, e)
		}
	})
}
