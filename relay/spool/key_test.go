package spool

import (
	"strings"
	"testing"
)

func TestKeysInEnvelopeIDs(t *testing.T) {
	key := Entry{Name: "01JDQ0000000000000000000AB", Sum: strings.Repeat("0a", 32)}.Key()
	for _, k := range []string{KeyOf(key, 0, 1), KeyOf(key, 0, 2), KeyOf(key, 99, 100)} {
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
	if KeyOf(key, 0, 2) == KeyOf(key, 1, 2) {
		t.Error("two recipients have one key")
	}
}
