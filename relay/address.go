package relay

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Limits of RFC 5321 section 4.5.3.1. The 64 octets of a local part and the
// 256 of a path are what everybody must take, not what anybody may refuse (the
// same section), and forwarders and lists write longer ones (SRS, VERP); twice
// the path is the limit, as on the way out.
const (
	maxPath   = 512 // without the angle brackets
	maxDomain = 253
	maxLabel  = 63
)

// Faults of an address.
var (
	errNoDomain   = errors.New("has no domain")
	errNoLocal    = errors.New("has no local part")
	errTooLong    = errors.New("is too long")
	errBadDomain  = errors.New("has a malformed domain")
	errBadLocal   = errors.New("has a malformed local part")
	errControl    = errors.New("contains a control character")
	errNeedsUTF8  = errors.New("contains octets above 127 without SMTPUTF8")
	errNotUTF8    = errors.New("is not valid UTF-8")
	errRoute      = errors.New("asks for a route (%, ! or @ in the local part)")
	errUnfinished = errors.New("has an unfinished quoted string")
)

// address is a mailbox (RFC 5321 section 4.1.2).
type address struct {
	local  string // without quotes
	domain string // as written: a name, or a literal with its brackets
}

// String writes the mailbox as it goes over the wire and is kept: the local
// part quoted when it needs to be.
func (a address) String() string {
	if isDotString(a.local) {
		return a.local + "@" + a.domain
	}
	return quote(a.local) + "@" + a.domain
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// parseAddress reads a mailbox as it stands on the wire. With utf8, octets
// above 127 may stand in it (RFC 6531 section 3.3).
func parseAddress(s string, utf8 bool) (address, error) {
	if !strings.HasPrefix(s, `"`) {
		local, domain, found := strings.Cut(s, "@")
		if !found {
			return address{}, errNoDomain
		}
		if local != "" && !isDotString(local) {
			return address{}, errBadLocal
		}
		return newAddress(local, domain, utf8)
	}
	local, rest, err := unquote(s)
	if err != nil {
		return address{}, err
	}
	domain, found := strings.CutPrefix(rest, "@")
	if !found {
		return address{}, errNoDomain
	}
	return newAddress(local, domain, utf8)
}

// unquote reads the quoted string at the beginning of s.
func unquote(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) {
				return "", "", errUnfinished
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errUnfinished
}

// fromProtocol reads a mailbox as go-smtp hands it over: source routes are
// dropped, the quotes of the local part are gone. One @ too many was quoted, or
// should have been: it leaves in quotes.
func fromProtocol(s string, utf8 bool) (address, error) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return address{}, errNoDomain
	}
	return newAddress(s[:at], s[at+1:], utf8)
}

// newAddress checks the parts of a mailbox.
func newAddress(local, domain string, utf8 bool) (address, error) {
	a := address{local: local, domain: domain}
	switch {
	case local == "":
		return address{}, errNoLocal
	case domain == "":
		return address{}, errNoDomain
	case len(a.String()) > maxPath:
		return address{}, errTooLong
	}
	if err := checkOctets(local+domain, utf8); err != nil {
		return address{}, err
	}
	if !isDomain(domain) && !isLiteral(domain) {
		return address{}, errBadDomain
	}
	return a, nil
}

// checkOctets refuses what may stand in no mailbox, quoted or not.
func checkOctets(s string, allow8bit bool) error {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			return errControl
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	switch {
	case ascii:
		return nil
	case !allow8bit:
		return errNeedsUTF8
	case !utf8.ValidString(s):
		return errNotUTF8
	case strings.ContainsFunc(s, func(r rune) bool { return 0x80 <= r && r <= 0x9f }):
		return errControl
	}
	return nil
}

// isDotString reports whether a local part needs no quotes.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if !isAtext(s[i]) && s[i] != '.' {
			return false
		}
	}
	return true
}

func isAtext(c byte) bool {
	return isLetterOrDigit(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// isLetterOrDigit takes octets above 127 for letters: checkOctets has judged them.
func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf
}

// isDomain reports whether s is a domain name. Underscores are not of RFC
// 5321, but of many host names that send alerts.
func isDomain(s string) bool {
	if len(s) > maxDomain {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isLetterOrDigit(label[i]) && label[i] != '-' && label[i] != '_' {
				return false
			}
		}
	}
	return true
}

// isLiteral reports whether s is an address literal (RFC 5321 section 4.1.3).
func isLiteral(s string) bool {
	inner, opened := strings.CutPrefix(s, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return false
	}
	if six, found := cutPrefixFold(inner, "IPv6:"); found {
		a, err := netip.ParseAddr(six)
		return err == nil && a.Is6() && a.Zone() == ""
	}
	a, err := netip.ParseAddr(inner)
	return err == nil && a.Is4()
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
