package filter

import (
	"strings"
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

func TestCheckKey(t *testing.T) {
	const expressions = `--subject 'set (?P<set>\d+) (of) x' --subject 'job (?P<job>\S+)' --text '(a)'`
	for _, c := range []struct{ filter, template, want string }{
		{expressions, "{signature} {object} {from} {client} {id}", ""},
		{expressions, "{1} {2} {set} {job} all", ""},
		{"", "one for all", ""},
		{expressions, "{set} {nope}", "{nope} stands for nothing; there are {signature}, {object}, {from}, {client}, {id}, and of this rule's expressions {1}, {2}, {job}, {set}"},
		{expressions, "{3}", "{3} stands for nothing"},
		{expressions, "{}", "{} stands for nothing"},
		{expressions, "{Set}", "{Set} stands for nothing"},
		{"--from a@b.example", "{job}", "this rule captures nothing"},
		{"", "{signature} {object", "{signature} {object has a { without its }"},
	} {
		f, err := Parse(c.filter)
		if err != nil {
			t.Fatal(err)
		}
		told := ""
		if err := f.CheckKey(c.template); err != nil {
			told = err.Error()
		}
		if (told == "") != (c.want == "") || !strings.Contains(told, c.want) {
			t.Errorf("%s with %s: %q, want %q", c.template, c.filter, told, c.want)
		}
	}
}
