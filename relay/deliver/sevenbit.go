package deliver

import (
	"bytes"
	"encoding/base64"
	"mime"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds the depth of parts in parts; what lies deeper is taken as
// text.
const maxNesting = 30

// sevenBit rewrites a mail for a mail server that does not take it as it is
// (RFC 6152 section 3, RFC 6531 section 3.2), and reports whether that changed
// it. Header fields become ASCII by encoded words (RFC 2047). With body, for a
// server without 8BITMIME, so does all else: text by quoted-printable, other
// parts by base64. What is 7-bit already stays as it is, octet by octet.
func sevenBit(mail []byte, body bool) (recoded []byte, changed bool) {
	if ascii(mail) {
		return mail, false
	}
	r := recoder{body: body}
	r.entity(mail, 0)
	if body {
		maskEightBit(r.out)
	}
	return r.out, !bytes.Equal(r.out, mail)
}

// recoder writes entities (RFC 2045 section 2.4) to out.
type recoder struct {
	body bool
	out  []byte
}

// entity writes one: the mail, or a part of it.
func (r *recoder) entity(e []byte, depth int) {
	head, rest := splitHeader(e)
	h := parseFields(head)
	kind, params := h.mediaType()
	encoding := strings.ToLower(strings.TrimSpace(h.value("Content-Transfer-Encoding")))
	identity := encoding == "" || encoding == "7bit" || encoding == "8bit" || encoding == "binary"
	content, eightBit := body(rest), !ascii(rest)
	nested := identity && depth < maxNesting && eightBit
	switch {
	case nested && strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		r.header(h, relabel(encoding, r.body))
		r.multipart(rest, params["boundary"], depth)
	case nested && (kind == "message/rfc822" || kind == "message/global"):
		r.header(h, relabel(encoding, r.body))
		r.out = append(r.out, content.gap...)
		r.entity(content.text, depth+1)
	case !r.body || !eightBit:
		r.header(h, encoding)
		r.out = append(r.out, rest...)
	default:
		r.leaf(h, kind, encoding, content, depth)
	}
}

// relabel is the encoding of a container whose parts have become 7-bit.
func relabel(encoding string, body bool) string {
	if body && encoding != "" {
		return "7bit"
	}
	return encoding
}

// leaf writes a part with octets above 127 that has no parts of its own.
func (r *recoder) leaf(h *fields, kind, encoding string, content entityBody, depth int) {
	if depth == 0 && kind == "" {
		h.declare(content.text)
	}
	switch {
	case encoding == "base64": // such octets are noise in it (RFC 2045 section 6.8)
		r.header(h, encoding)
		r.out = append(r.out, content.gap...)
		r.out = append(r.out, dropEightBit(content.text)...)
	case encoding == "quoted-printable": // they should have been encoded
		r.header(h, encoding)
		r.out = append(r.out, content.gap...)
		r.out = append(r.out, escapeEightBit(content.text)...)
	case kind == "" || strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "message/") || strings.HasPrefix(kind, "multipart/"):
		r.header(h, "quoted-printable")
		r.out = append(r.out, content.gap...)
		r.out = append(r.out, quotedPrintable(content.text)...)
	default:
		r.header(h, "base64")
		r.out = append(r.out, content.gap...)
		r.out = append(r.out, inLines(content.text)...)
	}
}

// header writes the fields, with the encoding said where it is not the same.
func (r *recoder) header(h *fields, encoding string) {
	h.encoding(encoding)
	for _, f := range h.list {
		r.out = append(r.out, f.sevenBit()...)
	}
}

// multipart writes what stands between the delimiters, each part on its own
// (RFC 2046 section 5.1).
func (r *recoder) multipart(rest []byte, boundary string, depth int) {
	delimiter := []byte("--" + boundary)
	begin, inPart := 0, false
	flush := func(to int) {
		part := rest[begin:to]
		if !inPart { // preamble and epilogue are read by nobody
			r.out = append(r.out, part...)
			return
		}
		end := len(part) - lineEnd(part) // the last line end belongs to the delimiter
		r.entity(part[:end], depth+1)
		r.out = append(r.out, part[end:]...)
	}
	for at := 0; at < len(rest); {
		next := at + lineLength(rest[at:])
		line := bytes.TrimRight(rest[at:next], " \t\r\n")
		if last := bytes.Equal(line, append(delimiter, "--"...)); last || bytes.Equal(line, delimiter) {
			flush(at)
			r.out = append(r.out, rest[at:next]...)
			begin, inPart = next, !last
		}
		at = next
	}
	flush(len(rest))
}

// entityBody is what follows a header: the empty line, and the text.
type entityBody struct{ gap, text []byte }

func body(rest []byte) entityBody {
	n := min(lineLength(rest), len(rest))
	return entityBody{rest[:n], rest[n:]}
}

// splitHeader returns the header, and the rest with the empty line that ends it.
func splitHeader(e []byte) (head, rest []byte) {
	for at := 0; at < len(e); {
		n := lineLength(e[at:])
		if len(bytes.TrimRight(e[at:at+n], "\r\n")) == 0 {
			return e[:at], e[at:]
		}
		at += n
	}
	return e, nil
}

// lineLength counts the octets up to and with the next LF.
func lineLength(p []byte) int {
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		return i + 1
	}
	return len(p)
}

// lineEnd counts the octets of the line end that p ends with.
func lineEnd(p []byte) int {
	return len(p) - len(bytes.TrimSuffix(bytes.TrimSuffix(p, []byte("\n")), []byte("\r")))
}

func quotedPrintable(text []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(text) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func inLines(data []byte) []byte {
	const width = 76
	encoded := base64.StdEncoding.EncodeToString(data)
	var out []byte
	for len(encoded) > width {
		out = append(append(out, encoded[:width]...), '\r', '\n')
		encoded = encoded[width:]
	}
	return append(out, encoded...)
}

func dropEightBit(p []byte) []byte {
	return bytes.Map(func(c rune) rune {
		if c >= utf8.RuneSelf {
			return -1
		}
		return c
	}, p)
}

// escapeEightBit encodes the octets above 127 of quoted-printable text.
func escapeEightBit(p []byte) []byte {
	const hex = "0123456789ABCDEF"
	var out []byte
	for _, c := range p {
		if c >= utf8.RuneSelf {
			out = append(out, '=', hex[c>>4], hex[c&15])
			continue
		}
		out = append(out, c)
	}
	return out
}

// maskEightBit is for what nobody reads, or nobody can repair.
func maskEightBit(p []byte) {
	for i, c := range p {
		if c >= utf8.RuneSelf {
			p[i] = '?'
		}
	}
}

// mediaType is the Content-Type, "" where there is none that can be read.
func (h *fields) mediaType() (string, map[string]string) {
	kind, params, err := mime.ParseMediaType(h.value("Content-Type"))
	if err != nil {
		return "", nil
	}
	return kind, params
}
