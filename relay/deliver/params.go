package deliver

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"lull/store"
)

// mailLine is the MAIL command with what the server offers (ext) and the
// mail needs: BODY (RFC 6152), SIZE (RFC 1870), SMTPUTF8 (RFC 6531), RET and
// ENVID (RFC 3461).
func mailLine(from string, mail store.Outgoing, ext extensions) string {
	var b strings.Builder
	fmt.Fprintf(&b, "MAIL FROM:<%s>", from)
	if ext.has("8BITMIME") && mail.EightBit {
		b.WriteString(" BODY=8BITMIME")
	}
	if ext.has("SIZE") && mail.Size > 0 {
		fmt.Fprintf(&b, " SIZE=%d", mail.Size)
	}
	if ext.has("SMTPUTF8") && needsUTF8(mail) {
		b.WriteString(" SMTPUTF8")
	}
	if !ext.has("DSN") {
		return b.String()
	}
	if mail.Ret == "FULL" || mail.Ret == "HDRS" {
		b.WriteString(" RET=" + mail.Ret)
	}
	if mail.EnvID != "" && printableASCII(mail.EnvID) {
		b.WriteString(" ENVID=" + xtext(mail.EnvID))
	}
	return b.String()
}

// rcptLine is the RCPT command, with NOTIFY and ORCPT (RFC 3461) where the
// server offers DSN. Parameters that are not well-formed are left out.
func rcptLine(to string, t store.Target, ext extensions) string {
	line := "RCPT TO:<" + to + ">"
	if !ext.has("DSN") {
		return line
	}
	if validNotify(t.Notify) {
		line += " NOTIFY=" + strings.Join(t.Notify, ",")
	}
	if o := orcpt(t.ORcpt, ext.has("SMTPUTF8")); o != "" {
		line += " ORCPT=" + o
	}
	return line
}

func needsUTF8(mail store.Outgoing) bool {
	return mail.UTF8 || !ascii(mail.From) ||
		slices.ContainsFunc(mail.To, func(t store.Target) bool { return !ascii(t.Address) })
}

// validNotify holds for NEVER alone, or a set of the others (RFC 3461 section 4.1).
func validNotify(words []string) bool {
	if len(words) == 1 && words[0] == "NEVER" {
		return true
	}
	for i, w := range words {
		if w != "SUCCESS" && w != "FAILURE" && w != "DELAY" || slices.Contains(words[:i], w) {
			return false
		}
	}
	return len(words) > 0
}

// orcpt encodes "type;address" (RFC 3461 section 4.2; RFC 6533 section 3 for
// type utf-8), "" if it is not one.
func orcpt(decoded string, utf8Offered bool) string {
	kind, address, ok := strings.Cut(decoded, ";")
	if !ok || address == "" || kind == "" || strings.ContainsFunc(kind, func(c rune) bool { return !labelRune(c) || c > '~' }) {
		return ""
	}
	if strings.EqualFold(kind, "utf-8") {
		if hasControl(address) || !utf8.ValidString(address) {
			return ""
		}
		return kind + ";" + utf8Text(address, utf8Offered)
	}
	if !printableASCII(address) {
		return ""
	}
	return kind + ";" + xtext(address)
}

// xtext of RFC 3461 section 4.
func xtext(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// utf8Text is utf-8-addr-unitext of RFC 6533 section 3 when the octets may
// stand for themselves, else utf-8-addr-xtext.
func utf8Text(s string, raw bool) string {
	var b strings.Builder
	for _, c := range s {
		if c <= ' ' || c == '\\' || c == '+' || c == '=' || c == 0x7f || c > 0x7f && !raw {
			fmt.Fprintf(&b, `\x{%02X}`, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}
