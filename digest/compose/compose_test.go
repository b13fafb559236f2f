package compose_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lull/digest/compose"
	"lull/digest/compose/composetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scenes are the digests that the golden files show.
func scenes() map[string]compose.Input {
	return map[string]compose.Input{
		"quiet":     composetest.Quiet(),
		"storm":     composetest.Storm(20_000),
		"recovered": composetest.OnlyRecovered(),
		"late":      composetest.OnlyLate(),
		"hostile":   composetest.Hostile(),
		"many":      composetest.Many(10_000),
		"scripts":   composetest.Scripts(),
		"earlier":   composetest.Earlier(),
	}
}

func TestGolden(t *testing.T) {
	for name, in := range scenes() {
		t.Run(name, func(t *testing.T) {
			raw, told, err := compose.Mail(in)
			if err != nil {
				t.Fatal(err)
			}
			m := parse(t, raw)
			check(t, in, raw, told, m)
			golden(t, name+".eml", raw)
			golden(t, name+".txt", m.text)
			golden(t, name+".html", m.html)
		})
	}
}

func TestStormNotice(t *testing.T) {
	raw, err := compose.StormNotice(composetest.StormNotice())
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, raw)
	checkBytes(t, compose.Input{}, raw)
	checkText(t, string(m.text))
	checkPage(t, string(m.html))
	golden(t, "notice.eml", raw)
	golden(t, "notice.txt", m.text)
	golden(t, "notice.html", m.html)
	if _, err := compose.StormNotice(composetest.Quiet()); err == nil {
		t.Error("a storm notice without a storm")
	}
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it, then run go test ./digest/compose -update\n%s", path, cmp.Diff(string(want), string(got)))
	}
}
