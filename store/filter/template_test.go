package filter

import (
	"testing"

	"lull/store"
)

func TestKey(t *testing.T) {
	e := store.Entry{Copy: store.Copy{Index: 2}, Message: &store.Message{
		ID:       "m1",
		Envelope: store.Envelope{From: "Cron@A.example", Client: "192.0.2.1"},
		Reading: store.Reading{
			Subject:   "Job nightly (77) failed",
			Signature: store.Signature{ID: "s1-x"},
			Reports:   []store.Report{{Object: "web1"}, {Object: "web2"}},
		},
	}}
	f, err := Parse(`--subject 'Job (?P<job>\S+) \((\d+)\)'`)
	if err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]string{
		"{job}":                        "nightly",
		"{1} {2}":                      "nightly 77",
		"{signature}/{object}":         "s1-x/web1",
		"{from} {client} {id}":         "cron@a.example 192.0.2.1 m1.2",
		"plain":                        "plain",
		"":                             "",
		"{{1}}":                        "}",
		"{}{1}":                        "nightly",
		"{none}":                       "",
		"open {job":                    "open {job",
		"} {":                          "} {",
		"{job}{job} of {none}{object}": "nightlynightly of web1",
	} {
		if got := f.Key(template, e); got != want {
			t.Errorf("%q gives %q, not %q", template, got, want)
		}
	}
	e.Message.Reading.Reports = nil
	if got := f.Key("{object}", e); got != "" {
		t.Errorf("without an object: %q", got)
	}
}
