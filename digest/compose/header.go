package compose

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// lineColumns bounds the lines of a header (RFC 2047 section 2).
const lineColumns = 76

// fields are the header of a digest. Nothing in them comes from an alert.
func (a *account) fields(subject string) []string {
	id := msgID(a.ID, a.Host)
	root := msgID("day-"+a.Now.In(a.Zone).Format("20060102")+"-"+digestOf(a.Reader), a.Host)
	parent, references := root, root
	if a.LastID != "" && a.clock.sameDay(a.Since, a.Now) {
		parent = msgID(a.LastID, a.Host)
		references += "\r\n " + parent
	}
	return []string{
		"From: lull <" + address(a.From) + ">",
		recipient(a.To),
		"Subject: " + phrase(subject, len("Subject: ")),
		"Date: " + a.Now.UTC().Format(time.RFC1123Z),
		"Message-ID: " + id,
		"In-Reply-To: " + parent,
		"References: " + references,
		"List-Id: " + listID(a.Reader, a.Host),
		"X-Lull-Digest: " + a.ID + " " + a.Host,
		"X-Lull-Copies: " + strconv.Itoa(a.told.Copies+a.missing), // all that this digest accounts for
		"Auto-Submitted: auto-generated",
		"Precedence: bulk",
		"X-Auto-Response-Suppress: All",
		"MIME-Version: 1.0",
	}
}

func msgID(left, host string) string { return "<" + left + "@" + host + ">" }

// digestOf is a short name for any text.
func digestOf(s string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(s)))
	return hex.EncodeToString(sum[:6])
}

// address is an address of an envelope as it stands in a header, quoted where
// it must be.
func address(s string) string {
	if parsed, err := mail.ParseAddress(s); err == nil && strings.HasPrefix(s, `"`) && parsed.Name == "" {
		s = parsed.Address // without the quotes that String adds
	}
	quoted := (&mail.Address{Address: s}).String()
	return strings.TrimSuffix(strings.TrimPrefix(quoted, "<"), ">")
}

// recipient is the To field. An address that is not ASCII becomes the name of
// an empty group (RFC 6857 section 3.1.8): the header stays ASCII for every
// server on the way, the envelope has the address.
func recipient(to string) string {
	quoted := address(to)
	if ascii(quoted) && strings.Contains(to, "@") && len(quoted) < 900 {
		return "To: <" + quoted + ">"
	}
	if name := clean(to, 200); name != "" {
		return "To: " + encoded(name, len("To: ")) + ":;"
	}
	return "To: undisclosed-recipients:;"
}

// listID names the digests of one reader (RFC 2919).
func listID(reader, host string) string {
	label := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, strings.ReplaceAll(reader, "@", "-at-"))
	label = strings.Trim(label[:min(len(label), 60)], "-")
	return "<" + label + "." + digestOf(reader) + "." + host + ">"
}

// phrase is clean text as it stands in a header: folded at blanks, or in
// encoded words where it is not ASCII. offset is how much of the first line is
// taken.
func phrase(s string, offset int) string {
	if ascii(s) {
		// What looks like an encoded word is none.
		return folded(strings.ReplaceAll(s, "=?", "= ?"), offset)
	}
	return encoded(s, offset)
}

// encoded is a text in encoded words (RFC 2047), one a line.
func encoded(s string, offset int) string {
	var b strings.Builder
	for s != "" {
		// In base64 four characters for three bytes, and twelve around them.
		n := chunk(s, (lineColumns-12-max(offset, 1))/4*3)
		b.WriteString("=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(s[:n])) + "?=")
		if s, offset = s[n:], 1; s != "" {
			b.WriteString("\r\n ")
		}
	}
	return b.String()
}

// chunk is the length of as many whole characters as fit in limit bytes. There
// is room for one at least.
func chunk(s string, limit int) int {
	if len(s) <= limit {
		return len(s)
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return limit
}

// folded breaks a text at blanks.
func folded(s string, offset int) string {
	var b strings.Builder
	n := offset
	for i, word := range strings.Fields(s) {
		if i > 0 && n+1+len(word) > lineColumns {
			b.WriteString("\r\n")
			n = 0
		}
		if i > 0 {
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// check refuses what would break the header's grammar: these come from
// configuration and from the engine, never from mail.
func (in Input) check() error {
	for _, f := range []struct{ name, value string }{{"id", in.ID}, {"host", in.Host}} {
		if f.value == "" || !ascii(f.value) || len(f.value) > 200 || strings.ContainsAny(f.value, " <>@()[]\\,;:\"") {
			return fmt.Errorf("digest %s %q cannot stand in a Message-ID", f.name, f.value)
		}
	}
	if in.LastID != "" && (!ascii(in.LastID) || len(in.LastID) > 200 || strings.ContainsAny(in.LastID, " <>@()[]\\,;:\"")) {
		return fmt.Errorf("last digest's id %q cannot stand in a Message-ID", in.LastID)
	}
	if in.To == "" {
		return fmt.Errorf("digest for %q has no address to go to", in.Reader)
	}
	if a := address(in.From); !ascii(a) || !strings.Contains(in.From, "@") {
		return fmt.Errorf("digests cannot come from %q: not a plain address", in.From)
	}
	return nil
}
