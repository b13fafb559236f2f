package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"lull/store"
)

func newTestRecords(t testing.TB) records {
	t.Helper()
	r, err := newRecords()
	if err != nil {
		t.Fatal(err)
	}
	return r
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
	r := newTestRecords(t)
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
	r := newTestRecords(t)
	m := filled()
	bare, _ := r.bare(m)
	record, _ := r.encodeMessage(number(7), bare, m.Copies)
	body := seal(number(7), pack(bytes.Repeat([]byte("alert "), 50)))
	none := func([]byte) []byte { return nil }
	for bit := range 8 * len(record) {
		record[bit/8] ^= 1 << (bit % 8)
		if _, err := r.decodeMessage(number(7), record); !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("record, bit %d: %v", bit, err)
		}
		record[bit/8] ^= 1 << (bit % 8)
	}
	for bit := range 8 * len(body) {
		body[bit/8] ^= 1 << (bit % 8)
		if _, err := unpack(number(7), body, none); !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("body, bit %d: %v", bit, err)
		}
		body[bit/8] ^= 1 << (bit % 8)
	}
}

// keptBody puts a body into pieces, and takes it out of them.
func keptBody(body []byte) (kept map[string][]byte, open func() ([]byte, error)) {
	key := number(1)
	kept = map[string][]byte{}
	pieces(key, pack(body), func(k, piece []byte) { kept[string(k)] = piece })
	return kept, func() ([]byte, error) {
		return unpack(key, kept[string(key)], func(k []byte) []byte { return kept[string(k)] })
	}
}

func TestBodiesComeBack(t *testing.T) {
	for name, tt := range map[string]struct {
		body   []byte
		pieces int
	}{
		"empty":             {[]byte{}, 1},
		"one":               {[]byte{0}, 1},
		"text":              {bytes.Repeat([]byte("CRITICAL disk full\r\n"), 300), 1},
		"noise":             {noise(1, 5000), 1},
		"just one piece":    {noise(1, pieceSize), 1},
		"more than a piece": {noise(1, pieceSize+1), 2},
		"many pieces":       {noise(1, 10*pieceSize), 10},
	} {
		kept, open := keptBody(tt.body)
		got, err := open()
		if err != nil || got == nil || !bytes.Equal(got, tt.body) {
			t.Errorf("%s: %d bytes, want %d (%v)", name, len(got), len(tt.body), err)
		}
		size := 0
		for key, piece := range kept {
			size += len(piece)
			if len(piece) > headSize+pieceSize {
				t.Errorf("%s: piece %x has %d bytes", name, key, len(piece))
			}
		}
		if len(kept) != tt.pieces || pieceCount(kept[string(number(1))]) != tt.pieces {
			t.Errorf("%s: %d pieces, counted %d", name, len(kept), pieceCount(kept[string(number(1))]))
		}
		if size > len(tt.body)+headSize+sealSize*len(kept) {
			t.Errorf("%s: %d bytes kept for %d", name, size, len(tt.body))
		}
	}
}

// TestPiecesOfABody: one that is missing, damaged or in another's place is found.
func TestPiecesOfABody(t *testing.T) {
	second, third := string(pieceKey(number(1), 1)), string(pieceKey(number(1), 2))
	for name, ruin := range map[string]func(kept map[string][]byte){
		"missing":  func(kept map[string][]byte) { delete(kept, second) },
		"damaged":  func(kept map[string][]byte) { kept[second][100] ^= 1 },
		"swapped":  func(kept map[string][]byte) { kept[second], kept[third] = kept[third], kept[second] },
		"cut":      func(kept map[string][]byte) { kept[second] = seal([]byte(second), kept[second][:50]) },
		"headless": func(kept map[string][]byte) { kept[string(number(1))] = seal(number(1), make([]byte, sealSize+2)) },
	} {
		kept, open := keptBody(noise(1, 3*pieceSize))
		ruin(kept)
		if _, err := open(); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBodyBomb: a small value cannot unpack to more than the limit.
func TestBodyBomb(t *testing.T) {
	kept, open := keptBody([]byte(strings.Repeat("alert ", 100)))
	first := kept[string(number(1))]
	claim := binary.AppendUvarint(nil, mostUnpacked+1)
	copy(first[headSize:], claim)
	seal(number(1), first)
	if body, err := open(); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("unpacked to %d bytes: %v", len(body), err)
	}
}
