package signature

import (
	"fmt"
	"strings"
)

// template is a line as a program writes it, with names for what varies:
//
//	** {type} Service Alert: {host:word}/{service} is {state:word} **
//
// Literal text matches whatever the case of its letters. {name} takes any
// text but the empty one, {} any text at all, {name:word} text without
// blanks, {name:int} digits, {name:nonzero} digits but no zero, {name:host}
// the name of a host, {name:state} a word of the vocabulary, {name:exception}
// the class of an error, {name:a|b} one of the words. The shortest match
// counts.
type template struct {
	segments []segment
	literals int    // bytes of literal text: the more, the better a match
	anchor   string // the longest literal, which a text must contain
	letters  letterSet
}

// segment is a literal, in lower case, or a capture.
type segment struct {
	literal string
	field   int // index of the field, -1 for none
	kind    string
	words   []string // of {name:a|b}
}

// maxTries bounds the work of one match.
const maxTries = 512

// fieldNames numbers the fields of one format.
type fieldNames map[string]int

// maxNames is how many fields a format may have.
const maxNames = 32

// fields holds what the captures of a format took.
type fields [maxNames]string

// index returns the number of a field, a new one for a new name.
func (n fieldNames) index(name string) (int, error) {
	if i, ok := n[name]; ok {
		return i, nil
	}
	if len(n) == maxNames {
		return 0, fmt.Errorf("more than %d fields", maxNames)
	}
	n[name] = len(n)
	return n[name], nil
}

// parseTemplate reads the text of a template.
func parseTemplate(text string, names fieldNames) (template, error) {
	var t template
	text = clean(text, maxLine)
	for text != "" {
		literal, rest, found := strings.Cut(text, "{")
		t.addLiteral(literal)
		if !found {
			break
		}
		inner, after, found := strings.Cut(rest, "}")
		if !found {
			return t, fmt.Errorf("a { without }")
		}
		s, err := parseCapture(inner, names)
		if err != nil {
			return t, err
		}
		if n := len(t.segments); n > 0 && t.segments[n-1].literal == "" && t.segments[n-1].words == nil && s.words == nil {
			return t, fmt.Errorf("{%s} directly behind another: nothing parts them", inner)
		}
		t.segments = append(t.segments, s)
		t.literals += shortest(s.words)
		text = after
	}
	return t, nil
}

// shortest is the length of the shortest of some words, 0 for none.
func shortest(words []string) int {
	n := 0
	for i, word := range words {
		if i == 0 || len(word) < n {
			n = len(word)
		}
	}
	return n
}

func (t *template) addLiteral(text string) {
	if text == "" {
		return
	}
	text = strings.ToLower(text)
	t.segments = append(t.segments, segment{literal: text, field: -1})
	t.literals += len(text)
	t.letters = t.letters.with(lettersOf(text))
	if len(text) > len(t.anchor) {
		t.anchor = text
	}
}

func parseCapture(inner string, names fieldNames) (segment, error) {
	name, kind, _ := strings.Cut(inner, ":")
	s := segment{field: -1, kind: kind}
	if strings.Contains(kind, "|") {
		s.kind, s.words = "words", strings.Split(strings.ToLower(kind), "|")
	}
	switch s.kind {
	case "", "word", "int", "nonzero", "host", "state", "exception", "words":
	default:
		return s, fmt.Errorf("{%s}: no such kind", inner)
	}
	if name == "" {
		return s, nil
	}
	var err error
	s.field, err = names.index(name)
	return s, err
}

// mayMatch looks for the literals in a text in lower case.
func (t *template) mayMatch(folded string) bool {
	if len(t.segments) == 0 {
		return folded == ""
	}
	return strings.HasPrefix(folded, t.segments[0].literal) && strings.Contains(folded, t.anchor)
}

// match compares text with the template and puts what the captures take into
// to. Where it fails, to may be changed.
func (t *template) match(text string, to *fields) bool {
	if len(t.segments) == 0 {
		return text == ""
	}
	if first := t.segments[0].literal; first != "" && !hasPrefixFold(text, first) {
		return false
	}
	if t.anchor != "" && !containsFold(text, t.anchor) {
		return false
	}
	m := matcher{to: to, tries: maxTries}
	return m.match(t.segments, text)
}

// matcher is one attempt to match.
type matcher struct {
	to    *fields
	tries int
}

func (m *matcher) match(segments []segment, text string) bool {
	if m.tries--; m.tries < 0 {
		return false
	}
	if len(segments) == 0 {
		return text == ""
	}
	s, rest := &segments[0], segments[1:]
	switch {
	case s.literal != "":
		return hasPrefixFold(text, s.literal) && m.match(rest, text[len(s.literal):])
	case s.words != nil:
		return m.matchWords(s, rest, text)
	case len(rest) == 0:
		return m.take(s, text)
	}
	return m.matchUntil(s, rest, text)
}

// matchWords tries the words of {name:a|b}, the longest that fits last.
func (m *matcher) matchWords(s *segment, rest []segment, text string) bool {
	for _, word := range s.words {
		if hasPrefixFold(text, word) && m.match(rest, text[len(word):]) {
			m.set(s, text[:len(word)])
			return true
		}
	}
	return false
}

// matchUntil tries a capture up to each place where what follows may begin.
func (m *matcher) matchUntil(s *segment, rest []segment, text string) bool {
	next := rest[0].literal
	for at := 0; at <= len(text) && m.tries > 0; at++ {
		if next != "" {
			found := indexFold(text[at:], next)
			if found < 0 {
				return false
			}
			at += found
		}
		if m.fits(s, text[:at]) && m.match(rest, text[at:]) {
			m.set(s, text[:at])
			return true
		}
	}
	return false
}

func (m *matcher) take(s *segment, text string) bool {
	if !m.fits(s, text) {
		return false
	}
	m.set(s, text)
	return true
}

func (m *matcher) set(s *segment, text string) {
	if s.field >= 0 {
		m.to[s.field] = strings.TrimSpace(text)
	}
}

// fits reports whether a capture may take text.
func (m *matcher) fits(s *segment, text string) bool {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return s.field < 0 && s.kind == ""
	}
	switch s.kind {
	case "word":
		return strings.IndexByte(trimmed, ' ') < 0
	case "int":
		return digitsAt(trimmed, 0, len(trimmed))
	case "nonzero":
		return digitsAt(trimmed, 0, len(trimmed)) && strings.Trim(trimmed, "0") != ""
	case "host":
		return isHostText(trimmed)
	case "exception":
		return strings.IndexByte(trimmed, ' ') < 0 && isException(trimmed)
	case "state":
		_, known := verdictOf(trimmed)
		return known
	}
	return true
}

// isHostText reports whether text consists of what host names are made of.
func isHostText(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; !isAlnum(c) && c != '.' && c != '-' && c != '_' && c != ':' {
			return false
		}
	}
	return true
}
