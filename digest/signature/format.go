package signature

import (
	"bufio"
	"fmt"
	"strings"

	"lull/store"
)

// format is how the mail of one program looks, read from a file in formats/
// (docs/formats.md).
type format struct {
	name, family string
	recovers     bool
	sender       senders
	layouts      []layout
	takes        []rule // fills fields from headers and lines
	words        map[string]verdict
	names        fieldNames

	key, title, object, state, severity, time, variant []output
}

// layout is one way in which a mail shows that it is of this format: all its
// rules must match.
type layout struct {
	rules []rule
	score int // how much text the rules pin down: the best layout wins
}

// place is where a rule looks.
type place uint8

const (
	inSubject place = iota
	inHeader
	inFrom
	inLine
	belowLine // in the line below the one that matches the label
	inRecord  // a line that begins a record, a report of its own
	inSection // a line that begins a section, which holds for the records in it
)

var places = map[string]place{"subject": inSubject, "header": inHeader, "from": inFrom, "line": inLine, "below": belowLine, "record": inRecord, "section": inSection}

// rule is a template, where it applies, and what it sets besides.
type rule struct {
	place place
	name  string   // of the header field
	label template // of the line above
	template
	sets []setting
}

type setting struct {
	field int
	value string
}

// parseFormat reads the description of a format; examples, which follow a
// line that begins with "-- ", are left to the tests.
func parseFormat(name, text string) (*format, error) {
	f := &format{name: name, family: name, names: fieldNames{}, words: map[string]verdict{}}
	lines := bufio.NewScanner(strings.NewReader(text))
	var outputs []string // last, when all fields are known
	for n := 1; lines.Scan() && !strings.HasPrefix(lines.Text(), "-- "); n++ {
		line := lines.Text()
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		isOutput, err := f.statement(line)
		if err != nil {
			return nil, fmt.Errorf("formats/%s, line %d: %w", name, n, err)
		}
		if isOutput {
			outputs = append(outputs, line)
		}
	}
	for _, line := range outputs {
		if err := f.output(line); err != nil {
			return nil, fmt.Errorf("formats/%s: %q: %w", name, line, err)
		}
	}
	return f, f.check()
}

// statement reads one line; it leaves outputs to later.
func (f *format) statement(line string) (isOutput bool, err error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "recovers":
		f.recovers = true
	case "role":
		f.sender = byRole
	case "anyone":
		f.sender = byNobody
	case "family":
		f.family = rest
	case "word":
		return false, f.word(rest)
	case "when":
		f.layouts = append(f.layouts, layout{})
		return false, f.condition(rest)
	case "and":
		if len(f.layouts) == 0 {
			return false, fmt.Errorf("and without a when before it")
		}
		return false, f.condition(rest)
	case "key", "title", "object", "state", "severity", "time", "variant":
		return true, nil
	default:
		r, err := f.rule(word, rest)
		f.takes = append(f.takes, r)
		return false, err
	}
	return false, nil
}

// condition adds a rule to the last layout.
func (f *format) condition(text string) error {
	where, rest, _ := strings.Cut(text, " ")
	r, err := f.rule(where, rest)
	last := &f.layouts[len(f.layouts)-1]
	last.rules = append(last.rules, r)
	last.score += 1 + r.literals + len(r.name)
	return err
}

// rule reads "subject TEMPLATE => field=value …".
func (f *format) rule(where, text string) (rule, error) {
	at, known := places[where]
	if !known {
		return rule{}, fmt.Errorf("%q is no place", where)
	}
	r := rule{place: at}
	text, sets, _ := strings.Cut(text, "=>")
	var err error
	if at == inHeader {
		r.name, text, _ = strings.Cut(text, ":")
	}
	if at == belowLine {
		var label string
		label, text, _ = strings.Cut(text, "|")
		if r.label, err = parseTemplate(label, f.names); err != nil {
			return r, err
		}
	}
	if r.template, err = parseTemplate(text, f.names); err != nil {
		return r, err
	}
	for _, set := range strings.Fields(sets) {
		name, value, _ := strings.Cut(set, "=")
		i, err := f.names.index(name)
		if err != nil {
			return r, err
		}
		r.sets = append(r.sets, setting{i, strings.ReplaceAll(value, "_", " ")})
	}
	return r, nil
}

// word reads "WORD STATE[/KIND] [SEVERITY]": what a word says in this format.
func (f *format) word(text string) error {
	parts := strings.Fields(text)
	if len(parts) < 2 {
		return fmt.Errorf("word needs a word and a state")
	}
	state, kind, _ := strings.Cut(parts[1], "/")
	v := verdict{state: store.State(state), kind: kind}
	if len(parts) > 2 {
		v.severity = store.Severity(parts[2])
	}
	switch v.state {
	case store.Problem, store.Recovery, store.Notice:
	default:
		return fmt.Errorf("%q is no state", state)
	}
	f.words[strings.ToLower(strings.ReplaceAll(parts[0], "_", " "))] = v
	return nil
}

// output reads one of key, title, object, state, severity, time, variant.
func (f *format) output(line string) error {
	word, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	into := map[string]*[]output{"key": &f.key, "title": &f.title, "object": &f.object, "state": &f.state, "severity": &f.severity, "time": &f.time, "variant": &f.variant}[word]
	o, err := parseOutput(strings.TrimSpace(text), f.names)
	*into = append(*into, o)
	return err
}

// check refuses a format that could not recognise or name anything.
func (f *format) check() error {
	switch {
	case len(f.layouts) == 0:
		return fmt.Errorf("formats/%s: no when: nothing would be recognised", f.name)
	case len(f.key) == 0:
		return fmt.Errorf("formats/%s: no key: nothing to group by", f.name)
	case len(f.state) == 0:
		return fmt.Errorf("formats/%s: no state", f.name)
	}
	return nil
}

// verdictOf looks a word up, in the format's own list first.
func (f *format) verdictOf(text string) (verdict, bool) {
	text = strings.ToLower(strings.ReplaceAll(text, "_", " "))
	if v, ok := f.words[text]; ok {
		return v, true
	}
	return verdictOf(text)
}
