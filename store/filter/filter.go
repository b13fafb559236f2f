// Package filter is the one language that selects copies: in lists, in
// operations and in standing rules.
//
//	--from root@* --subject 'disk .* full' --older 1h
//
// Different keys must all match; of several values of one key any will do.
// The filter without keys matches everything. Expressions are RE2, matched
// anywhere in the text, without regard to case unless they say (?-i).
//
// Everything here is pure: ages, and times without a date, are relative to
// the moment that is passed to Match.
package filter

import (
	"regexp"
	"strings"
	"time"

	"lull/store"
)

// Filter selects copies. The zero value matches everything. It is immutable
// and safe for use by many goroutines.
type Filter struct {
	terms []term // by key in the order of Keys; within a key as given
}

// term is all that one key demands.
type term struct {
	key    key
	values []value // any of them
}

// value is one alternative of a term.
type value struct {
	text       string // canonical
	test       test
	expression *regexp.Regexp // of --subject and --text
}

// test decides about one copy. Body is the message as received, asked for by
// --text alone.
type test func(c *copyAt) bool

// copyAt is a copy at the moment of matching.
type copyAt struct {
	store.Entry
	now  time.Time
	read func() []byte // the body, nil when it was read or there is none
	body []byte
}

// received is the message as received, read when it is first asked for.
func (c *copyAt) received() []byte {
	if c.read != nil {
		c.body, c.read = c.read(), nil
	}
	return c.body
}

// Match reports whether the filter selects the copy at the given moment.
//
// Body gives the message as received; it is called at most once, only by
// --text, and only when everything else matches and the excerpt does not. It
// may be nil: then --text sees the excerpt alone.
func (f Filter) Match(e store.Entry, now time.Time, body func() []byte) bool {
	c := &copyAt{Entry: e, now: now, read: body}
	for _, costly := range []bool{false, true} {
		for _, t := range f.terms {
			if t.key.costly == costly && !t.match(c) {
				return false
			}
		}
	}
	return true
}

func (t term) match(c *copyAt) bool {
	for _, v := range t.values {
		if v.test(c) {
			return true
		}
	}
	return false
}

// Empty reports whether the filter has no keys, and so matches everything.
func (f Filter) Empty() bool { return len(f.terms) == 0 }

// Keys are the names of the keys that the filter has.
func (f Filter) Keys() []string {
	names := make([]string, len(f.terms))
	for i, t := range f.terms {
		names[i] = t.key.Name
	}
	return names
}

// Values are the canonical values of one key ("reader"), nil if the filter
// does not have it. An engine may use them to look at fewer copies.
func (f Filter) Values(name string) []string {
	for _, t := range f.terms {
		if t.key.Name == name {
			return t.texts()
		}
	}
	return nil
}

func (t term) texts() []string {
	texts := make([]string, len(t.values))
	for i, v := range t.values {
		texts[i] = v.text
	}
	return texts
}

// Args is the canonical form as arguments; ParseArgs reads them back.
func (f Filter) Args() []string {
	var args []string
	for _, t := range f.terms {
		for _, v := range t.values {
			if strings.HasPrefix(v.text, "--") {
				args = append(args, "--"+t.key.Name+"="+v.text)
				continue
			}
			args = append(args, "--"+t.key.Name, v.text)
		}
	}
	return args
}

// String is the canonical form: it parses to the same filter, and the filter
// that it parses to prints the same. It is safe to paste into a shell.
func (f Filter) String() string {
	args := f.Args()
	for i, a := range args {
		args[i] = quote(a)
	}
	return strings.Join(args, " ")
}

// Fixed is the filter with times of day ("19:06") replaced by those of the
// given day, for what outlives the day: operations and standing rules.
func (f Filter) Fixed(now time.Time) Filter {
	fixed := Filter{terms: make([]term, len(f.terms))}
	for i, t := range f.terms {
		fixed.terms[i] = t.fixed(now)
	}
	return fixed
}

func (t term) fixed(now time.Time) term {
	if t.key.fix == nil {
		return t
	}
	out := term{key: t.key}
	for _, v := range t.values {
		out = out.with(t.key.fix(v.text, now))
	}
	return out
}

// with adds an alternative, unless it is there.
func (t term) with(v value) term {
	for _, old := range t.values {
		if old.text == v.text {
			return t
		}
	}
	t.values = append(t.values, v)
	return t
}

// Captures are the groups of the first --subject or --text expression that
// matches the copy's subject or excerpt: by number ("1") and, where they have
// one, by name. Group rules build incident keys from them.
func (f Filter) Captures(e store.Entry) map[string]string {
	for _, t := range f.terms {
		if t.key.captured == nil {
			continue
		}
		for _, v := range t.values {
			if groups := groups(v.expression, t.key.captured(e)); groups != nil {
				return groups
			}
		}
	}
	return nil
}
