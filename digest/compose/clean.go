package compose

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// ellipsis stands for what was cut from the end of a text.
const ellipsis = "…"

// clean makes foreign text safe to show on one line: valid UTF-8 in which no
// character controls, hides or reorders anything, white space is single
// blanks, and which is at most the given number of columns wide.
func clean(s string, columns int) string {
	var b strings.Builder
	// Nobody reads more; bounds the work for a subject of megabytes.
	s = s[:min(len(s), 64*columns)]
	marks, blank := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			blank = b.Len() > 0
			continue
		case hidden(r):
			continue
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > 4 || b.Len() == 0 {
				continue
			}
		default:
			marks = 0
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return cut(b.String(), columns)
}

// hidden reports whether a character has no shape of its own: format
// characters (zero width, bidi controls, tags), surrogates, characters that
// stand for broken bytes or belong to no script.
func hidden(r rune) bool {
	return r == utf8.RuneError || r == 0xFE0F ||
		unicode.In(r, unicode.Cf, unicode.Cs, unicode.Co) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		!unicode.IsGraphic(r)
}

// columns is the width of a text in a terminal: wide characters count two,
// combining and isolating ones nothing.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens a text to the given number of columns.
func cut(s string, limit int) string {
	if len(s) <= limit || columns(s) <= limit {
		return s
	}
	n := 0
	for i, r := range s {
		if n += columnsOf(r); n > limit-1 {
			return strings.TrimRight(s[:i], " ") + ellipsis
		}
	}
	return s
}

// The isolates keep a text with right-to-left characters from reordering what
// stands around it (Unicode Annex 9).
const (
	isolate    = "\u2068" // first strong isolate
	endIsolate = "\u2069" // pop directional isolate
)

// shown is foreign text ready to stand within a sentence of ours.
func shown(s string, columns int) string {
	s = clean(s, columns)
	if strings.ContainsFunc(s, rightToLeft) {
		return isolate + s + endIsolate
	}
	return s
}

func rightToLeft(r rune) bool {
	return r >= 0x590 && r <= 0x8FF || r >= 0xFB1D && r <= 0xFDFF ||
		r >= 0xFE70 && r <= 0xFEFC || r >= 0x10800 && r <= 0x10FFF || r >= 0x1E800 && r <= 0x1EFFF
}
