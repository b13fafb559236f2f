package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lull/digest/signature"
	"lull/digest/signature/corpus"
	"lull/store"
)

// label is what a mail really is.
type label struct {
	file, program       string
	incident, family    string
	class, kind, object string
}

// result is what was read from it.
type result struct {
	label
	reading store.Reading
}

// evalMails reads the mails that the labels name and compares.
func evalMails(out io.Writer, dir, labels string, list bool) error {
	known, err := readLabels(labels)
	if err != nil {
		return err
	}
	results := make([]result, 0, len(known))
	for _, l := range known {
		raw, err := os.ReadFile(filepath.Join(dir, l.file))
		if err != nil {
			return err
		}
		results = append(results, result{l, signature.Read(raw)})
	}
	report(out, results, list)
	return nil
}

// readLabels reads the labels: a line of column names, then a line a mail.
func readLabels(file string) ([]label, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	rows := csv.NewReader(in)
	rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord = '\t', true, -1
	all, err := rows.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(all) == 0 || !slices.Contains(all[0], "file") {
		return nil, fmt.Errorf("%s: the first line must name the columns, file among them", file)
	}
	list := make([]label, 0, len(all)-1)
	for _, row := range all[1:] {
		get := func(column string) string {
			if i := slices.Index(all[0], column); i >= 0 && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		l := label{file: get("file"), incident: get("incident"), family: get("family"), class: get("class"), kind: get("kind"), object: get("object")}
		l.program = programOf(l.file, get("program"))
		list = append(list, l)
	}
	return list, nil
}

// programOf is the program that wrote a mail: the column of that name, else
// the folder, else the file name without its number.
func programOf(file, column string) string {
	if column != "" {
		return column
	}
	if folder, _, found := strings.Cut(filepath.ToSlash(file), "/"); found {
		return folder
	}
	name := strings.TrimSuffix(file, filepath.Ext(file))
	if name = strings.TrimRight(name, "0123456789-_."); name == "" {
		return "all"
	}
	return name
}

// tally counts how many of some mails were read rightly.
type tally struct{ right, all int }

func (t *tally) add(right bool) {
	t.all++
	if right {
		t.right++
	}
}

func (t tally) share() float64 { return share(t.right, t.all) }

// program is the results of one program.
type program struct {
	name                   string
	families, incidents    []pair
	classes, kinds, object tally
}

func (p *program) add(r result) {
	if r.class != "" {
		p.classes.add(r.class == corpus.ClassOf(r.reading))
	}
	if r.family != "" {
		p.families = append(p.families, pair{r.reading.Signature.ID + " " + r.reading.Signature.Core, r.family})
	}
	worst := r.reading.Reports[0]
	if r.incident != "" {
		p.incidents = append(p.incidents, pair{r.reading.Signature.ID + " " + r.reading.Signature.Core + " @ " + worst.Object, r.incident})
	}
	if r.kind != "" {
		p.kinds.add(isKind(worst, r.kind))
	}
	if r.object != "" {
		p.object.add(strings.EqualFold(worst.Object, r.object))
	}
}

// isKind compares a report with the kind of a label: a state, or the kind of
// a notice.
func isKind(r store.Report, kind string) bool {
	switch kind = strings.ToLower(kind); kind {
	case string(store.Problem), string(store.Recovery):
		return string(r.State) == kind
	case "success":
		return r.Kind == kind || r.State == store.Recovery
	}
	return r.State == store.Notice
}

// report writes the table: a line a program, then the average and the whole.
func report(out io.Writer, results []result, list bool) {
	programs := map[string]*program{}
	all := &program{name: "all mail"}
	for _, r := range results {
		if programs[r.program] == nil {
			programs[r.program] = &program{name: r.program}
		}
		programs[r.program].add(r)
		all.add(r)
	}
	fmt.Fprintf(out, "%-24s %6s %6s | %-6s %-6s %-6s %-6s %-6s %-7s | %-6s %-6s | %-6s %-6s\n", "program", "mails", "class",
		"family", "R", "GA", "FGA", "harm", "extra", "incid.", "R", "state", "object")
	var sum []*program
	for _, name := range sortedKeys(programs) {
		p := programs[name]
		sum = append(sum, p)
		p.write(out)
		if list {
			writeFaults(out, p.families)
		}
	}
	writeAverage(out, sum)
	all.write(out)
	if list {
		writeWrong(out, results)
	}
}

func (p *program) write(out io.Writer) {
	f, i := scoreOf(p.families), scoreOf(p.incidents)
	writeRow(out, p.name, max(len(p.families), p.classes.all), p.classes.share(), f, i, p.kinds.share(), p.object.share())
}

func writeAverage(out io.Writer, programs []*program) {
	var families, incidents []score
	var class, kind, object float64
	mails := 0
	for _, p := range programs {
		families, incidents = append(families, scoreOf(p.families)), append(incidents, scoreOf(p.incidents))
		class += p.classes.share()
		kind += p.kinds.share()
		object += p.object.share()
		mails += max(len(p.families), p.classes.all)
	}
	n := float64(max(1, len(programs)))
	writeRow(out, "average of programs", mails, class/n, mean(families), mean(incidents), kind/n, object/n)
}

func writeRow(out io.Writer, name string, mails int, class float64, f, i score, kind, object float64) {
	fmt.Fprintf(out, "%-24s %6d %6.4f | %.4f %.4f %.4f %.4f %.4f %7.4f | %.4f %.4f | %.4f %.4f\n", name[:min(len(name), 24)], mails, class,
		f.precision, f.recall, f.ga, f.fga, f.harm, f.extra, i.precision, i.recall, kind, object)
}

// writeWrong lists mails whose class or state was read wrongly.
func writeWrong(out io.Writer, results []result) {
	for _, r := range results {
		if got := corpus.ClassOf(r.reading); r.class != "" && got != r.class {
			fmt.Fprintf(out, "class %s, not %s: %s %q from %q %v\n", got, r.class, r.file, r.reading.Subject, r.reading.From, r.reading.Marks)
		}
		if worst := r.reading.Reports[0]; r.kind != "" && !isKind(worst, r.kind) {
			fmt.Fprintf(out, "state %s %s, not %s: %s %q (%s)\n", worst.State, worst.Kind, r.kind, r.file, r.reading.Subject, r.reading.Signature.Format)
		}
	}
}
