package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"lull/store"
)

// TestMain lets the test binary be its own child: one that checks a file, or
// one that accepts mail until it is killed.
func TestMain(m *testing.M) {
	switch os.Getenv("LULL_TEST_CHILD") {
	case "check":
		if err := Check(os.Getenv("LULL_TEST_PATH")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "accept":
		round, _ := strconv.Atoi(os.Getenv("LULL_TEST_ROUND"))
		fmt.Fprintln(os.Stderr, acceptUntilKilled(os.Getenv("LULL_TEST_PATH"), round))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child runs the test binary in another role.
func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LULL_TEST_CHILD="+role, "LULL_TEST_PATH="+path)
	return cmd
}

// marked fills a database with values that can be found in the file.
func marked(t *testing.T, values int) string {
	t.Helper()
	path := Path(t.TempDir())
	change(t, path, func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(segmentName(bodiesOf, 1))
		for i := range values {
			key := number(uint64(i + 1))
			value := append(make([]byte, sealSize), bytes.Repeat([]byte("needle"), 100)...)
			err = errors.Join(err, b.Put(key, seal(key, value)))
		}
		return err
	})
	return path
}

// damage changes the file where a text is found, by an offset.
func damage(t *testing.T, path, at string, offset int, change func([]byte)) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.LastIndex(file, []byte(at))
	if i < 0 {
		t.Fatalf("%q is not in the file", at)
	}
	change(file[i+offset:])
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFindsNothing(t *testing.T) {
	path := marked(t, 500)
	if err := Check(path); err != nil {
		t.Error(err)
	}
	if out, err := child(t, "check", path).CombinedOutput(); err != nil {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
}

func TestCheckFindsDamagedValue(t *testing.T) {
	path := marked(t, 500)
	damage(t, path, "needle", 2, func(b []byte) { b[0] ^= 1 })
	err := Check(path)
	if !errors.Is(err, store.ErrCorrupt) || strings.Count(err.Error(), "checksum") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestCheckCountsMany(t *testing.T) {
	path := Path(t.TempDir())
	change(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(keysBucket))
		var err error
		for i := range 25 {
			err = errors.Join(err, b.Put(number(uint64(i)), []byte("unsealed")))
		}
		return err
	})
	if err := Check(path); !errors.Is(err, store.ErrCorrupt) || !strings.HasSuffix(err.Error(), "and 15 more") {
		t.Errorf("got %v", err)
	}
}

// TestCheckFindsDamagedPages: whatever happens to a page, the child tells: by
// its answer or by its end.
func TestCheckFindsDamagedPages(t *testing.T) {
	page := os.Getpagesize()
	tests := map[string]func(file []byte, page int){
		"zeroed":    func(file []byte, at int) { clear(file[at : at+page]) },
		"garbage":   func(file []byte, at int) { copy(file[at:at+page], bytes.Repeat([]byte{0xa5}, page)) },
		"its flags": func(file []byte, at int) { file[at+8] ^= 0xff },
		"its count": func(file []byte, at int) { file[at+10] ^= 0x3f },
	}
	for name, ruin := range tests {
		t.Run(name, func(t *testing.T) {
			path := marked(t, 500)
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ruin(file, bytes.LastIndex(file, []byte("needle"))/page*page)
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := child(t, "check", path).CombinedOutput(); err == nil {
				t.Errorf("nothing found\n%s", out)
			}
		})
	}
}
