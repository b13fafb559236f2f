package deliver

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lull/store"
)

func outboxAt(t *testing.T) (*Outbox, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "outbox")
	now := time.Date(2019, 10, 7, 12, 0, 0, 0, time.UTC)
	return NewOutbox(dir, func() time.Time { return now }), dir
}

// files lists what is in a folder below dir, contents by path.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, filepath.Dir(name))
		got[rel] += string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOutbox(t *testing.T) {
	o, dir := outboxAt(t)
	mail := store.Outgoing{From: "a@example.org", To: []store.Target{{Address: "b@example.net"}, {Address: `"x y"@example.net`}, {Address: "bad\n@example.net"}}}
	var accepted []int
	sent := o.Send(t.Context(), mail, func(_ context.Context, to []int) (io.Reader, error) {
		accepted = to
		return strings.NewReader("Subject: x\r\n\r\na\nb\r\n"), nil
	})
	if sent.Outcome != store.Delivered || sent.Reply.Code != 250 || len(accepted) != 2 {
		t.Fatalf("%+v, accepted %v", sent, accepted)
	}
	if !sent.Targets[0].OK() || !sent.Targets[1].OK() || !sent.Targets[2].Permanent() {
		t.Errorf("targets %v", sent.Targets)
	}
	want := map[string]string{
		"b@example.net/new":           "Return-Path: <a@example.org>\r\nDelivered-To: b@example.net\r\nSubject: x\r\n\r\na\nb\r\n",
		"%22x%20y%22@example.net/new": "Return-Path: <a@example.org>\r\nDelivered-To: \"x y\"@example.net\r\nSubject: x\r\n\r\na\nb\r\n",
	}
	got := files(t, dir)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: %q", name, got[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("files in %v", got)
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		if _, err := os.Stat(filepath.Join(dir, "b@example.net", sub)); err != nil {
			t.Error(err)
		}
	}
}

func TestOutboxReaderOf(t *testing.T) {
	o, dir := outboxAt(t)
	o.ReaderOf = func(string) string { return "../the team" }
	mail := store.Outgoing{To: []store.Target{{Address: "b@example.net"}, {Address: "c@example.net"}}}
	if sent := o.Send(t.Context(), mail, ready("Subject: x\n\n")); sent.Outcome != store.Delivered {
		t.Fatalf("%+v", sent)
	}
	got := files(t, dir)["%2E.%2Fthe%20team/new"]
	if !strings.Contains(got, "Return-Path: <>\nDelivered-To: b@example.net\n") || !strings.Contains(got, "Delivered-To: c@example.net\n") {
		t.Errorf("%q", got)
	}
}

func TestOutboxFailures(t *testing.T) {
	o, dir := outboxAt(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// A file where the Maildir of b should be: a fault of one reader.
	if err := os.WriteFile(filepath.Join(dir, "b@example.net"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	both := store.Outgoing{To: []store.Target{{Address: "b@example.net"}, {Address: "c@example.net"}}}
	sent := o.Send(t.Context(), both, ready("x"))
	if sent.Outcome != store.Delivered || sent.Targets[0].OK() || sent.Targets[0].Permanent() || !sent.Targets[1].OK() {
		t.Errorf("one of two: %+v", sent)
	}
	one := store.Outgoing{To: both.To[:1]}
	if sent := o.Send(t.Context(), one, ready("x")); sent.Outcome != store.Refused || sent.Reply.Permanent() {
		t.Errorf("one of one: %+v", sent)
	}
	failing := func(context.Context, []int) (io.Reader, error) { return nil, errors.New("no slot") }
	if sent := o.Send(t.Context(), both, failing); sent.Outcome != store.Refused || !strings.Contains(sent.Reply.Text, "no slot") {
		t.Errorf("not ready: %+v", sent)
	}
	broken := func(context.Context, []int) (io.Reader, error) { return failingReader{"bad checksum"}, nil }
	if sent := o.Send(t.Context(), both, broken); sent.Outcome != store.Refused || !strings.Contains(sent.Targets[1].Text, "bad checksum") {
		t.Errorf("unreadable: %+v", sent)
	}
}

// Many at once, at the same simulated time, and none over another.
func TestOutboxConcurrent(t *testing.T) {
	o, dir := outboxAt(t)
	mail := store.Outgoing{To: []store.Target{{Address: "b@example.net"}}}
	var sending sync.WaitGroup
	for range 20 {
		sending.Go(func() { o.Send(t.Context(), mail, ready("Subject: x\n\n")) })
	}
	sending.Wait()
	if got := strings.Count(files(t, dir)["b@example.net/new"], "Subject: x"); got != 20 {
		t.Errorf("%d of 20 mails", got)
	}
}

func TestFolder(t *testing.T) {
	seen := map[string]string{}
	for _, reader := range []string{
		"", ".", "..", "../x", "/etc/passwd", "a/b", `a\b`, "a%2Fb", "a b", "a\x00b", "-rf", ".hidden", "jörg@example.org", "con:", "~root",
		strings.Repeat("x", 300), strings.Repeat("x", 301), strings.Repeat("/", 300),
	} {
		name := folder(reader)
		if name == "" || len(name) > folderLimit || name[0] == '.' || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%@._+-=") != "" {
			t.Errorf("folder(%q) = %q", reader, name)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("%q and %q are both %q", reader, other, name)
		}
		seen[name] = reader
	}
	if got := folder("a.b+c@example.org"); got != "a.b+c@example.org" {
		t.Errorf("%q", got)
	}
}
