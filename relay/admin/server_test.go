package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lull/store"
)

// fakeStore has n copies, and fails after the given number of them.
type fakeStore struct {
	Store
	copies, failAfter int
	operated          store.Operate
}

var errDisk = errors.New("disk on fire")

// Count knows only how many there are in all.
func (f *fakeStore) Count(_ context.Context, q store.Query) (uint64, bool, error) {
	return uint64(f.copies) - q.After, q.Filter == "", nil
}

func (f *fakeStore) Copies(_ context.Context, q store.Query) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		for n := 1; n <= f.copies; n++ {
			e := sentAt(time.Now())
			e.Message.ID, e.Copy.Number, e.Fate = fmt.Sprintf("m%03d", n), uint64(n), store.Waiting
			if len(q.IDs) > 0 && q.IDs[0] != e.ID() || e.Copy.Number <= q.After {
				continue
			}
			if f.failAfter > 0 && n > f.failAfter {
				yield(store.Entry{}, errDisk)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fakeStore) Operate(_ context.Context, o store.Operate) (store.Operation, error) {
	f.operated = o
	return store.Operation{ID: o.ID, Kind: o.Kind, By: o.By, Copies: 3, Incidents: 2, Readers: 1}, nil
}

func (f *fakeStore) Undo(context.Context, store.Undo) (store.Operation, error) {
	return store.Operation{}, store.ErrNotFound
}

// Rules has one that operation o7 left.
func (f *fakeStore) Rules(context.Context) iter.Seq2[store.Rule, error] {
	return func(yield func(store.Rule, error) bool) {
		yield(store.Rule{ID: "r7", Kind: store.RuleGroup, Operation: "o7"}, nil)
	}
}

// start runs a server over a store and returns a client of it.
func start(t *testing.T, s Store) *Client {
	t.Helper()
	folder := t.TempDir()
	l, err := Listen(folder)
	if err != nil {
		t.Fatal(err)
	}
	srv := New(Config{Store: s, Wake: func() {}, Live: func() Live { return Live{} }})
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	c := NewClient(folder)
	t.Cleanup(func() {
		c.Close()
		if err := srv.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c
}

func collect[T any](l *Lines[T]) (list []T, err error) {
	for v, e := range l.All() {
		if e != nil {
			return list, e
		}
		list = append(list, v)
	}
	return list, nil
}

func TestListsPage(t *testing.T) {
	c := start(t, &fakeStore{copies: 250})
	for _, test := range []struct {
		page               Page
		filter             string
		first, lines, more int
	}{
		{Page{}, "", 1, 250, 0},
		{Page{Limit: 10}, "", 1, 10, 1},
		{Page{Limit: 10, Count: true}, "", 1, 10, 240},
		{Page{Limit: 250, Count: true}, "", 1, 250, 0},
		{Page{After: "m100.1", Limit: 20, Count: true}, "", 101, 20, 130},
		{Page{After: "m250.1"}, "", 0, 0, 0},
		{Page{Limit: 10, Count: true}, "--subject PROBLEM", 1, 10, CountMost},
		{Page{Limit: 100, Count: true}, "--subject PROBLEM", 1, 100, 150},
	} {
		l := c.Copies(t.Context(), Selection{Page: test.page, Filter: test.filter})
		list, err := collect(l)
		if err != nil {
			t.Fatalf("%+v: %v", test.page, err)
		}
		if len(list) != test.lines || l.More != test.more {
			t.Errorf("%+v: got %d lines and %d more, want %d and %d", test.page, len(list), l.More, test.lines, test.more)
		}
		if test.first > 0 && list[0].Number != uint64(test.first) {
			t.Errorf("%+v: first is %d, want %d", test.page, list[0].Number, test.first)
		}
	}
}

// TestFaultAfterTheFirstLine is told all the same.
func TestFaultAfterTheFirstLine(t *testing.T) {
	c := start(t, &fakeStore{copies: 250, failAfter: 120})
	list, err := collect(c.Copies(t.Context(), Selection{}))
	if len(list) != 120 || code(err) != Internal || !strings.Contains(err.Error(), errDisk.Error()) {
		t.Errorf("got %d lines and %v", len(list), err)
	}
}

func TestFaultsReachTheClient(t *testing.T) {
	c := start(t, &fakeStore{copies: 3})
	_, err := collect(c.Copies(t.Context(), Selection{Filter: "--form x"}))
	if code(err) != Usage {
		t.Errorf("wrong filter: %v", err)
	}
	if _, err := collect(c.Group(t.Context(), "colour", Selection{})); code(err) != Usage {
		t.Errorf("wrong grouping: %v", err)
	}
	if _, err := collect(c.Show(t.Context(), "nobody")); code(err) != NotFound {
		t.Errorf("wrong id: %v", err)
	}
	if _, err := c.Undo(t.Context(), "o1"); code(err) != NotFound || !strings.Contains(err.Error(), "lull operations") {
		t.Errorf("wrong operation: %v", err)
	}
	if _, err := c.ChangeRule(t.Context(), "add", RuleChange{Kind: "purge", Filter: "--from a@b", Reason: "x"}); code(err) != Usage {
		t.Errorf("a purge rule without end: %v", err)
	}
}

// TestAuthorIsTheCaller: the kernel says who, not the request.
func TestAuthorIsTheCaller(t *testing.T) {
	s := &fakeStore{}
	c := start(t, s)
	done, err := c.Change(t.Context(), Change{Kind: "purge", Filter: "--from a@b", Reason: "T1", Act: true, For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	want := userName("/etc/passwd", uint32(os.Getuid()))
	if !strings.HasSuffix(s.operated.By, want) {
		t.Errorf("by %q, want %q", s.operated.By, want)
	}
	if done.Undo != "lull undo "+done.Operation || done.Copies != 3 {
		t.Errorf("%+v", done)
	}
	if r := s.operated.Rule; r == nil || r.Operation != s.operated.ID || r.Filter != "--from a@b" || r.Expires.Sub(r.Created) != time.Hour {
		t.Errorf("rule %+v", r)
	}
}

func TestUserNameIsLocal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(file, []byte("root:x:0:0::/root:/bin/sh\nbroken\nanna:x:1000:1000::/:/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[uint32]string{0: "root", 1000: "anna", 77: "uid 77"} {
		if got := userName(file, uid); got != want {
			t.Errorf("%d: got %q, want %q", uid, got, want)
		}
	}
	if got := userName(file+".gone", 5); got != "uid 5" {
		t.Errorf("without a file: %q", got)
	}
	if me, err := user.Current(); err == nil && me.Uid == "0" && userName("/etc/passwd", 0) != "root" {
		t.Error("root is not named")
	}
}

func TestNobodyThere(t *testing.T) {
	folder := t.TempDir()
	c := NewClient(folder)
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrAway) {
		t.Errorf("no socket: %v", err)
	}
	l, err := Listen(folder)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := os.WriteFile(filepath.Join(folder, SocketName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrAway) || !strings.Contains(err.Error(), "lull serve") {
		t.Errorf("dead socket: %v", err)
	}
}

func TestListenIsForTheOwnerAlone(t *testing.T) {
	folder := t.TempDir()
	l, err := Listen(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	info, err := os.Stat(filepath.Join(folder, SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	long := filepath.Join(folder, strings.Repeat("x", 100))
	if _, err := Listen(long); err == nil || !strings.Contains(err.Error(), "shorter") {
		t.Errorf("long path: %v", err)
	}
}
