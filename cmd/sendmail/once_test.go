package main

import (
	"slices"
	"strings"
	"testing"

	"lull/relay/spool"
)

// TestDiesAfterTheDot: a server takes a message and dies before it says so. What
// is left in the spool has the key that the server had, and the recipients; one
// that was put off before has an entry of its own. When it is tried again, it is
// with that key, for all of them at once.
func TestDiesAfterTheDot(t *testing.T) {
	b := newBench(t, false)
	b.hush(true)
	if code, _, errs := b.call("Subject: x\n\ny\n", "sendmail -f www -V e1 a 451 b"); code != ok {
		t.Fatalf("%d %s", code, errs)
	}
	key, id := spool.WithoutKey(b.received()[0].opt.EnvelopeID)
	whole := 0
	for _, e := range b.entries() {
		want := []string{"451"}
		if e.Whole() {
			want = []string{"a", "b"}
			whole++
		}
		if !slices.Equal(e.To, at(want)) || e.EnvID != "e1" || e.Whole() && e.Once != key {
			t.Errorf("entry %+v", e.Envelope)
		}
	}
	if len(b.entries()) != 2 || whole != 1 || id != "e1" {
		t.Fatalf("%d entries, %d whole", len(b.entries()), whole)
	}

	b.hush(false)
	if code, _, _ := b.call("", "sendmail -q"); code != tempFail && code != ok {
		t.Errorf("-q ends with %d", code)
	}
	mails := b.received()
	again := mails[len(mails)-1]
	if got, _ := spool.WithoutKey(again.opt.EnvelopeID); got != key || !slices.Equal(again.to, at([]string{"a", "b"})) {
		t.Errorf("tried again with %s to %v, want %s", again.opt.EnvelopeID, again.to, key)
	}
}

// TestAllOrNone: a recipient that is put off holds back the others that were
// offered with it under one key: the daemon would not take the rest later.
func TestAllOrNone(t *testing.T) {
	b := newBench(t, false)
	key := spool.NewKey([]byte("x"))
	if err := b.spool.Put(spool.Envelope{To: at([]string{"a", "451"}), Once: key}, []byte("x\r\n")); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := b.call("", "sendmail -q"); code != tempFail || !strings.Contains(errs, "451") {
		t.Errorf("%d %s", code, errs)
	}
	if len(b.received()) != 0 || len(b.entries()) != 1 {
		t.Errorf("%d mails, %d entries", len(b.received()), len(b.entries()))
	}
}
