package relay

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// mended is a MAIL or RCPT command as go-smtp takes it.
func mended(line []byte, domain string) []byte {
	return []byte(original(qualified(plainPath(xtextual(string(line))), domain)))
}

// tidy is a command without the blanks before and after it, and with one in
// place of a tab after its verb: Postfix takes such.
func tidy(line []byte) []byte {
	words := bytes.Trim(line, " \t\r\n")
	if len(words) == 0 {
		return line
	}
	end := line[len(bytes.TrimRight(line, "\r\n")):]
	if at := bytes.IndexAny(words, " \t"); at > 0 && words[at] == '\t' {
		words = append(append(bytes.Clone(words[:at]), ' '), words[at+1:]...)
	}
	return append(bytes.Clone(words), end...)
}

// plainPath takes out of a path what programs write there and Postfix reads
// past: a second pair of brackets, with a name before it, blanks around the
// parts, the dot at the end of a domain. What has quotes is left as it is.
func plainPath(line string) string {
	head, rest, opened := strings.Cut(line, "<")
	name, tail, closed := strings.Cut(rest, ">")
	if !opened || !closed || strings.ContainsAny(name, `"\`) {
		return line
	}
	if at := strings.LastIndexByte(name, '<'); at >= 0 {
		name, tail = name[at+1:], strings.TrimPrefix(tail, ">")
	}
	local, domain, qualified := strings.Cut(name, "@")
	if !qualified {
		return head + "<" + strings.TrimSpace(name) + ">" + tail
	}
	domain = strings.TrimSuffix(strings.TrimSpace(domain), ".")
	return head + "<" + strings.TrimSpace(local) + "@" + domain + ">" + tail
}

// qualified adds the domain to a bare name. Programs that talk to the mail
// server of their own machine send such (RCPT TO:<root>), and RFC 5321 section
// 4.5.1 wants <Postmaster> taken. A sender without a local part is the null
// sender: DragonFly's agent adds its domain to that too, and Postfix makes
// <""@host> of it.
func qualified(line, domain string) string {
	path, _, _ := strings.Cut(line, ":")
	if !strings.EqualFold(path, "MAIL FROM") && !strings.EqualFold(path, "RCPT TO") {
		return line
	}
	head, rest, opened := strings.Cut(line, "<")
	name, tail, closed := strings.Cut(rest, ">")
	if _, blank, _ := strings.Cut(head, ":"); !opened || !closed || strings.TrimSpace(blank) != "" {
		return line
	}
	switch at, nobody := strings.CutPrefix(strings.TrimPrefix(name, `""`), "@"); {
	case isDotString(name) && domain != "":
		return head + "<" + name + "@" + domain + ">" + tail
	case nobody && isDomain(at) && strings.EqualFold(path, "MAIL FROM"):
		return head + "<>" + tail
	}
	return line
}

// parameter finds a parameter of a command by its name: where it begins, with
// its space, and its value, which ends at the next space. -1 for none.
func parameter(line, name string) (at int, value string) {
	for at = 0; at < len(line); at++ {
		rest := line[at:]
		if rest[0] != ' ' || len(rest) < len(name)+2 || rest[len(name)+1] != '=' || !strings.EqualFold(rest[1:len(name)+1], name) {
			continue
		}
		value = rest[len(name)+2:]
		if end := strings.IndexAny(value, " \t\r\n\f"); end >= 0 {
			value = value[:end]
		}
		return at, value
	}
	return -1, ""
}

// original gives the original address of a recipient (RFC 3461 section 4.2) the
// type that it has, if it is in UTF-8: Postfix says rfc822, where RFC 6533
// section 3 asks for utf-8. One that go-smtp refuses, of X.400 or so, is left
// out: better a report without it than no mail.
func original(line string) string {
	const name = "ORCPT"
	at, value := parameter(line, name)
	kind, coded, typed := strings.Cut(value, ";")
	if at < 0 || !typed || kind == "" || strings.ContainsFunc(kind, wide) {
		return line
	}
	rest := line[at+len(" "+name+"=")+len(value):]
	rfc822 := strings.EqualFold(kind, "rfc822")
	if coded == "" || !rfc822 && !strings.EqualFold(kind, "utf-8") {
		return line[:at] + rest
	}
	address := fromXtext(coded)
	if !rfc822 || !utf8.ValidString(address) || !strings.ContainsFunc(address, wide) {
		return line
	}
	return line[:at] + " ORCPT=utf-8;" + unitext(address) + rest
}

func wide(r rune) bool { return r >= utf8.RuneSelf }

// xtextual encodes, in the parameters in the form of RFC 3461 section 4, what
// Postfix takes as it is: an equals sign, and hexadecimal digits in lower case.
func xtextual(line string) string {
	for _, name := range []string{"ENVID", "ORCPT"} {
		at, value := parameter(line, name)
		kind, _, _ := strings.Cut(value, ";")
		if at < 0 || name == "ORCPT" && !strings.EqualFold(kind, "rfc822") {
			continue
		}
		at += len(" " + name + "=")
		line = line[:at] + hexchars(strings.ReplaceAll(value, "=", "+3D"), isHex, strings.ToUpper) + line[at+len(value):]
	}
	return line
}

// hexchars makes something else of each hexchar, a plus sign with two digits.
func hexchars(s string, isDigit func(byte) bool, of func(string) string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '+')
		if at < 0 || at+2 >= len(s) {
			return b.String() + s
		}
		if !isDigit(s[at+1]) || !isDigit(s[at+2]) {
			b.WriteString(s[:at+1])
			s = s[at+1:]
			continue
		}
		b.WriteString(s[:at] + of(s[at:at+3]))
		s = s[at+3:]
	}
}

func isHex(c byte) bool { return isUpperHex(c) || 'a' <= c && c <= 'f' }

func isUpperHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }

// fromXtext decodes the form of RFC 3461 section 4.
func fromXtext(s string) string {
	return hexchars(s, isUpperHex, func(hex string) string {
		var c byte
		fmt.Sscanf(hex, "+%02X", &c) //nolint:errcheck // it is two hexadecimal digits
		return string([]byte{c})
	})
}

// unitext encodes an address in the form that RFC 6533 section 3 calls
// utf-8-addr-xtext.
func unitext(address string) string {
	var b strings.Builder
	for _, r := range address {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`+=\`, r) {
			fmt.Fprintf(&b, `\x{%02X}`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
