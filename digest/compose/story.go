package compose

import (
	"strings"

	"lull/store/filter"
)

// story is a digest in words: all that the plain text and the page say. Its
// strings are clean and bounded.
type story struct {
	Subject  string
	Summary  string
	Notes    []string
	Chart    *chart
	Sections []section
	Account  string // how the counts of the sections add up
	Left     string // what was left out for size
	Command  string // that shows it
	Foot     []string
}

// section is one part in words.
type section struct {
	Kind    string // one word, for the page
	Title   string
	Count   string
	Lead    string // of a cause: what the incidents have in common
	Notes   []string
	Lines   []line
	Rest    string // how much is not listed
	Command string // that lists it
}

// line is one incident in words.
type line struct {
	Level   string // critical, warning, unknown, info, problem, calm: for the page
	Label   string // before the title, may be empty
	Full    bool   // told with everything
	When    string // before the title, for what is told on one line
	Title   string
	Facts   []string
	Excerpt []string
	ID      string // of the newest copy, for lull show
}

// limits bound what is told in words.
type limits struct {
	full    int // incidents a part told with everything
	listed  int // incidents a part told at all
	names   int // objects named an incident
	excerpt int // lines
	reasons int // for a cause
}

// rungs are the limits from generous to bare. A digest takes the first that
// fits; the last always does.
func rungs() []limits {
	return []limits{
		{full: 8, listed: 150, names: 12, excerpt: 3, reasons: 4},
		{full: 6, listed: 100, names: 10, excerpt: 3, reasons: 4},
		{full: 5, listed: 70, names: 8, excerpt: 2, reasons: 3},
		{full: 4, listed: 45, names: 6, excerpt: 2, reasons: 3},
		{full: 3, listed: 25, names: 4, excerpt: 1, reasons: 2},
		{full: 2, listed: 10, names: 3, excerpt: 1, reasons: 1},
		{full: 1, listed: 4, names: 2, excerpt: 1, reasons: 1},
		{},
	}
}

// tell puts an account into words. What is left out is counted.
func (a *account) tell(l limits) (story, Omitted) {
	if a.Level == TitlesOnly {
		l.full, l.names, l.excerpt = 0, 0, 0
	}
	s := story{
		Subject: a.subject(), Summary: a.summary(), Notes: a.notes(), Chart: charted(a.Input, a.clock),
		Account: a.addsUp(), Foot: a.foot(),
	}
	out := Omitted{Originals: a.unattached}
	for i := range a.parts {
		s.Sections = append(s.Sections, a.section(&a.parts[i], l, &out))
	}
	if s.Left = leftOut(out); s.Left != "" {
		s.Command = a.command("list")
	}
	return s, out
}

// command is a command line about the reader's mail that can be pasted.
func (a *account) command(name string) string {
	f, err := filter.ParseArgs([]string{"--reader", a.Reader})
	if err != nil {
		return "lull " + name
	}
	if s := "lull " + name + " " + f.String(); clean(s, 200) == s {
		return s
	}
	return "lull " + name
}

// subject says the whole at a glance.
func (a *account) subject() string {
	return "lull " + a.readerName() + ": " + list(", ", a.glance()...) + " (" + mails(a.told.Copies) + ")"
}

// readerName is the reader in short.
func (a *account) readerName() string {
	name, _, _ := strings.Cut(a.Reader, "@")
	return clean(name, 30)
}

func (a *account) glance() []string {
	clauses := []string{
		some(a.told.Open, digits(a.told.Open)+" open"),
		some(a.told.New, digits(a.told.New)+" new"),
		some(a.again, digits(a.again)+" again"),
		some(a.told.Recovered, digits(a.told.Recovered)+" recovered"),
		some(a.noticed, count(a.noticed, "notice", "notices")),
	}
	if a.told.Late > 0 && a.told.Late == a.told.Copies {
		clauses = append(clauses, "all late")
	}
	if list("", clauses...) == "" {
		return []string{"nothing open"}
	}
	return clauses
}

// summary is the first line.
func (a *account) summary() string {
	open := "Nothing open"
	if a.told.Open > 0 {
		open = digits(a.told.Open) + " open"
	}
	if part := list(", ", a.share(a.told.New, "new"), a.share(a.again, "open again")); part != "" {
		open += ", " + part
	}
	what := list("; ", open, some(a.told.Recovered, digits(a.told.Recovered)+" recovered"),
		some(a.noticed, count(a.noticed, "notice", "notices")))
	return what + ". " + a.period() + "."
}

// share is a part of what is open: "all new", "2 of them new".
func (a *account) share(n int, word string) string {
	switch {
	case n == 0:
		return ""
	case n == a.told.Open && n == 1:
		return word
	case n == a.told.Open:
		return "all " + word
	}
	return digits(n) + " of them " + word
}

func (a *account) period() string {
	s := mails(a.told.Copies)
	if a.Since.IsZero() {
		s += " until " + a.clock.at(a.Now)
	} else {
		s += " since " + a.clock.at(a.Since)
	}
	s += " " + a.clock.name()
	switch {
	case a.told.Late == 0:
	case a.told.Late == a.told.Copies:
		s += ", all late"
	default:
		s += ", " + digits(a.told.Late) + " of them late"
	}
	return s
}

// addsUp shows that the parts make up the whole.
func (a *account) addsUp() string {
	var sums [kinds]int
	for i := range a.parts {
		sums[a.parts[i].kind] += a.parts[i].copies
	}
	sums[causes], sums[cleared] = sums[causes]+sums[cleared], 0
	words := [kinds]string{
		causes: "told by cause", fresh: "new", again: "open again", before: "open before",
		recovered: "recovered", notices: "in notices", late: "late", silenced: "silenced",
	}
	var terms []string
	for k, n := range sums {
		if n > 0 {
			terms = append(terms, digits(n)+" "+words[k])
		}
	}
	if len(terms) < 2 {
		return ""
	}
	return mails(a.told.Copies) + " = " + strings.Join(terms, " + ")
}

func leftOut(o Omitted) string {
	what := list(", ",
		some(o.Incidents, incidents(o.Incidents)+" ("+mails(o.Copies)+")"),
		some(o.Objects, count(o.Objects, "object name", "object names")),
		some(o.Originals, count(o.Originals, "original", "originals")))
	if what == "" {
		return ""
	}
	return "Left out here, and counted above: " + what + "."
}
