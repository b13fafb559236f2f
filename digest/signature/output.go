package signature

import (
	"fmt"
	"strings"
)

// output is a text made of fields: the reverse of a template.
//
//	{service} on {host}
//
// {name} is the field as it is, {name?} may be empty, {name:masked} is its
// canonical form (mask.go), {name:steady} keeps all but numbers, times and ids,
// {name:check} does so too and is "host" where the host itself is what is checked,
// {name:title} names what it masks, {name:untagged} leaves out [tags] before
// and a (counter) behind, {name:uncounted} only tags that are a guess, [ext4?],
// {name:short} is a host without its domain, {name:spaced} has blanks for
// underscores, {name:route} is the path of a page without its ids and query.
// An output in which another field is empty gives nothing, so that the next is
// tried.
type output struct {
	parts []outputPart
}

type outputPart struct {
	literal  string
	field    int
	render   string
	optional bool
}

// parseOutput reads the text of an output. It may only use fields that some
// template takes.
func parseOutput(text string, names fieldNames) (output, error) {
	var o output
	for text != "" {
		literal, rest, found := strings.Cut(text, "{")
		if literal != "" {
			o.parts = append(o.parts, outputPart{literal: literal, field: -1})
		}
		if !found {
			break
		}
		inner, after, found := strings.Cut(rest, "}")
		if !found {
			return o, fmt.Errorf("a { without }")
		}
		part, err := parseOutputPart(inner, names)
		if err != nil {
			return o, err
		}
		o.parts = append(o.parts, part)
		text = after
	}
	return o, nil
}

func parseOutputPart(inner string, names fieldNames) (outputPart, error) {
	name, render, _ := strings.Cut(inner, ":")
	name, optional := strings.CutSuffix(name, "?")
	i, known := names[name]
	if !known {
		return outputPart{}, fmt.Errorf("{%s}: no template takes it", inner)
	}
	switch render {
	case "", "masked", "steady", "check", "title", "untagged", "uncounted", "short", "spaced", "route":
	default:
		return outputPart{}, fmt.Errorf("{%s}: no such form", inner)
	}
	return outputPart{field: i, render: render, optional: optional}, nil
}

// text fills the output in, false if a field that it needs is empty. The name
// of a host is left out of the forms that mask, where more than it is told.
func (o output) text(from *fields, host string) (string, bool) {
	if len(o.parts) == 1 && o.parts[0].field >= 0 && o.parts[0].render == "" {
		text := from[o.parts[0].field]
		return text, text != "" || o.parts[0].optional
	}
	out := make([]byte, 0, 96)
	for _, part := range o.parts {
		if part.field < 0 {
			out = append(out, part.literal...)
			continue
		}
		text := from[part.field]
		if text == "" && !part.optional {
			return "", false
		}
		out = appendRendered(out, text, part.render, host)
	}
	return strings.TrimSpace(string(out)), true
}

func appendRendered(out []byte, text, render, host string) []byte {
	switch render {
	case "masked":
		return appendCore(out, text, host)
	case "check":
		if isSameHost(text, host) {
			return append(out, "host"...)
		}
		return appendSteady(out, text, host)
	case "steady":
		if strings.EqualFold(text, host) {
			host = ""
		}
		return appendSteady(out, text, host)
	case "title":
		return appendTitle(out, text, host)
	case "untagged":
		return append(out, withoutCounter(withoutTags(text, "]"))...)
	case "uncounted":
		return append(out, withoutCounter(withoutTags(text, "?]"))...)
	case "short":
		return append(out, before(text, ".")...)
	case "spaced":
		return append(out, strings.ReplaceAll(text, "_", " ")...)
	case "route":
		return appendRoute(out, text)
	}
	return append(out, text...)
}

// appendRoute appends the path of a web page without its query, with a * for
// each step that is a number or an id: one view of a site serves them all.
func appendRoute(out []byte, text string) []byte {
	for i, step := range strings.Split(before(text, "?"), "/") {
		if i > 0 {
			out = append(out, '/')
		}
		if isStepID(step) {
			step = "*"
		}
		out = append(out, step...)
	}
	return out
}

// isStepID reports whether a step of a path is digits, or eight and more of
// hexadecimal ones, a digit among them.
func isStepID(step string) bool {
	if strings.Trim(step, "0123456789") == "" {
		return step != ""
	}
	return len(step) >= 8 && strings.Trim(step, "0123456789abcdefABCDEF-") == "" && strings.ContainsAny(step, "0123456789")
}

// firstText is the text of the first output that gives one.
func firstText(outputs []output, from *fields, host string) string {
	for _, o := range outputs {
		if text, ok := o.text(from, host); ok {
			return text
		}
	}
	return ""
}

// withoutTags takes the tags in brackets that end so off the front of a title.
func withoutTags(text, end string) string {
	for strings.HasPrefix(text, "[") {
		tag, rest, found := strings.Cut(text, "]")
		if rest = strings.TrimSpace(rest); !found || rest == "" || !strings.HasSuffix(tag+"]", end) {
			break
		}
		text = rest
	}
	return text
}

// withoutCounter takes "(2)" and "(rev2)" off the end of a title.
func withoutCounter(text string) string {
	if open := strings.LastIndex(text, " ("); open > 0 && strings.HasSuffix(text, ")") {
		if inner := strings.TrimPrefix(text[open+2:len(text)-1], "rev"); inner != "" && digitsAt(inner, 0, len(inner)) {
			return text[:open]
		}
	}
	return text
}
