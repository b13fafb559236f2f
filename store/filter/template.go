package filter

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lull/store"
)

// Key fills the template of a group rule with this filter for a copy that it
// matches: {signature}, {from}, {object}, {client}, {id}, and the groups of
// the expression by number or name. What stands for nothing is empty.
func (f Filter) Key(template string, e store.Entry) string {
	var b strings.Builder
	groups := f.Captures(e)
	for {
		text, rest, found := strings.Cut(template, "{")
		b.WriteString(text)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			b.WriteString("{" + rest)
			return b.String()
		}
		b.WriteString(field(name, e, groups))
		template = after
	}
}

// fields are the names that every template may use.
func fields() []string { return []string{"signature", "object", "from", "client", "id"} }

// Groups are the names of what the filter's expressions capture: numbers, and
// names where they have one.
func (f Filter) Groups() []string {
	var names []string
	for _, t := range f.terms {
		for _, v := range t.values {
			if v.expression == nil {
				continue
			}
			for i, name := range v.expression.SubexpNames()[1:] {
				names = append(names, strconv.Itoa(i+1))
				if name != "" {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// CheckKey says what is wrong with the template of a group rule with this
// filter: a name that stands for nothing would make one incident of all.
func (f Filter) CheckKey(template string) error {
	known := append(fields(), f.Groups()...)
	for rest := template; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return nil
		}
		name, next, closed := strings.Cut(after, "}")
		if !closed {
			return fmt.Errorf("%s has a { without its }", template)
		}
		if !slices.Contains(known, name) {
			return errors.New(f.unknownName(name))
		}
		rest = next
	}
}

func (f Filter) unknownName(name string) string {
	groups := f.Groups()
	text := fmt.Sprintf("{%s} stands for nothing; there are {%s}", name, strings.Join(fields(), "}, {"))
	if len(groups) == 0 {
		return text + ", and what a --subject or --text of the rule captures, such as --subject '^Job (?P<job>\\S+)' for {job}: this rule captures nothing"
	}
	return text + ", and of this rule's expressions {" + strings.Join(groups, "}, {") + "}"
}

func field(name string, e store.Entry, groups map[string]string) string {
	switch name {
	case "signature":
		return e.Message.Reading.Signature.ID
	case "from":
		return strings.ToLower(e.Message.Envelope.From)
	case "client":
		return e.Message.Envelope.Client
	case "id":
		return e.ID()
	case "object":
		if r := e.Message.Reading.Reports; len(r) > 0 {
			return r[0].Object
		}
		return ""
	}
	return groups[name]
}
