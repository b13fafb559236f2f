package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"lull/store"
)

var start = time.Date(2019, 10, 7, 14, 0, 0, 0, time.UTC)

// mail is the nth message of a test, for one reader out of ten.
func mail(n int) store.Message {
	reader := fmt.Sprintf("reader%d@example.org", n%10)
	at := start.Add(time.Duration(n) * time.Millisecond)
	object := fmt.Sprintf("host%d", n%977)
	return store.Message{
		ID:       fmt.Sprintf("%026d", n),
		Accepted: at,
		Envelope: store.Envelope{From: fmt.Sprintf("root@host%d.example.org", n%7), Client: "10.0.0.1", Helo: object},
		Trace:    "Received: from client by lull; Mon, 7 Oct 2019 14:00:00 +0000\r\n",
		Size:     4096,
		Reading: store.Reading{
			Signature: store.Signature{ID: fmt.Sprintf("s1-%026d", n%50), Title: "PROBLEM Service Alert: <host>/disk is CRITICAL",
				Format: "icinga", Source: "example.org icinga", Core: "problem service alert <host> disk critical", Version: 1, Recovers: true},
			Reports: []store.Report{{Object: object, State: store.Problem, Severity: store.Critical, Time: at}},
			Subject: "PROBLEM Service Alert: " + object + "/disk is CRITICAL", From: "icinga@example.org",
			MessageID: fmt.Sprintf("<%d@%s>", n, object), Sent: at.Add(-time.Second), Hops: 1,
			Excerpt: "Disk /srv on " + object + ": 98% used\nsince 13:59:58\nNotification type: PROBLEM\nAdditional info: DISK CRITICAL",
		},
		Copies: []store.Copy{{Index: 1, To: reader, Reader: reader, Class: store.Alert, Reason: "known format icinga"}},
	}
}

func text(n int) []byte { return fmt.Appendf(nil, "Subject: mail %d\r\n\r\nbody of %d\r\n", n, n) }

// noise is a body that cannot be packed.
func noise(n, size int) []byte {
	b := make([]byte, size)
	x := uint64(n)*0x9e3779b97f4a7c15 + 1
	for i := 0; i+8 <= size; i += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		binary.LittleEndian.PutUint64(b[i:], x)
	}
	return b
}

func noContext() context.Context { return context.Background() }

// openAt opens a store that the test closes at its end.
func openAt(t testing.TB, folder string, o Options) *Store {
	t.Helper()
	s, err := Open(folder, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func state(t testing.TB) string { return filepath.Join(t.TempDir(), "state") }

func accept(t testing.TB, s *Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := s.Accept(t.Context(), mail(n), text(n)); err != nil {
			t.Fatalf("mail %d: %v", n, err)
		}
	}
}

// acceptAll accepts mail from many senders at once: few commits do.
func acceptAll(t testing.TB, s *Store, mails int) {
	t.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 128 {
		wg.Go(func() {
			for n := int(next.Add(1)) - 1; n < mails; n = int(next.Add(1)) - 1 {
				if err := s.Accept(t.Context(), mail(n), text(n)); err != nil {
					t.Errorf("mail %d: %v", n, err)
				}
			}
		})
	}
	wg.Wait()
}

// kept lists the ids of all messages, and fails on any other error than damage.
func kept(t testing.TB, s *Store) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for e, err := range s.Copies(t.Context(), store.Query{At: start}) {
		if err != nil {
			if errors.Is(err, store.ErrCorrupt) {
				continue
			}
			t.Fatal(err)
		}
		ids[e.Message.ID] = true
	}
	return ids
}

