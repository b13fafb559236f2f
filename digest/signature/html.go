package signature

import (
	"html"
	"strings"
)

// htmlText renders HTML as lines of text: a block a line, a row of a table as
// "first: second | third", nothing of scripts and styles. Its cost is linear
// whatever it is given.
func htmlText(source string) string {
	var r renderer
	r.out.Grow(min(len(source), maxText))
	for source != "" && r.out.Len() < maxText {
		start := strings.IndexByte(source, '<')
		if start < 0 {
			r.text(source)
			break
		}
		r.text(source[:start])
		source = r.tag(source[start:])
	}
	return html.UnescapeString(r.out.String())
}

// renderer is the text rendered so far.
type renderer struct {
	out  strings.Builder
	pre  bool // line ends count
	cell int  // cells with text in this row so far
	row  int  // where the row or its last cell begins in out
}

// text writes text as HTML sees it: outside of pre, line ends are blanks.
func (r *renderer) text(text string) {
	if r.pre {
		r.out.WriteString(text)
		return
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '\n' || c == '\r' {
			r.out.WriteByte(' ')
		} else {
			r.out.WriteByte(c)
		}
	}
}

// tag reads one tag, comment or element without text off the front of source,
// which begins with "<", and returns what follows.
func (r *renderer) tag(source string) string {
	if strings.HasPrefix(source, "<!--") {
		_, rest, _ := strings.Cut(source, "-->")
		return rest
	}
	name, closing := tagName(source)
	if name == "" { // a lone "<"
		r.out.WriteByte('<')
		return source[1:]
	}
	_, rest, _ := strings.Cut(source, ">")
	switch name {
	case "script", "style", "title":
		if !closing {
			return afterElement(rest, name)
		}
	case "td", "th":
		if !closing {
			r.nextCell()
		}
	case "tr":
		r.out.WriteByte('\n')
		r.cell, r.row = 0, r.out.Len()
	case "pre":
		r.pre = !closing
		r.out.WriteByte('\n')
	case "br", "p", "div", "table", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
		"section", "header", "footer", "blockquote", "dl", "dt", "dd", "tbody", "thead", "body":
		r.out.WriteByte('\n')
	}
	return rest
}

// nextCell parts a cell of a table from the one before it, if that has text.
func (r *renderer) nextCell() {
	before := strings.TrimSpace(r.out.String()[r.row:])
	if before != "" {
		switch r.cell++; {
		case r.cell == 1 && !strings.HasSuffix(before, ":"):
			r.out.WriteString(": ")
		case r.cell > 1:
			r.out.WriteString(" | ")
		default:
			r.out.WriteByte(' ')
		}
	}
	r.row = r.out.Len()
}

// afterElement returns what follows the end tag of that name; without an end
// tag nothing does, as in browsers.
func afterElement(source, name string) string {
	end := indexFold(source, "</"+name)
	if end < 0 {
		return ""
	}
	_, rest, _ := strings.Cut(source[end:], ">")
	return rest
}

// tagName returns the lower-cased name of the tag that source begins with,
// "!" for a declaration, "" if it is no tag.
func tagName(source string) (name string, closing bool) {
	at := 1
	if closing = strings.HasPrefix(source, "</"); closing {
		at++
	}
	end := at
	for end < len(source) && end < at+16 && isAlnum(source[end]) {
		end++
	}
	switch {
	case end > at:
		return strings.ToLower(source[at:end]), closing
	case at < len(source) && (source[at] == '!' || source[at] == '?'):
		return "!", closing
	}
	return "", closing
}
