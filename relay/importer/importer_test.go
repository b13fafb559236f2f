package importer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lull/relay/spool"
)

// TestSpoolKeys: a message has one key however often it is read, and two that
// look alike have two.
func TestSpoolKeys(t *testing.T) {
	dir := t.TempDir()
	f := spool.Folder(dir)
	if err := f.Make(); err != nil {
		t.Fatal(err)
	}
	e := spool.Envelope{From: "root@a.example", To: []string{"ops@example.org", "dev@example.org"}, Host: "a.example"}
	for range 2 {
		if err := f.Put(e, []byte("Subject: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "new", "junk"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 2 {
		faults := 0
		for m, err := range Spool(f, 1<<20) {
			if bad := (*spool.Bad)(nil); errors.As(err, &bad) && bad.Name == "junk" {
				faults++
				continue
			}
			if err != nil || m.From != e.From || len(m.To) != 2 || m.Host != e.Host || string(m.Body) != "Subject: x\r\n\r\n" {
				t.Errorf("%+v, %v", m, err)
			}
			if !strings.HasPrefix(m.Key, "spool:"+m.Name+":") {
				t.Errorf("key %q", m.Key)
			}
			seen[m.Key]++
		}
		if faults != 1 {
			t.Errorf("junk was told of %d times", faults)
		}
	}
	if len(seen) != 2 {
		t.Errorf("keys: %v", seen)
	}
	for key, times := range seen {
		if times != 2 {
			t.Errorf("%s was read %d times of 2", key, times)
		}
	}
}