func noDifferences(t testing.TB, s *Store, accepted uint64) {
	t.Helper()
	audit, err := s.Audit(t.Context())
	if err != nil || len(audit.Differences) > 0 || audit.Accepted != accepted {
		t.Errorf("audit: %d accepted, want %d; differences %q; %v", audit.Accepted, accepted, audit.Differences, err)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	folder := state(t)
	s := openAt(t, folder, Options{})
	acceptAll(t, s, 300)
	before := entries(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, folder, Options{})
	if after := entries(t, s); !bytes.Equal(before, after) {
		t.Errorf("before %d bytes, after %d:\n%.500s\n%.500s", len(before), len(after), before, after)
	}
	for n := range 300 {
		if body, err := s.Body(t.Context(), mail(n).ID); err != nil || !bytes.Equal(body, text(n)) {
			t.Fatalf("body %d: %q, %v", n, body, err)
		}
	}
	noDifferences(t, s, 300)
	if len(s.Damaged()) > 0 {
		t.Errorf("damaged: %v", s.Damaged())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Check(Path(folder)); err != nil {
		t.Error(err)
	}
}

// entries is everything that a list shows.
func entries(t testing.TB, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	for e, err := range s.Copies(t.Context(), store.Query{At: start}) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v %+v %s %s\n", *e.Message, e.Copy, e.Fate, e.In)
	}
	return b.Bytes()
}

func TestSecondOpenerIsRefused(t *testing.T) {
	folder := state(t)
	openAt(t, folder, Options{})
	if _, err := Open(folder, Options{Timeout: 50 * time.Millisecond}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestAfterClose(t *testing.T) {
	s := openAt(t, state(t), Options{})
	accept(t, s, 0, 1)
	if s.Err() != nil {
		t.Error(s.Err())
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Accept(t.Context(), mail(1), text(1)); !errors.Is(err, store.ErrStopped) {
		t.Errorf("accept: %v", err)
	}
	if !errors.Is(s.Err(), store.ErrStopped) {
		t.Errorf("Err: %v", s.Err())
	}
}

// TestCloseAnswersWhatWaits: nothing that was handed in is left without the
// truth.
func TestCloseAnswersWhatWaits(t *testing.T) {
	folder := state(t)
	s := openAt(t, folder, Options{})
	const senders = 64
	answers := make(chan error, senders)
	for n := range senders {
		go func() { answers <- s.Accept(context.Background(), mail(n), text(n)) }()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good := 0
	for range senders {
		if err := <-answers; err == nil {
			good++
		} else if !errors.Is(err, store.ErrStopped) {
			t.Errorf("got %v", err)
		}
	}
	s = openAt(t, folder, Options{})
	if got := len(kept(t, s)); got != good {
		t.Errorf("%d are kept, %d were acknowledged", got, good)
	}
}

// TestFileThatVanishes: no mail is acknowledged that would be lost with the
// file, and without mail Watch finds out.
func TestFileThatVanishes(t *testing.T) {
	ways := map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+"x", nil, 0o600), os.Rename(path+"x", path))
		},
	}
	notices := map[string]func(s *Store) error{
		"by a commit": func(s *Store) error { return s.Accept(t.Context(), mail(1), text(1)) },
		"by Watch":    (*Store).Watch,
	}
	for way, lose := range ways {
		for by, notice := range notices {
			t.Run(way+", noticed "+by, func(t *testing.T) {
				folder := state(t)
				s := openAt(t, folder, Options{})
				accept(t, s, 0, 1)
				if err := errors.Join(s.Watch(), lose(Path(folder))); err != nil {
					t.Fatal(err)
				}
				if err := notice(s); !errors.Is(err, store.ErrStopped) {
					t.Errorf("got %v", err)
				}
				<-s.Stopped()
				if err := s.Accept(t.Context(), mail(2), text(2)); !errors.Is(err, store.ErrStopped) {
					t.Errorf("accept: %v", err)
				}
			})
		}
	}
}

// TestCheckBeforeOpening: the hook sees an existing database, locked, and its
// verdict counts.
func TestCheckBeforeOpening(t *testing.T) {
	folder := state(t)
	var seen []string
	bad := errors.New("bad")
	verdict := error(nil)
	o := Options{Timeout: time.Millisecond, Check: func(path string) error {
		seen = append(seen, path)
		if _, err := lock(folder, 0); !errors.Is(err, ErrLocked) {
			t.Errorf("the folder is not locked: %v", err)
		}
		return errors.Join(Check(path), verdict)
	}}
	for i, want := range []error{nil, nil, bad} {
		if i == 2 {
			verdict = bad
		}
		s, err := Open(folder, o)
		if !errors.Is(err, want) {
			t.Errorf("open %d: %v", i, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	if len(seen) != 2 || seen[0] != Path(folder) {
		t.Errorf("checked %q", seen)
	}
}

// TestCallerThatLeaves: a command is taken back when the writer has not begun
// it, and waited for when it has.
func TestCallerThatLeaves(t *testing.T) {
	folder := state(t)
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, folder, Options{noJournal: true})
		goOn := make(chan bool)
		s.flush = func(tx *bbolt.Tx) error {
			<-goOn
			return tx.Commit()
		}
		first, second := make(chan error, 1), make(chan error, 1)
		ctx, leave := context.WithCancel(t.Context())
		go func() { first <- s.Accept(ctx, mail(1), text(1)) }()
		synctest.Wait() // the writer is in the commit
		go func() { second <- s.Accept(ctx, mail(2), text(2)) }()
		synctest.Wait()
		leave()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Errorf("the second: %v", err)
		}
		close(goOn)
		if err := <-first; err != nil {
			t.Errorf("the first: %v", err)
		}
		accept(t, s, 3, 4)
		if ids := kept(t, s); len(ids) != 2 || ids[mail(2).ID] {
			t.Errorf("kept %v", ids)
		}
	})
}

func TestTooLargeIsNotKept(t *testing.T) {
	s := openAt(t, state(t), Options{MaxMessage: 1000})
	if err := s.Accept(t.Context(), mail(1), make([]byte, 1001)); !errors.Is(err, store.ErrTooLarge) {
		t.Error(err)
	}
	noDifferences(t, s, 0)
}

// TestDamagedRecordsAlone: what is damaged says so, everything else works.
func TestDamagedRecordsAlone(t *testing.T) {
	folder := state(t)
	s := openAt(t, folder, Options{})
	accept(t, s, 0, 100)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	flip := func(kind string, n uint64) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			b := tx.Bucket(segmentName(kind, 1))
			v := bytes.Clone(b.Get(number(n)))
			v[len(v)/2] ^= 4
			return b.Put(number(n), v)
		}
	}
	change(t, Path(folder), flip(messagesOf, 31))
	change(t, Path(folder), flip(bodiesOf, 41))
	s = openAt(t, folder, Options{})
	if d := s.Damaged(); len(d) != 1 || !errors.Is(d[0], store.ErrCorrupt) {
		t.Errorf("damaged: %v", d)
	}
	if ids := kept(t, s); len(ids) != 99 || ids[mail(30).ID] {
		t.Errorf("%d are listed", len(ids))
	}
	if _, err := s.Body(t.Context(), mail(40).ID); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("the damaged body: %v", err)
	}
	if b, err := s.Body(t.Context(), mail(41).ID); err != nil || !bytes.Equal(b, text(41)) {
		t.Errorf("the next body: %q, %v", b, err)
	}
	accept(t, s, 100, 101)
	op, err := s.Operate(t.Context(), store.Operate{ID: "o1", At: start, Kind: store.OpPurge, By: "ops", Filter: "--reader reader0@example.org"})
	if err != nil || op.Copies != 10 {
		t.Errorf("purge: %+v, %v", op, err)
	}
}
