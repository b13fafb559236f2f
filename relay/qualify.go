package relay

import (
	"bytes"
	"fmt"
	"regexp"
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

// originalAddress is the parameter of RFC 3461 section 4.2, foreignAddress one
// of a kind of address that is not the Internet's, or none.
var (
	originalAddress = regexp.MustCompile(`(?i) ORCPT=rfc822;(\S+)`)
	foreignAddress  = regexp.MustCompile(`(?i) ORCPT=([!-:<-~]+;)(\S*)`)
)

// original gives the original address of a recipient the type that it has, if
// it is in UTF-8: Postfix says rfc822 (RFC 3461), where RFC 6533 section 3
// asks for utf-8. One that go-smtp refuses, of X.400 or so, is left out: better
// a report without it than no mail.
func original(line string) string {
	if at := foreignAddress.FindStringSubmatchIndex(line); at != nil {
		kind, address := line[at[2]:at[3]], line[at[4]:at[5]]
		if address == "" || !strings.EqualFold(kind, "rfc822;") && !strings.EqualFold(kind, "utf-8;") {
			return line[:at[0]] + line[at[1]:]
		}
	}
	at := originalAddress.FindStringSubmatchIndex(line)
	if at == nil {
		return line
	}
	address := fromXtext(line[at[2]:at[3]])
	if !utf8.ValidString(address) || !strings.ContainsFunc(address, wide) {
		return line
	}
	return line[:at[0]] + " ORCPT=utf-8;" + unitext(address) + line[at[1]:]
}

func wide(r rune) bool { return r >= utf8.RuneSelf }

// encoded are the parameters in the form of RFC 3461 section 4.
var encoded = regexp.MustCompile(`(?i) (?:ENVID=|ORCPT=rfc822;)\S+`)

// xtextual encodes in these what Postfix takes as it is: an equals sign, and
// hexadecimal digits in lower case.
func xtextual(line string) string {
	return encoded.ReplaceAllStringFunc(line, func(parameter string) string {
		name, value, _ := strings.Cut(parameter, "=")
		value = strings.ReplaceAll(value, "=", "+3D")
		return name + "=" + anyHexchar.ReplaceAllStringFunc(value, strings.ToUpper)
	})
}

var anyHexchar = regexp.MustCompile(`\+[0-9A-Fa-f]{2}`)

var hexchar = regexp.MustCompile(`\+[0-9A-F]{2}`)

// fromXtext decodes the form of RFC 3461 section 4.
func fromXtext(s string) string {
	return hexchar.ReplaceAllStringFunc(s, func(hex string) string {
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
