package spool

import (
	"slices"
	"strings"
	"testing"
)

func TestKeysInEnvelopeIDs(t *testing.T) {
	key := Entry{Name: "01JDQ0000000000000000000AB", Sum: strings.Repeat("0a", 32)}.Key()
	keys := []string{NewKey([]byte("x"))}
	for _, p := range slices.Concat(Parts(key, make([]string, 1), false), Parts(key, make([]string, 100), false), Parts(key, make([]string, 9), true)) {
		keys = append(keys, p.Key)
	}
	for _, k := range keys {
		for _, id := range []string{"", "id", "a;b"} {
			if gotKey, gotID := WithoutKey(WithKey(k, id)); gotKey != k || gotID != id {
				t.Errorf("%s and %q come back as %s and %q", k, id, gotKey, gotID)
			}
		}
	}
	for _, id := range []string{"", "id", "spool:", "spool:x:y", "x" + key, key + "x", key[1:] + ";x", key + ":", key + "\n"} {
		if k, rest := WithoutKey(id); k != "" || rest != id {
			t.Errorf("%q has the key %q", id, k)
		}
	}
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != 102 { // the entry alone, and whole, have one key
		t.Errorf("%d keys, want 102", n)
	}
	if len(NewKey(nil)) > 100 {
		t.Error("an envelope id of more than 100 octets is not one (RFC 3461 section 4.4)")
	}
}

// TestWhole: what was offered to the daemon before has the key of then, and one
// part; a key that is none counts for nothing.
func TestWhole(t *testing.T) {
	offered := NewKey([]byte("x"))
	e := Entry{Name: "01JDQ0000000000000000000AB", Sum: strings.Repeat("0a", 32)}
	e.To = []string{"a", "b"}
	for once, whole := range map[string]bool{offered: true, "": false, "x": false, offered + ";x": false} {
		e.Once = once
		parts := Parts(e.Key(), e.To, e.Whole())
		if e.Whole() != whole || (len(parts) == 1) != whole || (e.Key() == offered) != whole {
			t.Errorf("%q: %v", once, parts)
		}
	}
}
