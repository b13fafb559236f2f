package demo

import (
	"testing"
)

func TestScript(t *testing.T) {
	d := october7()
	letters := script(d, 1, 420)
	byKind := make(map[kind]int)
	for i, l := range letters {
		byKind[l.kind]++
		if i > 0 && l.at.Before(letters[i-1].at) {
			t.Fatalf("letter %d is out of order", i)
		}
		if l.at.Before(d.begin) {
			t.Errorf("letter %d is before the day", i)
		}
	}
	if len(letters) < 20_000 {
		t.Errorf("%d letters, want at least 20,000", len(letters))
	}
	for _, k := range []kind{maintainers, staff, people} {
		if byKind[k] == 0 {
			t.Errorf("no letters for %s", k)
		}
	}
	t.Log(len(letters), byKind)
}
