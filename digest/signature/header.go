package signature

import (
	"bytes"
	"strings"
)

// Bounds of the header: what lies beyond is not read.
const (
	maxHeader = 64 << 10
	maxFields = 512
)

// field is one header field, its value still folded and encoded.
type field struct{ name, value string }

// header is the fields of a mail or of a part, in order.
type header []field

// get returns the value of the first field of that name, unfolded, else "".
func (h header) get(name string) string {
	for _, f := range h {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			return unfold(f.value)
		}
	}
	return ""
}

func (h header) has(name string) bool {
	for _, f := range h {
		if len(f.name) == len(name) && strings.EqualFold(f.name, name) {
			return true
		}
	}
	return false
}

// splitHeader takes the fields off the front of raw and returns them with the
// body. Lines may end in LF, CRLF or worse; lines that are no field are
// skipped, as an mbox "From " line is. Bytes without any field are all body.
func splitHeader(raw []byte) (header, []byte) {
	block, body := cutHeader(raw)
	text := string(block)
	h := make(header, 0, 24)
	for len(text) > 0 && len(h) < maxFields {
		line, rest := cutLine(text)
		end := len(line)
		for isFolded(rest) { // continuation lines belong to the field
			next, after := cutLine(rest)
			end = len(text) - len(rest) + len(next)
			rest = after
		}
		if name, ok := fieldName(line); ok {
			h = append(h, field{strings.TrimRight(name, " \t"), text[len(name)+1 : end]})
		}
		text = rest
	}
	if len(h) == 0 {
		return nil, raw
	}
	return h, body
}

// cutHeader cuts raw at the first empty line, or at the bound of the header.
func cutHeader(raw []byte) (block, body []byte) {
	for at := 0; at < len(raw); {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			break
		}
		if len(bytes.Trim(raw[at:at+end], "\r")) == 0 {
			return raw[:min(at, maxHeader)], raw[at+end+1:]
		}
		at += end + 1
	}
	return raw[:min(len(raw), maxHeader)], nil
}

func cutLine(text string) (line, rest string) {
	end := strings.IndexByte(text, '\n')
	if end < 0 {
		return strings.TrimRight(text, "\r"), ""
	}
	return strings.TrimRight(text[:end], "\r"), text[end+1:]
}

func isFolded(text string) bool {
	return text != "" && (text[0] == ' ' || text[0] == '\t')
}

// fieldName returns what stands before the colon, if it can be the name of a
// field: printable ASCII, with spaces at most before the colon.
func fieldName(line string) (string, bool) {
	colon := strings.IndexByte(line, ':')
	if colon <= 0 || colon > 128 {
		return "", false
	}
	name := strings.TrimRight(line[:colon], " \t")
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] > '~' {
			return "", false
		}
	}
	return line[:colon], name != ""
}

// unfold takes the line ends out of a value and the spaces off its ends. Some
// programs write the two characters \r\n into a header; they go as well.
func unfold(value string) string {
	if strings.IndexByte(value, '\n') >= 0 {
		value = strings.NewReplacer("\r", "", "\n", "").Replace(value)
	}
	if strings.Contains(value, `\r\n`) {
		value = strings.ReplaceAll(value, `\r\n`, " ")
	}
	return strings.TrimSpace(value)
}

// parameter returns a parameter of a value such as Content-Type, unquoted,
// else "". The name is given in lower case.
func parameter(value, name string) string {
	for {
		_, rest, found := strings.Cut(value, ";")
		if !found {
			return ""
		}
		value = rest
		key, text, found := strings.Cut(value, "=")
		if found && strings.EqualFold(strings.TrimSpace(key), name) {
			return unquote(strings.TrimSpace(text))
		}
	}
}

// unquote returns the quoted string or the token that text begins with.
func unquote(text string) string {
	if strings.HasPrefix(text, `"`) {
		inner, _, _ := strings.Cut(text[1:], `"`)
		return inner
	}
	if end := strings.IndexAny(text, "; \t\r\n"); end >= 0 {
		return text[:end]
	}
	return text
}
