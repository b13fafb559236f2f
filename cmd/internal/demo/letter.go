package demo

import (
	"fmt"
	"strings"
	"time"
)

// kind is a group of readers, for the table.
type kind string

const (
	maintainers kind = "tool maintainers"
	staff       kind = "operations staff"
	people      kind = "people writing mail"
)

// letter is one mail of the day, as its sender hands it in.
type letter struct {
	at   time.Time
	from string
	to   []string
	kind kind
	// cause is when the trouble that it reports began, zero for human mail.
	cause time.Time
	data  []byte
}

// field is one header field.
type field struct{ name, value string }

// compose writes the letter's bytes.
func (l letter) compose(subject, text string, fields ...field) letter {
	var b strings.Builder
	for _, f := range append([]field{
		{"Date", l.at.Format("Mon, 02 Jan 2006 15:04:05 -0700")},
		{"To", strings.Join(l.to, ", ")},
		{"Subject", subject},
	}, fields...) {
		fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
	}
	b.WriteString("\r\n")
	b.WriteString(strings.ReplaceAll(text, "\n", "\r\n"))
	b.WriteString("\r\n")
	l.data = []byte(b.String())
	return l
}
