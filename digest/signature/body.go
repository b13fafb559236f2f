package signature

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Bounds of the walk through a body: what lies beyond is not read.
const (
	maxBody  = 1 << 20   // bytes in which parts are looked for
	maxDepth = 8         // multiparts within multiparts
	maxParts = 32        // in all
	maxCoded = 192 << 10 // bytes of one part before decoding
	maxText  = 16 << 10  // bytes of text after decoding
	maxLine  = 1 << 10   // bytes of one line of it
	maxLines = 512
)

// walk goes through a MIME tree and keeps the text it meets.
type walk struct {
	parts       int
	plain, html string
	attached    string // text of attachments: read where there is nothing else
	report      bool   // multipart/report: a DSN, or another report about mail
	tree        []string
}

// text returns the text of a body as lines, trimmed, blanks collapsed.
func (w *walk) text() []string {
	text := w.plain
	if blank := strings.TrimSpace(text) == ""; w.html != "" && (blank || isStub(text, w.html)) {
		text = htmlText(w.html)
	} else if blank {
		text = w.attached
	}
	return textLines(text)
}

// isStub reports whether the plain text only says that there is HTML.
func isStub(plain, html string) bool {
	return len(plain) < 256 && len(html) > 4*len(plain) && containsFold(plain, "html")
}

// entity reads a mail or a part: its header and all that follows.
func (w *walk) entity(h header, body []byte, depth int) {
	w.parts++
	kind := unfold(h.get("Content-Type"))
	media := strings.ToLower(strings.TrimSpace(before(kind, ";")))
	w.tree = append(w.tree, media)
	if strings.HasPrefix(media, "multipart/") {
		w.report = w.report || media == "multipart/report"
		if depth < maxDepth {
			w.multipart(parameter(kind, "boundary"), body, depth+1)
		}
		return
	}
	if media == "message/rfc822" || strings.HasPrefix(media, "message/") && depth > 0 {
		return // another mail, or the machine's half of a report
	}
	w.leaf(h, kind, media, body)
}

// multipart reads the parts between boundary lines.
func (w *walk) multipart(boundary string, body []byte, depth int) {
	if boundary == "" {
		boundary = guessBoundary(body)
	}
	if boundary == "" {
		w.leaf(nil, "", "text/plain", body)
		return
	}
	mark := []byte("--" + boundary)
	_, rest, found := cutBoundary(body, mark)
	for found && w.parts < maxParts {
		var part []byte
		if bytes.HasPrefix(rest, []byte("--")) {
			return
		}
		part, rest, found = cutBoundary(rest, mark)
		_, part, _ = bytes.Cut(part, []byte("\n")) // the rest of the boundary's line
		w.entity(partHeader(part, depth))
	}
}

// partHeader is splitHeader for a part, which may have no header at all.
func partHeader(part []byte, depth int) (header, []byte, int) {
	if bytes.HasPrefix(part, []byte("\n")) || bytes.HasPrefix(part, []byte("\r\n")) {
		return nil, part, depth
	}
	h, body := splitHeader(part)
	return h, body, depth
}

// cutBoundary cuts body at the first line that begins with mark.
func cutBoundary(body, mark []byte) (before, after []byte, found bool) {
	for at := 0; ; {
		next := bytes.Index(body[at:], mark)
		if next < 0 {
			return body, nil, false
		}
		at += next
		if at == 0 || body[at-1] == '\n' {
			return body[:at], body[at+len(mark):], true
		}
		at += len(mark)
	}
}

// guessBoundary takes a first line of the form "--text" for the boundary.
func guessBoundary(body []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte("\n"))
	mark, found := bytes.CutPrefix(bytes.TrimSpace(line), []byte("--"))
	if !found || len(mark) > 128 {
		return ""
	}
	return string(mark)
}

// leaf keeps the text of a part that has no parts.
func (w *walk) leaf(h header, kind, media string, body []byte) {
	text := decodeTransfer(body, h.get("Content-Transfer-Encoding"))
	switch {
	case media == "" || media == "text" || strings.HasPrefix(media, "text/"):
	case strings.HasPrefix(media, "application/octet-stream") && looksLikeText(text):
	default:
		return
	}
	decoded := decodeCharset(trimPartial(text), strings.ToLower(parameter(kind, "charset")))
	disposition := h.get("Content-Disposition")
	switch {
	case len(disposition) >= 10 && strings.EqualFold(disposition[:10], "attachment"):
		keep(&w.attached, decoded, maxText)
	case media == "text/html" || media == "" && looksLikeHTML(decoded):
		keep(&w.html, decoded, maxCoded)
	default:
		if strings.EqualFold(parameter(kind, "format"), "flowed") {
			decoded = unflow(decoded)
		}
		keep(&w.plain, decoded, maxText)
	}
}

// keep appends text to what is there, a line apart, up to the limit.
func keep(to *string, text string, limit int) {
	if *to != "" {
		text = *to + "\n" + text
	}
	*to = cut(text, limit)
}

func decodeTransfer(body []byte, encoding string) []byte {
	body = body[:min(len(body), maxCoded)]
	switch strings.ToLower(strings.TrimSpace(before(encoding, ";"))) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuoted(body)
	}
	return body
}

// trimPartial drops a UTF-8 character that the bound has cut in two.
func trimPartial(text []byte) []byte {
	for i := 1; i <= 3 && i <= len(text); i++ {
		if c := text[len(text)-i]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-i:]) {
				return text[:len(text)-i]
			}
			break
		}
	}
	return text
}

// looksLikeText reports whether bytes of an unknown type can be shown.
func looksLikeText(text []byte) bool {
	text = text[:min(len(text), 4096)]
	strange := 0
	for _, c := range text {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			strange++
		}
	}
	return strange <= len(text)/20+4
}

func looksLikeHTML(text string) bool {
	start := strings.TrimSpace(text[:min(len(text), 256)])
	return len(start) > 5 && start[0] == '<' && (containsFold(start, "<html") || containsFold(start, "<!doctype html"))
}

// unflow joins the lines that format=flowed has broken (RFC 3676).
func unflow(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	var out strings.Builder
	for i, line := range lines {
		out.WriteString(line)
		if flows := strings.HasSuffix(line, " ") && line != "-- "; !flows && i < len(lines)-1 {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// textLines splits text into clean lines. Empty ones stay, since they part
// blocks, but one in a row is enough.
func textLines(text string) []string {
	lines := make([]string, 0, min(maxLines, strings.Count(text, "\n")+1))
	for text != "" && len(lines) < maxLines {
		var line string
		line, text = cutLine(text)
		line = strings.Replace(clean(line, maxLine), " : ", ": ", 1)
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// before returns what stands before sep, or all of text.
func before(text, sep string) string {
	text, _, _ = strings.Cut(text, sep)
	return text
}
