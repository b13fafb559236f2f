package bolt

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"lull/store"
)

// steps is a piece of work for TestNthCommitFails: each is one commit.
func steps() []func(t *testing.T, s *Store) error {
	at := start.Add(1e9)
	var all []func(t *testing.T, s *Store) error
	for n := range 4 {
		all = append(all, func(t *testing.T, s *Store) error { return s.Accept(t.Context(), mail(n*10), text(n*10)) })
	}
	return append(all,
		func(t *testing.T, s *Store) error {
			_, err := s.Operate(t.Context(), store.Operate{ID: "o1", At: at, Kind: store.OpPurge, By: "ops", Filter: "--id " + mail(10).ID})
			return err
		},
		func(t *testing.T, s *Store) error {
			_, err := s.Cut(t.Context(), store.Cut{ID: "d1", At: at, Kind: store.KindDigest, Reader: "reader0@example.org", To: "reader0@example.org"})
			return err
		},
		func(t *testing.T, s *Store) error {
			return s.Begin(t.Context(), store.Begin{ID: "a1", At: at, Batch: "d1", Body: []byte("digest"),
				Seats: []store.Seat{{Reader: "reader0@example.org", To: "reader0@example.org"}}, Limit: store.Limit{Window: 3600e9, Budget: 6, Notices: 4}})
		},
		func(t *testing.T, s *Store) error {
			return s.Mark(t.Context(), store.Mark{At: at, Attempt: "a1", Batch: "d1", Outcome: store.Delivered})
		},
		func(t *testing.T, s *Store) error {
			_, err := s.Undo(t.Context(), store.Undo{Operation: "o1", At: at, By: "ops"})
			return err
		},
	)
}

