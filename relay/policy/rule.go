package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"lull/store"
)

// Rule is one rule of the configuration. A copy matches when every condition
// that is set holds; a rule without conditions matches everything.
type Rule struct {
	// Name is what the decision gives as its reason.
	Name string
	// Sender and Recipient are patterns over the envelope, without regard to
	// case, where * stands for any text: "root@*", "*@lists.example.org".
	// The null sender is "<>".
	Sender    string
	Recipient string
	// From is a pattern over the header From, decoded: "*<cron@*>".
	From string
	// Subject is a regular expression (RE2) over the decoded subject.
	Subject string
	// Mark is a mark of automation: "list-id", "x-cron-env".
	Mark string
	// Format is a known alert format: "icinga", "cron", "generic".
	Format string
	// Client is the address or prefix of the host that sent it:
	// "192.0.2.7", "10.0.0.0/8", or "unix".
	Client string
	// Class is what a match makes of the copy.
	Class store.Class
}

// matcher is a compiled rule; a nil condition is not asked.
type matcher struct {
	name       string
	class      store.Class
	conditions []func(Input) bool
}

func (m *matcher) match(in Input) bool {
	for _, holds := range m.conditions {
		if !holds(in) {
			return false
		}
	}
	return true
}

func (r Rule) compile() (matcher, error) {
	m := matcher{name: r.Name, class: r.Class}
	var faults []error
	if r.Name == "" {
		faults = append(faults, errors.New("needs a name, which decisions give as their reason"))
	}
	if r.Class != store.Alert && r.Class != store.Pass {
		faults = append(faults, fmt.Errorf("class %q must be %q or %q", r.Class, store.Alert, store.Pass))
	}
	for _, add := range []func(*matcher) error{r.onEnvelope, r.onReading, r.onSubject, r.onClient} {
		faults = append(faults, add(&m))
	}
	return m, errors.Join(faults...)
}

func (m *matcher) add(holds func(Input) bool) { m.conditions = append(m.conditions, holds) }

func (r Rule) onEnvelope(m *matcher) error {
	switch r.Sender {
	case "":
	case "<>":
		m.add(func(in Input) bool { return in.Envelope.From == "" })
	default:
		m.add(func(in Input) bool { return like(r.Sender, in.Envelope.From) })
	}
	if r.Recipient != "" {
		m.add(func(in Input) bool { return like(r.Recipient, in.To) })
	}
	return nil
}

func (r Rule) onReading(m *matcher) error {
	if r.From != "" {
		m.add(func(in Input) bool { return like(r.From, in.Reading.From) })
	}
	if r.Mark != "" {
		m.add(func(in Input) bool { return slices.Contains(in.Reading.Marks, strings.ToLower(r.Mark)) })
	}
	if r.Format != "" {
		m.add(func(in Input) bool { return strings.EqualFold(in.Reading.Signature.Format, r.Format) })
	}
	return nil
}

func (r Rule) onSubject(m *matcher) error {
	if r.Subject == "" {
		return nil
	}
	subject, err := regexp.Compile(r.Subject)
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	m.add(func(in Input) bool { return subject.MatchString(in.Reading.Subject) })
	return nil
}

func (r Rule) onClient(m *matcher) error {
	if r.Client == "" {
		return nil
	}
	if r.Client == "unix" {
		m.add(func(in Input) bool { return in.Envelope.Client == "unix" })
		return nil
	}
	prefix, err := parsePrefix(r.Client)
	if err != nil {
		return fmt.Errorf("client %q must be an address, a prefix like 10.0.0.0/8, or unix", r.Client)
	}
	m.add(func(in Input) bool {
		client, err := netip.ParseAddr(in.Envelope.Client)
		return err == nil && prefix.Contains(client.Unmap())
	})
	return nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Unmap().Prefix(a.Unmap().BitLen())
}

// like reports whether s is as the pattern says, without regard to case;
// each * stands for any text, the empty one too.
func like(pattern, s string) bool {
	pattern, s = strings.ToLower(pattern), strings.ToLower(s)
	first, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, first)
	for ok && starred {
		var piece string
		piece, rest, starred = strings.Cut(rest, "*")
		if !starred {
			return strings.HasSuffix(s, piece)
		}
		_, s, ok = strings.Cut(s, piece)
	}
	return ok
}
