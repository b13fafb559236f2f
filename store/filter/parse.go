package filter

import (
	"fmt"
	"slices"
	"strings"
)

// MaxLength bounds a filter in bytes.
const MaxLength = 1 << 20

// Error says what is wrong with a filter, where, and what would be right.
type Error struct {
	// Column counts bytes from 1, in filters given as one string.
	Column int
	// Argument counts from 1, in filters given as arguments.
	Argument int
	Problem  string
}

func (e *Error) Error() string {
	if e.Column > 0 {
		return fmt.Sprintf("filter, column %d: %s", e.Column, e.Problem)
	}
	return fmt.Sprintf("filter, argument %d: %s", e.Argument, e.Problem)
}

// word of a filter, and where it stands.
type token struct {
	text  string
	where Error
}

func (t token) fail(format string, args ...any) error {
	e := t.where
	e.Problem = fmt.Sprintf(format, args...)
	return &e
}

// Parse reads a filter from one string, split as a shell would: at white
// space, with '…', "…" and \ to quote. Errors are *Error.
func Parse(s string) (Filter, error) {
	if len(s) > MaxLength {
		return Filter{}, &Error{Column: MaxLength, Problem: fmt.Sprintf("longer than %d bytes; use a broader expression", MaxLength)}
	}
	tokens, err := split(s)
	if err != nil {
		return Filter{}, err
	}
	return parse(tokens)
}

// ParseArgs reads a filter from arguments: "--key", "value" or "--key=value".
// Errors are *Error.
func ParseArgs(args []string) (Filter, error) {
	tokens := make([]token, len(args))
	for i, a := range args {
		tokens[i] = token{text: a, where: Error{Argument: i + 1}}
	}
	return parse(tokens)
}

func parse(tokens []token) (Filter, error) {
	keys := language()
	terms := make([]term, len(keys))
	for len(tokens) > 0 {
		n, v, rest, err := next(keys, tokens)
		if err != nil {
			return Filter{}, err
		}
		terms[n].key = keys[n]
		terms[n] = terms[n].with(v)
		tokens = rest
	}
	terms = slices.DeleteFunc(terms, func(t term) bool { return len(t.values) == 0 })
	return Filter{terms: slices.Clip(terms)}, nil
}

// next reads one key with its value: the key's place in the table.
func next(keys []key, tokens []token) (n int, v value, rest []token, err error) {
	first := tokens[0]
	bare, ok := strings.CutPrefix(first.text, "--")
	if !ok {
		return 0, v, nil, first.fail("%q is not a key; a filter is made of --key value, with %s", first.text, list(keys))
	}
	name, text, joined := strings.Cut(bare, "=")
	n = slices.IndexFunc(keys, func(k key) bool { return k.Name == name })
	if n < 0 {
		return 0, v, nil, first.fail("there is no key --%s; there are %s", name, list(keys))
	}
	rest = tokens[1:]
	if !joined {
		if text, rest, err = argument(keys[n], first, rest); err != nil {
			return 0, v, nil, err
		}
	}
	if text == "" {
		return 0, v, nil, first.fail("--%s has an empty value; give %s, or leave the key out", name, keys[n].Value)
	}
	if v, err = keys[n].parse(text); err != nil {
		return 0, v, nil, first.fail("--%s %s: %v", name, quote(text), err)
	}
	return n, v, rest, nil
}

// argument is the value that follows its key. What looks like a key is none,
// so that a forgotten value does not swallow the next key.
func argument(k key, first token, rest []token) (string, []token, error) {
	if len(rest) == 0 {
		return "", nil, first.fail("--%s needs a value: %s", k.Name, k.Value)
	}
	if strings.HasPrefix(rest[0].text, "--") {
		return "", nil, first.fail("--%s needs a value: %s; write --%s=%s if that is what you mean", k.Name, k.Value, k.Name, quote(rest[0].text))
	}
	return rest[0].text, rest[1:], nil
}

func list(keys []key) string {
	var names []string
	for _, k := range keys {
		names = append(names, "--"+k.Name)
	}
	return strings.Join(names, " ")
}
