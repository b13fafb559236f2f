package bolt

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"lull/store"
)

func newTestCodecs(t testing.TB) (records, bodies) {
	t.Helper()
	r, err := newRecords()
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBodies(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return r, b
}

// filled is a message with something in every field.
func filled() store.Message {
	at := time.Date(2019, 10, 7, 19, 6, 0, 123456789, time.UTC)
	return store.Message{
		ID: "01DPKZ7R3M0000000000000001", Key: "exim:1iHXYZ", Accepted: at,
		Envelope: store.Envelope{From: "a@b", Client: "10.0.0.1", Helo: "h", Auth: "u", TLS: true, Ret: "HDRS", EnvID: "e", UTF8: true, EightBit: true},
		Trace:    "Received: x\r\n", Size: 4096,
		Reading: store.Reading{
			Signature: store.Signature{ID: "s1-x", Title: "t", Format: "icinga", Source: "s", Core: "c", Variant: "v", Version: 1, Recovers: true},
			Reports:   []store.Report{{Object: "web3", State: store.Problem, Kind: "k", Severity: store.Critical, Time: at.Add(-time.Hour)}},
			Subject:   "Störung \xff", From: "A <a@b>", MessageID: "<m>", Answers: true, Sent: at.Add(-time.Minute), Hops: 2,
			Marks: []string{"list-id"}, Digest: "d", DigestHost: "h", Excerpt: "l1\nl2",
		},
		Copies: []store.Copy{
			{Index: 1, To: "x@y", Notify: []string{"NEVER"}, ORcpt: "rfc822;x@y", Reader: "x@y", Class: store.Alert, Reason: "r",
				Number: 7, Incident: "i1", Caught: "o1", Silenced: "r1", Rules: 3},
			{Index: 2, To: "z@y", Reader: "z@y", Class: store.Pass, Number: 8},
		},
	}
}

// TestMessageComesBack: every field, and times to the nanosecond.
func TestMessageComesBack(t *testing.T) {
	r, _ := newTestCodecs(t)
	want := filled()
	bare, err := r.bare(want)
	if err != nil {
		t.Fatal(err)
	}
	value, err := r.encodeMessage(number(7), bare, want.Copies)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.decodeMessage(number(7), value)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("got  %+v\nwant %+v", *got, want)
	}
	if _, err := r.decodeMessage(number(8), value); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("under another key: %v", err)
	}
	zero := store.Message{ID: "x", Copies: []store.Copy{{Number: 1}}}
	bare, _ = r.bare(zero)
	value, _ = r.encodeMessage(number(1), bare, zero.Copies)
	if got, err := r.decodeMessage(number(1), value); err != nil || !reflect.DeepEqual(*got, zero) {
		t.Errorf("a message of zeros: %+v, %v", got, err)
	}
}

// TestEveryFlippedBitIsFound in a record and in a body.
func TestEveryFlippedBitIsFound(t *testing.T) {
	r, b := newTestCodecs(t)
	m := filled()
	bare, _ := r.bare(m)
	record, _ := r.encodeMessage(number(7), bare, m.Copies)
	body := seal(number(7), b.pack(bytes.Repeat([]byte("alert "), 50)))
	for bit := range 8 * len(record) {
		record[bit/8] ^= 1 << (bit % 8)
		if _, err := r.decodeMessage(number(7), record); !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("record, bit %d: %v", bit, err)
		}
		record[bit/8] ^= 1 << (bit % 8)
	}
	for bit := range 8 * len(body) {
		body[bit/8] ^= 1 << (bit % 8)
		if _, err := b.unpack(number(7), body); !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("body, bit %d: %v", bit, err)
		}
		body[bit/8] ^= 1 << (bit % 8)
	}
}

func TestBodiesComeBack(t *testing.T) {
	_, b := newTestCodecs(t)
	noise := make([]byte, 5000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	for name, body := range map[string][]byte{
		"empty": {}, "one": {0}, "text": bytes.Repeat([]byte("CRITICAL disk full\r\n"), 300), "noise": noise,
	} {
		value := seal(number(1), b.pack(body))
		got, err := b.unpack(number(1), value)
		if err != nil || got == nil || !bytes.Equal(got, body) {
			t.Errorf("%s: %d bytes, want %d (%v)", name, len(got), len(body), err)
		}
		if len(value) > len(body)+sealSize+1 {
			t.Errorf("%s: %d bytes kept for %d", name, len(value), len(body))
		}
	}
}

// TestBodyBomb: a small value cannot unpack to more than the limit.
func TestBodyBomb(t *testing.T) {
	_, b := newTestCodecs(t)
	value := seal(number(1), b.pack(make([]byte, 8<<20)))
	if len(value) > 10_000 {
		t.Fatalf("the bomb has %d bytes", len(value))
	}
	if _, err := b.unpack(number(1), value); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("unpacked: %v", err)
	}
}

func TestTooLarge(t *testing.T) {
	_, b := newTestCodecs(t)
	if err := b.fits(make([]byte, 1<<20+1)); !errors.Is(err, store.ErrTooLarge) {
		t.Error(err)
	}
	if err := b.fits(make([]byte, 1<<20)); err != nil {
		t.Error(err)
	}
}
