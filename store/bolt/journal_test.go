package bolt

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"lull/store"
)

// journalling opens a store whose journal takes mail from now on.
func journalling(t testing.TB, folder string) *Store {
	t.Helper()
	s := openAt(t, folder, Options{})
	if err := s.plain(t.Context(), func(*transaction) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return s
}

// crashed is a copy of a folder as a killed process leaves it.
func crashed(t testing.TB, folder string) string {
	t.Helper()
	to := state(t)
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fileName, journalName} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// stalled keeps commits from happening, for as long as a test looks at what is
// in the journal alone.
func stalled(t testing.TB, s *Store) (goOn func()) {
	t.Helper()
	if !s.acquire() {
		t.Fatal("the store has stopped")
	}
	return sync.OnceFunc(func() { <-s.turn })
}

func holds(t testing.TB, s *Store, mails int, damage int) {
	t.Helper()
	if got := len(kept(t, s)); got != mails || len(s.Damaged()) != damage {
		t.Errorf("%d are kept, want %d; damage %v", got, mails, s.Damaged())
	}
	noDifferences(t, s, uint64(mails))
}

// TestJournalSurvives: mail that was answered before any commit is there after
// a crash, with its body and copies, once, however often the crash is repeated.
func TestJournalSurvives(t *testing.T) {
	folder := state(t)
	s := journalling(t, folder)
	goOn := stalled(t, s)
	defer goOn()
	accept(t, s, 0, 20)
	if s.held() != 20 {
		t.Fatalf("%d are in the journal", s.held())
	}
	for range 3 {
		folder = crashed(t, folder)
		again := journalling(t, folder)
		holds(t, again, 20, 0)
		if b, err := again.Body(t.Context(), mail(7).ID); err != nil || !bytes.Equal(b, text(7)) {
			t.Errorf("body %q; %v", b, err)
		}
	}
	goOn()
	holds(t, s, 20, 0)
}

// TestReadsSeeTheJournal: every read and every command has what was answered
// before it, without waiting for the clock.
func TestReadsSeeTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journalling(t, state(t))
		began := time.Now()
		for n := range 50 {
			accept(t, s, n, n+1)
			if st, err := s.Status(t.Context(), began); err != nil || st.Accepted != uint64(n+1) {
				t.Fatalf("%d accepted; %v", st.Accepted, err)
			}
		}
		o, err := s.Operate(t.Context(), store.Operate{ID: "o1", At: start, Kind: store.OpPurge, By: "ops", Filter: "--subject PROBLEM"})
		if err != nil || o.Copies != 50 || time.Since(began) != 0 {
			t.Errorf("purged %d after %v; %v", o.Copies, time.Since(began), err)
		}
	})
}

// TestJournalIsEmptiedSoon: what nobody asks for is committed all the same.
func TestJournalIsEmptiedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journalling(t, state(t))
		accept(t, s, 0, 5)
		if s.held() != 5 {
			t.Fatalf("%d are held", s.held())
		}
		time.Sleep(journalFor)
		synctest.Wait()
		if s.held() != 0 {
			t.Errorf("%d are held", s.held())
		}
	})
}

// TestTornFrame: a power failure in the last write takes that write alone, and
// it was not answered. One that damaged an earlier frame is told.
func TestTornFrame(t *testing.T) {
	folder := state(t)
	s := journalling(t, folder)
	goOn := stalled(t, s)
	defer goOn()
	accept(t, s, 0, 10)
	half := s.journal.half * halfSize
	for frame := int64(1); frame < 10; frame++ {
		damaged := crashed(t, folder)
		garble(t, damaged, half+frame*blockSize+100)
		want, damage := 9, 1
		if frame == 9 {
			damage = 0
		}
		holds(t, journalling(t, damaged), want, damage)
	}
}

func garble(t testing.TB, folder string, at int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(folder, journalName), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("garbage"), at); err != nil {
		t.Fatal(err)
	}
}

// TestOldEpochs: what the database has taken is not taken again, though it is
// still in the file.
func TestOldEpochs(t *testing.T) {
	folder := state(t)
	s := journalling(t, folder)
	for n := range 7 {
		accept(t, s, n*10, n*10+10)
		s.settle()
	}
	copied := crashed(t, folder)
	b, err := os.ReadFile(filepath.Join(copied, journalName))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []half{readHalf(b[:halfSize]), readHalf(b[halfSize:])} {
		if h.epoch < 6 || len(h.records) != 10 {
			t.Errorf("epoch %d with %d entries: the test shows nothing", h.epoch, len(h.records))
		}
	}
	again := openAt(t, copied, Options{})
	if again.held() != 0 || again.journal.epoch != 8 {
		t.Errorf("%d held, epoch %d", again.held(), again.journal.epoch)
	}
	holds(t, again, 70, 0)
}

