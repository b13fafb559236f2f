package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lull/relay/spool"
)

// TestTheSpoolIsEmptied: what was left while lull was away comes in once, also
// if it was left half-done by a crash; what can never be taken is kept aside.
func TestTheSpoolIsEmptied(t *testing.T) {
	state := filepath.Join(t.TempDir(), "s")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	folder := spool.Folder(filepath.Join(state, "spool"))
	if err := folder.Make(); err != nil {
		t.Fatal(err)
	}
	leave := func(to ...string) {
		t.Helper()
		if err := folder.Put(spool.Envelope{From: "root@a.example.org", To: to, Host: "a", At: time.Now()}, []byte("Subject: disk full\r\n\r\nx\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	left := func(name string) []os.DirEntry {
		files, err := os.ReadDir(filepath.Join(string(folder), name))
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	leave("ops@example.org")
	leave("ops@example.org", "dev@example.org")
	leave("nowhere")
	first := left("new")[0].Name()
	kept, err := os.ReadFile(filepath.Join(string(folder), "new", first))
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, state, usual)
	within(t, 10*time.Second, "the spool is empty", func() bool { return len(left("new")) == 0 })
	st, err := status(t, r)
	if err != nil || st.Accepted != 3 || len(left("failed")) != 1 || !strings.Contains(r.log.String(), "has no domain") {
		t.Errorf("%d accepted, %v, set aside: %v", st.Accepted, err, left("failed"))
	}
	if st.SpoolFailed != 1 || st.Spool != string(folder) {
		t.Errorf("status tells of %d failed in %s", st.SpoolFailed, st.Spool)
	}
	r.finish(t)

	// As if lull had been killed between taking the first and removing it.
	if err := os.WriteFile(filepath.Join(string(folder), "new", first), kept, 0o640); err != nil {
		t.Fatal(err)
	}
	again := begin(t, state, usual)
	within(t, 10*time.Second, "the spool is empty again", func() bool { return len(left("new")) == 0 })
	if st, err := status(t, again); err != nil || st.Accepted != 3 {
		t.Errorf("after the second run %d accepted, %v", st.Accepted, err)
	}
}
