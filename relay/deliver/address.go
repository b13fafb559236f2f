package deliver

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pathLimit is above the 256 octets of RFC 5321 section 4.5.3.1.3, since real
// senders (VERP, SRS) go beyond, and far below what a command line may have.
const pathLimit = 512

var errAddress = errors.New("not an address that can be written in SMTP")

// path writes an address as it stands between the brackets of MAIL and RCPT
// (RFC 5321 section 4.1.2), "" for the null sender. The local part comes out as
// a dot-string or, where it cannot be one, as a quoted string made anew: so
// nothing in it can end the path and pass for a parameter.
func path(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	if len(address) > pathLimit || !utf8.ValidString(address) || hasControl(address) {
		return "", errAddress
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 { // "postmaster", and whatever the mail server qualifies
		if !dotString(address) {
			return "", errAddress
		}
		return address, nil
	}
	local, domain := unquote(address[:at]), address[at+1:]
	if local == "" || !validDomain(domain) {
		return "", errAddress
	}
	return quote(local) + "@" + domain, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsControl(c) || c != ' ' && unicode.IsSpace(c)
	})
}

// unquote takes the quotes off a well-formed quoted string; anything else is
// taken literally.
func unquote(local string) string {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local
	}
	var b strings.Builder
	inner := local[1 : len(local)-1]
	for i := 0; i < len(inner); i++ {
		if inner[i] == '"' {
			return local
		}
		if inner[i] == '\\' {
			if i++; i == len(inner) {
				return local
			}
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}

func quote(local string) string {
	if dotString(local) {
		return local
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"`
}

func dotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(c rune) bool { return !atext(c) }) {
			return false
		}
	}
	return true
}

// atext of RFC 5322, and non-ASCII of RFC 6531 section 3.3.
func atext(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' ||
		c >= 0xa0 || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", c)
}

// validDomain takes what is written in the field: labels, also with the
// underscores of real host names, or an address literal.
func validDomain(d string) bool {
	if inner, ok := strings.CutPrefix(d, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && inner != "" && strings.Trim(inner, "0123456789abcdefABCDEFIPv:.") == ""
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(d, "."), ".") {
		if label == "" || strings.ContainsFunc(label, func(c rune) bool { return !labelRune(c) }) {
			return false
		}
	}
	return true
}

func labelRune(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_' || c >= 0xa0
}

func ascii[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
