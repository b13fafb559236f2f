package signature

import (
	"fmt"
	"strings"
	"testing"

	"lull/store"
)

// example is a mail that stands in the file of a format, and what is to be
// read from it.
type example struct {
	format, want string // want is `state=… object=…`, fields in any order
	line         int
	mail         string
}

// examplesOf takes the examples out of the text of a format.
func examplesOf(format, text string) []example {
	var list []example
	for n, line := range strings.SplitAfter(text, "\n") {
		if want, found := strings.CutPrefix(strings.TrimSpace(line), "-- "); found && strings.HasSuffix(want, " --") {
			list = append(list, example{format: format, want: strings.TrimSuffix(want, " --"), line: n + 1})
		} else if len(list) > 0 {
			list[len(list)-1].mail += line
		}
	}
	return list
}

func allExamples(t testing.TB) []example {
	files, err := formatFiles.ReadDir("formats")
	if err != nil {
		t.Fatal(err)
	}
	var list []example
	for _, file := range files {
		text, err := formatFiles.ReadFile("formats/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, examplesOf(strings.TrimSuffix(file.Name(), ".format"), string(text))...)
	}
	return list
}

func TestFormatExamples(t *testing.T) {
	if _, err := loadFormats(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range allExamples(t) {
		seen[e.format]++
		t.Run(fmt.Sprintf("%s:%d", e.format, e.line), func(t *testing.T) {
			got, steps := Explain([]byte(e.mail))
			for _, w := range splitWants(e.want) {
				if told := tell(got, w.name); told != w.value {
					t.Errorf("%s is %q, not %q", w.name, told, w.value)
				}
			}
			if got.Signature.Format != e.format {
				t.Errorf("format is %q", got.Signature.Format)
			}
			if t.Failed() {
				t.Logf("%+v\n%v", got, steps)
			}
		})
	}
	for _, f := range formats() {
		if seen[f.name] < 2 {
			t.Errorf("formats/%s has %d examples; every format needs two or more", f.name, seen[f.name])
		}
	}
}

type want struct{ name, value string }

// splitWants reads name=value pairs; a value in quotes may have blanks.
func splitWants(text string) []want {
	var list []want
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		name, rest, _ := strings.Cut(text, "=")
		var value string
		if quoted, found := strings.CutPrefix(rest, `"`); found {
			value, text, _ = strings.Cut(quoted, `"`)
		} else {
			value, text, _ = strings.Cut(rest, " ")
		}
		list = append(list, want{name, value})
	}
	return list
}

// tell returns one fact of a reading as text.
func tell(r store.Reading, name string) string {
	worst := r.Reports[0]
	switch name {
	case "state":
		return string(worst.State)
	case "kind":
		return worst.Kind
	case "severity":
		return string(worst.Severity)
	case "object":
		return worst.Object
	case "time":
		return worst.Time.Format("2006-01-02T15:04:05")
	case "key":
		return r.Signature.Core
	case "title":
		return r.Signature.Title
	case "variant":
		return r.Signature.Variant
	case "source":
		return r.Signature.Source
	case "reports":
		var list []string
		for _, r := range r.Reports {
			list = append(list, r.Object+":"+string(r.State))
		}
		return strings.Join(list, ",")
	}
	return "no such fact: " + name
}
