package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestDocumentsAreCurrent: docs/man is what the tree and the configuration say
// today, no more and no less.
func TestDocumentsAreCurrent(t *testing.T) {
	const folder = "../../docs"
	const remedy = "run: go run ./cmd/lull gen-docs docs"
	want := documents(tree(&session{screen: &screen{}}))
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(got) != text {
			t.Errorf("%s is out of date (%v); %s", name, err, remedy)
		}
	}
	entries, err := os.ReadDir(filepath.Join(folder, "man"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := want["man/"+e.Name()]; !ok {
			t.Errorf("%s is of no command; remove it (there are %v)", e.Name(), slices.Sorted(maps.Keys(want)))
		}
	}
}
