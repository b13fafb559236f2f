package signature

import "strings"

// Example is a mail that stands in the file of a format, and what is to be
// read from it.
type Example struct {
	Format string
	Family string            // of formats: those of one share signatures
	Line   int               // where it stands in the file
	Want   map[string]string // state, kind, severity, object, key, title, variant, source, time, reports
	Mail   string
}

// Examples returns those of all formats, by the name of the format.
func Examples() ([]Example, error) {
	files, err := formatFiles.ReadDir("formats")
	if err != nil {
		return nil, err
	}
	var list []Example
	for _, file := range files {
		text, err := formatFiles.ReadFile("formats/" + file.Name())
		if err != nil {
			return nil, err
		}
		list = append(list, examplesIn(strings.TrimSuffix(file.Name(), ".format"), string(text))...)
	}
	return list, nil
}

// examplesIn takes the examples out of the text of a format: each begins with
// a line "-- state=problem object=web1 key="disk /var" --".
func examplesIn(format, text string) []Example {
	var list []Example
	line, family := 0, format
	for part := range strings.Lines(text) {
		line++
		if name, found := strings.CutPrefix(part, "family "); found && len(list) == 0 {
			family = strings.TrimSpace(name)
		}
		want, found := strings.CutPrefix(strings.TrimSpace(part), "-- ")
		if want, ends := strings.CutSuffix(want, " --"); found && ends {
			list = append(list, Example{Format: format, Family: family, Line: line, Want: parseWants(want)})
		} else if len(list) > 0 {
			list[len(list)-1].Mail += part
		}
	}
	return list
}

// parseWants reads name=value pairs; a value in quotes may have blanks.
func parseWants(text string) map[string]string {
	wants := map[string]string{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		name, rest, _ := strings.Cut(text, "=")
		if quoted, found := strings.CutPrefix(rest, `"`); found {
			wants[name], text, _ = strings.Cut(quoted, `"`)
		} else {
			wants[name], text, _ = strings.Cut(rest, " ")
		}
	}
	return wants
}
