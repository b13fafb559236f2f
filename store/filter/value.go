package filter

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"lull/store"
)

// address matches a mail address: exactly, by "@domain", or with *.
func address(of func(*copyAt) string) func(string) (value, error) {
	return func(s string) (value, error) {
		text := strings.ToLower(s)
		pattern := text
		switch {
		case text == "<>":
			pattern = ""
		case strings.HasPrefix(text, "@"):
			pattern = "*" + text
		case !strings.ContainsAny(text, "@*"):
			return value{}, fmt.Errorf("not an address; write %s@* for any domain, @%s for the domain, or <> for the null sender", text, text)
		}
		return value{text: text, test: func(c *copyAt) bool { return glob(pattern, strings.ToLower(of(c))) }}, nil
	}
}

// name matches one of several names, exactly or with *.
func name(of func(*copyAt) []string) func(string) (value, error) {
	return func(s string) (value, error) {
		pattern := strings.ToLower(s)
		match := func(n string) bool { return glob(pattern, strings.ToLower(n)) }
		return value{text: s, test: func(c *copyAt) bool { return slices.ContainsFunc(of(c), match) }}, nil
	}
}

// word matches one of a fixed set of words.
func word(of func(*copyAt) string, known ...string) func(string) (value, error) {
	return func(s string) (value, error) {
		text := strings.ReplaceAll(strings.ToLower(s), "-", "_")
		if !slices.Contains(known, text) {
			return value{}, fmt.Errorf("must be one of %s", strings.Join(known, ", "))
		}
		return value{text: text, test: func(c *copyAt) bool { return of(c) == text }}, nil
	}
}

// glob matches a whole text against a pattern in which * is any text, in time
// bounded by the product of their lengths.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// expression compiles RE2; without regard to case and, in texts of several
// lines, with ^ and $ at each.
func expression(s string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("(?im)" + s)
	var bad *syntax.Error
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("%s near %q; expressions are RE2 (a \\ before a character takes it literally)", bad.Code, bad.Expr)
	}
	return re, err
}

func subject(s string) (value, error) {
	re, err := expression(s)
	if err != nil {
		return value{}, err
	}
	return value{text: s, expression: re, test: func(c *copyAt) bool { return re.MatchString(c.Message.Reading.Subject) }}, nil
}

// text looks into the excerpt, which is decoded, then into the message as
// received: what a base64 part says after its first lines is not found.
func text(s string) (value, error) {
	re, err := expression(s)
	if err != nil {
		return value{}, err
	}
	return value{text: s, expression: re, test: func(c *copyAt) bool {
		return re.MatchString(c.Message.Reading.Excerpt) || re.Match(c.received())
	}}, nil
}

func decodedSubject(e store.Entry) string { return e.Message.Reading.Subject }

func excerpt(e store.Entry) string { return e.Message.Reading.Excerpt }

// groups are what an expression captures in a text, nil without a match.
func groups(re *regexp.Regexp, in string) map[string]string {
	found := re.FindStringSubmatch(in)
	if found == nil {
		return nil
	}
	out := map[string]string{}
	for i, name := range re.SubexpNames()[1:] {
		out[strconv.Itoa(i+1)] = found[i+1]
		if name != "" {
			out[name] = found[i+1]
		}
	}
	return out
}

// client matches the peer's address.
func client(s string) (value, error) {
	if strings.EqualFold(s, "unix") {
		return value{text: "unix", test: func(c *copyAt) bool { return c.Message.Envelope.Client == "unix" }}, nil
	}
	network, err := prefix(s)
	if err != nil {
		return value{}, errors.New("must be an address (192.0.2.7), a network (192.0.2.0/24, 2001:db8::/32), or unix")
	}
	return value{text: network.String(), test: func(c *copyAt) bool {
		ip, err := netip.ParseAddr(c.Message.Envelope.Client)
		return err == nil && network.Contains(ip.Unmap().WithZone(""))
	}}, nil
}

func prefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	ip = ip.Unmap().WithZone("")
	return netip.PrefixFrom(ip, ip.BitLen()), nil
}

// id matches a copy by its id, or all copies of a message.
func id(s string) (value, error) {
	return value{text: s, test: func(c *copyAt) bool {
		return strings.EqualFold(s, c.Message.ID) || strings.EqualFold(s, c.ID())
	}}, nil
}