// TestNthCommitFails fails each commit in turn, once before it was durable and
// once after. The store stops; read anew it has everything that was
// acknowledged, and adds up; the same commands again end alike.
func TestNthCommitFails(t *testing.T) {
	want := string(entries(t, worked(t, steps())))
	for _, durable := range []bool{false, true} {
		for n := range steps() {
			t.Run(fmt.Sprintf("%d durable %v", n, durable), func(t *testing.T) {
				folder := state(t)
				s := openAt(t, folder, Options{noJournal: true})
				commits := 0
				s.flush = func(tx *bbolt.Tx) error {
					if commits++; commits <= n {
						return tx.Commit()
					}
					if durable {
						return errors.Join(tx.Commit(), errors.New("input/output error"))
					}
					return errors.Join(tx.Rollback(), errors.New("input/output error"))
				}
				for i, step := range steps() {
					if err := step(t, s); (err != nil) != (i >= n) || err != nil && !errors.Is(err, store.ErrStopped) {
						t.Fatalf("step %d: %v", i, err)
					}
				}
				<-s.Stopped()
				if !errors.Is(s.Err(), store.ErrStopped) {
					t.Errorf("Err: %v", s.Err())
				}
				_ = s.Close()
				s = openAt(t, folder, Options{})
				noDifferences(t, s, uint64(min(4, n+map[bool]int{true: 1}[durable])))
				for i, step := range steps() {
					if err := step(t, s); err != nil {
						t.Errorf("step %d again: %v", i, err)
					}
				}
				if got := string(entries(t, s)); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func worked(t *testing.T, steps []func(*testing.T, *Store) error) *Store {
	t.Helper()
	s := openAt(t, state(t), Options{})
	for i, step := range steps {
		if err := step(t, s); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	return s
}

// TestWriteFails takes the file away from under bbolt: every write to it
// fails from then on.
func TestWriteFails(t *testing.T) {
	folder := state(t)
	s := openAt(t, folder, Options{noJournal: true})
	accept(t, s, 0, 20)
	null, err := unix.Open(os.DevNull, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range descriptors(t, Path(folder)) {
		if err := unix.Dup2(null, fd); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Accept(t.Context(), mail(20), text(20)); !errors.Is(err, store.ErrStopped) {
		t.Errorf("accept: %v", err)
	}
	if err := s.Accept(t.Context(), mail(21), text(21)); !errors.Is(err, store.ErrStopped) {
		t.Errorf("accept after that: %v", err)
	}
	_ = s.Close()
	s = openAt(t, folder, Options{})
	if got := len(kept(t, s)); got != 20 {
		t.Errorf("%d are kept", got)
	}
	noDifferences(t, s, 20)
}

// descriptors finds where this process has a path open.
func descriptors(t *testing.T, path string) (open []int) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, _ := os.Readlink(link); to == path {
			fd, err := strconv.Atoi(filepath.Base(link))
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, fd)
		}
	}
	if len(open) == 0 {
		t.Fatalf("%s is not open", path)
	}
	return open
}

// TestKill9: ten times a child accepts mail from 32 senders, tells which it
// acknowledged, and is killed. Nothing it told is lost, and everything adds up.
func TestKill9(t *testing.T) {
	folder := state(t)
	acknowledged := map[string]bool{}
	for round := range 10 {
		cmd := child(t, "accept", folder)
		cmd.Env = append(cmd.Env, "LULL_TEST_ROUND="+strconv.Itoa(round))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			acknowledged[lines.Text()] = true
			if n == 100+round*37 {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
		s := openAt(t, folder, Options{})
		ids := kept(t, s)
		for id := range acknowledged {
			if !ids[id] {
				t.Fatalf("round %d: %s was acknowledged and is lost", round, id)
			}
		}
		noDifferences(t, s, uint64(len(ids)))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := Check(Path(folder)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledged", len(acknowledged))
}

// acceptUntilKilled is the child of TestKill9.
func acceptUntilKilled(folder string, round int) error {
	s, err := Open(folder, Options{})
	if err != nil {
		return err
	}
	var told sync.Mutex
	var wg sync.WaitGroup
	for sender := range 32 {
		wg.Go(func() {
			for i := 0; ; i++ {
				n := round*10_000_000 + i*32 + sender
				m := mail(n)
				if err := s.Accept(noContext(), m, text(n)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				told.Lock()
				_, _ = io.WriteString(os.Stdout, m.ID+"\n")
				told.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.New("the senders ended")
}

// smallDisk mounts a filesystem of some MiB; that takes root.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	folder := t.TempDir()
	err := unix.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=700", size))
	if errors.Is(err, unix.EPERM) && os.Getenv("LULL_E2E") == "" {
		t.Skip("mounting a small filesystem takes root")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	return folder
}

// fill accepts noise until an error, and returns it with the next number.
func fill(t *testing.T, s *Store, from int) (int, error) {
	t.Helper()
	for n := from; ; n++ {
		if err := s.Accept(t.Context(), mail(n), noise(n, 200_000)); err != nil {
			return n, err
		}
	}
}

// TestFullDisk: full is told before anything is written, the store stays up,
// an operator can make room, and a start on a full disk works.
func TestFullDisk(t *testing.T) {
	folder := smallDisk(t, 100)
	o := Options{Reserve: 8 * mebibyte}
	s := openAt(t, folder, o)
	if err := s.Room(t.Context()); err != nil {
		t.Error("at the beginning:", err)
	}
	n, err := fill(t, s, 0)
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "must stay free") || n < 100 {
		t.Fatalf("after %d: %v", n, err)
	}
	rest := filepath.Join(folder, "somebody else's")
	occupy(t, rest)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, folder, o)
	if err := s.Accept(t.Context(), mail(n), text(n)); !errors.Is(err, store.ErrFull) {
		t.Fatalf("on a disk without a free block: %v", err)
	}
	if err := s.Room(t.Context()); !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "must stay free") {
		t.Errorf("room on a disk without a free block: %v", err)
	}
	noDifferences(t, s, uint64(n))
	purge := store.Operate{ID: "o1", At: start.Add(3600e9), Kind: store.OpPurge, By: "ops", Filter: "--from root@*", Forever: true}
	if op, err := s.Operate(t.Context(), purge); err != nil || op.Copies != n {
		t.Fatalf("purge of all %d: %+v, %v", n, op, err)
	}
	acceptSoon(t, s, n)
	accept(t, s, n+1, n+20)
	if err := s.Room(t.Context()); err != nil {
		t.Error("after the purge:", err)
	}
	noDifferences(t, s, uint64(n+20))
	if s.Err() != nil {
		t.Error(s.Err())
	}
}

// TestDiskThatLies says that there is room where there is none: the commit
// fails, the store stops, and has lost nothing when it is read anew.
func TestDiskThatLies(t *testing.T) {
	folder := smallDisk(t, 40)
	s, err := open(folder, Options{}.withDefaults(), disk{
		statfs: func(_ string, s *unix.Statfs_t) error {
			s.Blocks, s.Bavail, s.Bsize = 1<<40, 1<<40, 4096
			return nil
		},
		fallocate: func(int, uint32, int64, int64) error { return unix.EOPNOTSUPP },
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := fill(t, s, 0)
	if !errors.Is(err, store.ErrStopped) || !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("after %d: %v", n, err)
	}
	_ = s.Close()
	if err := Check(Path(folder)); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, folder, Options{})
	if got := len(kept(t, s)); got != n {
		t.Errorf("%d are kept, %d were acknowledged", got, n)
	}
	noDifferences(t, s, uint64(n))
}

func TestMaxSize(t *testing.T) {
	folder := state(t)
	s := openAt(t, folder, Options{MaxSize: 30 * mebibyte})
	n, err := fill(t, s, 0)
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "max_size of 30 MiB") {
		t.Fatalf("after %d: %v", n, err)
	}
	if info, _ := os.Stat(Path(folder)); info.Size() > 64*mebibyte {
		t.Errorf("the file has %d MiB", info.Size()/mebibyte)
	}
	purge := store.Operate{ID: "o1", At: start.Add(3600e9), Kind: store.OpPurge, By: "ops", Forever: true}
	if _, err := s.Operate(t.Context(), purge); err != nil {
		t.Fatal(err)
	}
	acceptSoon(t, s, n)
	accept(t, s, n+1, n+20)
	noDifferences(t, s, uint64(n+20))
}

// acceptSoon accepts a mail while bodies are being removed: each commit removes
// some, so few attempts must do.
func acceptSoon(t *testing.T, s *Store, n int) {
	t.Helper()
	var err error
	for range 50 {
		if err = s.Accept(t.Context(), mail(n), text(n)); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// occupy takes every free block.
func occupy(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// TestBodiesGoALittleAtATime: purged for good they are found no more at once,
// and are removed over many commits, also by the next process.
func TestBodiesGoALittleAtATime(t *testing.T) {
	const mails = 3000
	folder := state(t)
	commits := make(chan Commit, 2*mails)
	o := Options{OnCommit: func(c Commit) { commits <- c }}
	s := openAt(t, folder, o)
	acceptAll(t, s, mails)
	purge := store.Operate{ID: "o1", At: start.Add(3600e9), Kind: store.OpPurge, By: "ops", Filter: "--reader reader1@example.org --reader reader2@example.org " +
		"--reader reader3@example.org --reader reader4@example.org --reader reader5@example.org", Forever: true}
	if op, err := s.Operate(t.Context(), purge); err != nil || op.Copies != mails/2 {
		t.Fatalf("%+v, %v", op, err)
	}
	gone := func() {
		t.Helper()
		for n := range mails {
			_, err := s.Body(t.Context(), mail(n).ID)
			if purged := n%10 >= 1 && n%10 <= 5; purged != errors.Is(err, store.ErrNotFound) || !purged && err != nil {
				t.Fatalf("body %d: %v", n, err)
			}
		}
	}
	gone()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, folder, o)
	gone()
	for !s.dropped.Load().IsEmpty() {
		<-commits
	}
	left := 0
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(segmentName(bodiesOf, 1)).ForEach(func(_, _ []byte) error { left++; return nil })
	})
	if err != nil || left != mails/2 {
		t.Errorf("%d bodies are left, want %d (%v)", left, mails/2, err)
	}
	gone()
}
