package dsn

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// writer collects the mail.
type writer struct {
	out      []byte
	boundary string
}

func (w *writer) line(s string) { w.out = append(append(w.out, s...), '\r', '\n') }

// part writes a part, as it is, with the line end that belongs to the
// delimiter after it.
func (w *writer) part(kind string, text []byte) {
	w.line("--" + w.boundary)
	w.line("Content-Type: " + kind)
	if eightBit(text) {
		w.line("Content-Transfer-Encoding: 8bit")
	}
	w.line("")
	w.out = append(w.out, text...)
	if !bytes.HasSuffix(text, []byte("\n")) {
		w.line("")
	}
	w.line("")
}

func eightBit(text []byte) bool {
	return bytes.ContainsFunc(text, func(c rune) bool { return c > '~' && c != 0x7f })
}

// field writes a header field, folded. Fields without a value are left out.
func (w *writer) field(name, value string) {
	if value == "" {
		return
	}
	w.out = append(w.out, name...)
	w.out = append(w.out, ':')
	column := len(name) + 1
	for word := range strings.FieldsSeq(value) {
		for len(word) > 0 {
			piece := word[:fitting(word)]
			word = word[len(piece):]
			if column > len(name)+1 && column+1+len(piece) > width {
				w.out = append(w.out, "\r\n"...)
				column = 0
			}
			w.out = append(append(w.out, ' '), piece...)
			column += 1 + len(piece)
		}
	}
	w.line("")
}

// exact writes a field whose blanks count, as in addresses: not folded,
// unless it is too long for a line.
func (w *writer) exact(name, value string) {
	if value == "" || len(name)+len(value) > longest {
		w.field(name, value)
		return
	}
	w.line(name + ": " + value)
}

const (
	width   = 78  // where lines are folded (RFC 5322 section 2.1.1)
	longest = 900 // below 998 octets: longer words are broken
)

// fitting is how many octets of a word a line can hold.
func fitting(word string) int {
	n := min(len(word), longest)
	for n < len(word) && !utf8.RuneStart(word[n]) {
		n--
	}
	return n
}

// paragraph writes text for people, wrapped and indented.
func (w *writer) paragraph(indent, text string) {
	line := indent
	for word := range strings.FieldsSeq(text) {
		for len(word) > 0 {
			piece := word[:fitting(word)]
			word = word[len(piece):]
			if line != indent && len(line)+1+len(piece) > width-6 {
				w.line(line)
				line = indent
			}
			if line != indent {
				line += " "
			}
			line += piece
		}
	}
	w.line(line)
}

// header writes that of the report. Auto-Submitted keeps programs from
// answering it (RFC 3834 section 5).
func (w *writer) header(r Report, octets bool) {
	w.field("Date", date(r.Date))
	w.field("From", "Mail Delivery System <"+visible(r.From)+">")
	w.exact("To", mailbox(r.Message.Envelope.From))
	w.field("Subject", subject(r.Action))
	w.field("Message-ID", "<"+r.ID+"@"+visible(r.Host)+">")
	if id := r.Message.Reading.MessageID; messageID(id) {
		w.field("In-Reply-To", id)
		w.field("References", id)
	}
	w.field("Auto-Submitted", "auto-replied")
	w.line("MIME-Version: 1.0")
	w.line("Content-Type: multipart/report; report-type=delivery-status;")
	w.line(fmt.Sprintf("\tboundary=%q", w.boundary))
	if octets {
		w.line("Content-Transfer-Encoding: 8bit")
	}
	w.line("")
}

func subject(a Action) string {
	switch a {
	case Delayed:
		return "Your mail has not been delivered yet"
	case Relayed:
		return "Your mail has been passed on"
	}
	return "Your mail could not be delivered"
}

func date(t time.Time) string { return t.Format("Mon, 2 Jan 2006 15:04:05 -0700") }

// boundary is a line that is in none of the texts.
func boundary(id string, texts ...[]byte) string {
	b := "lull-" + id
	for bytes.Contains(bytes.Join(texts, []byte("\n")), []byte("--"+b)) {
		b += "-"
	}
	return b
}