// TestNthJournalSyncFails: what was answered is kept, the store stops, and the
// one whose write failed is told so.
func TestNthJournalSyncFails(t *testing.T) {
	for n := range 6 {
		folder := state(t)
		s := journalling(t, folder)
		syncs := 0
		s.journal.sync = func(f *os.File) error {
			if syncs++; syncs > n {
				return unix.EIO
			}
			return fdatasync(f)
		}
		accept(t, s, 0, n)
		if err := s.Accept(t.Context(), mail(n), text(n)); !errors.Is(err, store.ErrStopped) {
			t.Errorf("%d: %v", n, err)
		}
		<-s.Stopped()
		if err := s.Accept(t.Context(), mail(n+1), text(n+1)); !errors.Is(err, store.ErrStopped) {
			t.Errorf("%d, afterwards: %v", n, err)
		}
		if err := s.Err(); !errors.Is(err, unix.EIO) {
			t.Errorf("%d: stopped by %v", n, err)
		}
		_ = s.Close()
		if ids := kept(t, openAt(t, folder, Options{})); len(ids) < n || len(ids) > n+1 || ids[mail(n+1).ID] {
			t.Errorf("%d: kept %v", n, ids)
		}
	}
}

// TestJournalWriteFails: a journal that cannot be written is done without.
func TestJournalWriteFails(t *testing.T) {
	folder := state(t)
	s := journalling(t, folder)
	accept(t, s, 0, 3)
	if err := s.journal.file.Close(); err != nil {
		t.Fatal(err)
	}
	accept(t, s, 3, 9)
	holds(t, s, 9, 0)
}

// TestCommitFailsAfterAnswer: mail that was answered outlives a commit that
// failed with it.
func TestCommitFailsAfterAnswer(t *testing.T) {
	for _, durable := range []bool{false, true} {
		folder := state(t)
		s := journalling(t, folder)
		goOn := stalled(t, s)
		accept(t, s, 0, 12)
		s.flush = func(tx *bbolt.Tx) error {
			if durable {
				return errors.Join(tx.Commit(), unix.EIO)
			}
			return errors.Join(tx.Rollback(), unix.EIO)
		}
		goOn()
		<-s.Stopped()
		_ = s.Close()
		holds(t, openAt(t, folder, Options{}), 12, 0)
	}
}

// TestJournalThatVanishes: mail is not answered out of a file that is gone.
func TestJournalThatVanishes(t *testing.T) {
	folder := state(t)
	s := journalling(t, folder)
	if err := os.Remove(filepath.Join(folder, journalName)); err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(t.Context(), mail(0), text(0)); !errors.Is(err, store.ErrStopped) {
		t.Errorf("got %v", err)
	}
	<-s.Stopped()
}

// TestJournalAndLargeMail: mail of all sizes and from many, with commands
// between them: all is kept, once, in a file that is closed or was not.
func TestJournalAndLargeMail(t *testing.T) {
	folder := state(t)
	s := journalling(t, folder)
	var wg sync.WaitGroup
	for sender := range 8 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(sender), 1))
			for i := range 40 {
				n := sender*1000 + i
				if err := s.Accept(context.Background(), mail(n), noise(n, random.IntN(400_000))); err != nil {
					t.Error(err)
				}
				if i%16 == 0 {
					s.settle()
				}
			}
		})
	}
	wg.Wait()
	holds(t, openAt(t, crashed(t, folder), Options{}), 320, 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openAt(t, folder, Options{})
	if again.held() != 0 {
		t.Errorf("%d are held after a stop in order", again.held())
	}
	holds(t, again, 320, 0)
}

// TestJournalOfAnotherDatabase: when a damaged database is put aside, what the
// journal holds goes into the one that takes its place; after a stop in order
// it holds nothing.
func TestJournalOfAnotherDatabase(t *testing.T) {
	for _, inOrder := range []bool{false, true} {
		folder := state(t)
		s := journalling(t, folder)
		goOn := stalled(t, s)
		accept(t, s, 0, 5)
		left, want := crashed(t, folder), 5
		goOn()
		if inOrder {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			left, want = folder, 0
		}
		if _, err := Quarantine(Path(left), start); err != nil {
			t.Fatal(err)
		}
		holds(t, openAt(t, left, Options{}), want, 0)
	}
}

// FuzzJournal: whatever is in the file, reading it ends, and gives entries that
// are whole or an error.
func FuzzJournal(f *testing.F) {
	r, err := newRecords()
	if err != nil {
		f.Fatal(err)
	}
	for n := range 3 {
		m := mail(n)
		bare, _ := r.bare(m)
		record, err := r.entryOf(prepared{id: m.ID, bare: bare, body: pack(text(n))}, m.Copies)
		if err != nil {
			f.Fatal(err)
		}
		e := &entry{record: record}
		f.Add(appendFrame(appendFrame(nil, 1, 0, []*entry{e, e}), 1, uint32(n), []*entry{e}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, record := range readHalf(b).records {
			if _, body, err := r.entry(record); err == nil && body == nil {
				t.Error("an entry without a body")
			}
		}
		_, _, _ = r.entry(b)
	})
}
