package filter

import (
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
