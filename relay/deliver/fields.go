package deliver

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"
)

// fields is a header, as it was.
type fields struct{ list []field }

// field is one header field: its name, and its octets with name, folds and
// line end. A line that is no field has no name.
type field struct {
	name string
	raw  []byte
}

func parseFields(head []byte) *fields {
	h := &fields{}
	for len(head) > 0 {
		n := lineLength(head)
		for n < len(head) && (head[n] == ' ' || head[n] == '\t') {
			n += lineLength(head[n:])
		}
		name, _, ok := bytes.Cut(head[:n], []byte(":"))
		if !ok || !ascii(name) {
			name = nil
		}
		h.list = append(h.list, field{string(bytes.TrimRight(name, " \t")), head[:n:n]})
		head = head[n:]
	}
	return h
}

// value is the unfolded value of the first field of that name, "" if none.
func (h *fields) value(name string) string {
	for _, f := range h.list {
		if strings.EqualFold(f.name, name) {
			return f.value()
		}
	}
	return ""
}

func (f field) value() string {
	_, value, _ := bytes.Cut(f.raw, []byte(":"))
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(string(value)))
}

// encoding sets Content-Transfer-Encoding, if it is not that already.
func (h *fields) encoding(to string) {
	const name = "Content-Transfer-Encoding"
	if to == "" || strings.EqualFold(h.value(name), to) {
		return
	}
	set := field{name, []byte(name + ": " + to + "\r\n")}
	for i, f := range h.list {
		if strings.EqualFold(f.name, name) {
			h.list[i] = set
			return
		}
	}
	h.list = append(h.closed(), set)
}

// declare adds the fields that a mail without MIME needs to be decoded. The
// charset is what it can be seen to be, else what RFC 1428 names for that.
func (h *fields) declare(text []byte) {
	charset := "unknown-8bit"
	if utf8.Valid(text) {
		charset = "utf-8"
	}
	if h.value("MIME-Version") == "" {
		h.list = append(h.closed(), field{"MIME-Version", []byte("MIME-Version: 1.0\r\n")})
	}
	if h.value("Content-Type") == "" {
		h.list = append(h.closed(), field{"Content-Type", []byte("Content-Type: text/plain; charset=" + charset + "\r\n")})
	}
}

// closed is the list, whose last line has an end.
func (h *fields) closed() []field {
	if n := len(h.list) - 1; n >= 0 && lineEnd(h.list[n].raw) == 0 {
		h.list[n].raw = append(h.list[n].raw, '\r', '\n')
	}
	return h.list
}

// sevenBit is the field in ASCII.
func (f field) sevenBit() []byte {
	if ascii(f.raw) {
		return f.raw
	}
	if f.name == "" {
		masked := bytes.Clone(f.raw)
		maskEightBit(masked)
		return masked
	}
	var value string
	switch name := strings.ToLower(f.name); {
	case strings.HasPrefix(name, "content-"):
		value = encodeQuoted(f.value())
	case addressField(name):
		value = encodeAddresses(f.value())
	default:
		value = encodeText(f.value())
	}
	return []byte(f.name + ": " + value + "\r\n")
}

func addressField(name string) bool {
	switch strings.TrimPrefix(name, "resent-") {
	case "from", "to", "cc", "bcc", "reply-to", "sender":
		return true
	}
	return false
}

// encodeText makes encoded words of the words that are not ASCII; the blanks
// between two of them are part of them.
func encodeText(s string) string {
	words := strings.Fields(s)
	var out []string
	for i := 0; i < len(words); {
		if ascii(words[i]) {
			out = append(out, words[i])
			i++
			continue
		}
		from := i
		for i < len(words) && !ascii(words[i]) {
			i++
		}
		out = append(out, encodedWords(strings.Join(words[from:i], " ")))
	}
	return strings.Join(out, " ")
}

// encodedWords is s as encoded words, one a line (RFC 2047 section 2).
func encodedWords(s string) string {
	charset := "utf-8"
	if !utf8.ValidString(s) {
		charset = "unknown-8bit"
	}
	return strings.ReplaceAll(mime.QEncoding.Encode(charset, s), "?= =?", "?=\r\n =?")
}

// encodeAddresses encodes the names in a list of addresses. An address that
// is not ASCII itself cannot be written: name and address become the name of an
// empty group, so that people still read it (RFC 6857 section 3.1.8).
func encodeAddresses(s string) string {
	var out []string
	for _, one := range splitAddresses(s) {
		if ascii(one) {
			out = append(out, one)
			continue
		}
		name, address := one, ""
		if i := strings.LastIndexByte(one, '<'); i >= 0 {
			name, address = strings.TrimSpace(one[:i]), one[i:]
		}
		switch {
		case address == "" || !ascii(address):
			out = append(out, encodedWords(one)+" :;")
		default:
			out = append(out, encodedWords(unquote(name))+" "+address)
		}
	}
	return strings.Join(out, ", ")
}

// splitAddresses splits at commas outside of quotes.
func splitAddresses(s string) []string {
	var out []string
	from, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				out = append(out, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

// encodeQuoted encodes within the quotes of parameters, as all programs read
// it although RFC 2047 section 5 does not have it; elsewhere nothing can be done.
func encodeQuoted(s string) string {
	parts := strings.Split(s, `"`)
	for i, p := range parts {
		if ascii(p) {
			continue
		}
		if i%2 == 1 {
			parts[i] = strings.ReplaceAll(encodedWords(p), "\r\n", "")
			continue
		}
		masked := []byte(p)
		maskEightBit(masked)
		parts[i] = string(masked)
	}
	return strings.Join(parts, `"`)
}
