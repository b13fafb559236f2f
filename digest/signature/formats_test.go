package signature

import (
	"fmt"
	"strings"
	"testing"

	"lull/store"
)

func allExamples(t testing.TB) []Example {
	t.Helper()
	if _, err := loadFormats(); err != nil {
		t.Fatal(err)
	}
	list, err := Examples()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFormatExamples(t *testing.T) {
	seen := map[string]int{}
	for _, e := range allExamples(t) {
		seen[e.Format]++
		t.Run(fmt.Sprintf("%s:%d", e.Format, e.Line), func(t *testing.T) {
			got, steps := Explain([]byte(e.Mail))
			for name, value := range e.Want {
				if name == "class" {
					continue // policy decides it
				}
				if told := tell(got, name); told != value {
					t.Errorf("%s is %q, not %q", name, told, value)
				}
			}
			if got.Signature.Format != e.Format {
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

func TestFormatFaults(t *testing.T) {
	const good = "when subject {a} is {b:state}\nkey {a}\nstate {b}\n"
	if _, err := parseFormat("x", good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no when":             "key x\nstate problem\n",
		"no key":              "when subject {a}\nstate problem\n",
		"no state":            "when subject {a}\nkey {a}\n",
		"unknown field":       good + "object {c}\n",
		"unknown kind":        "when subject {a:colour}\nkey {a}\nstate problem\n",
		"unknown form":        good + "title {a:loud}\n",
		"unknown place":       good + "footer {a}\n",
		"two captures":        "when subject {a}{b}\nkey {a}\nstate problem\n",
		"open brace":          "when subject {a\nkey {a}\nstate problem\n",
		"and without a when":  "and line x\n" + good,
		"word without state":  good + "word up\n",
		"word with bad state": good + "word up fine\n",
	} {
		if _, err := parseFormat("x", text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
