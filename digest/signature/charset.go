package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/unicode/norm"
)

// decodeCharset turns text in the named charset into UTF-8. The name is what
// the mail claims: single-byte charsets are believed only where the bytes are
// not UTF-8 already, unknown ones never; windows-1252 is the last resort.
func decodeCharset(text []byte, charset string) string {
	if isASCII(text) && !isStateful(charset) {
		return string(text)
	}
	encoding, err := htmlindex.Get(strings.TrimSpace(charset))
	if _, single := encoding.(*charmap.Charmap); (err != nil || single) && utf8.Valid(text) {
		return string(text)
	}
	if err == nil {
		decoded, err := encoding.NewDecoder().Bytes(text)
		if err == nil && !strings.ContainsRune(string(decoded), utf8.RuneError) {
			return string(decoded)
		}
	}
	if utf8.Valid(text) {
		return string(text)
	}
	if mostlyUTF8(text) {
		return strings.ToValidUTF8(string(text), "�")
	}
	decoded, err := charmap.Windows1252.NewDecoder().Bytes(text)
	if err != nil {
		return strings.ToValidUTF8(string(text), "�")
	}
	return string(decoded)
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isStateful reports whether the charset gives bytes below 0x80 another
// meaning than ASCII.
func isStateful(charset string) bool {
	return len(charset) >= 6 && (strings.EqualFold(charset[:6], "iso-20") || strings.EqualFold(charset[:6], "utf-16"))
}

// mostlyUTF8 reports whether text is UTF-8 that was cut or damaged in a few
// places, rather than another charset.
func mostlyUTF8(text []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		i += size
	}
	return good > bad
}

// clean makes one printable line of text: valid UTF-8 in NFC, runs of blanks
// as one space, no control, format or other invisible characters, at most
// limit bytes.
func clean(text string, limit int) string {
	if len(text) > 4*limit {
		text = text[:4*limit]
	}
	if !isClean(text) {
		text = norm.NFC.String(strings.Map(printable, strings.ToValidUTF8(text, "�")))
		text = strings.Join(strings.Fields(text), " ")
	}
	return cut(text, limit)
}

// isClean reports whether text is printable ASCII without surplus blanks.
func isClean(text string) bool {
	blank := true
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c < ' ' || c > '~' || c == ' ' && blank {
			return false
		}
		blank = c == ' '
	}
	return !blank || text == ""
}

// printable maps blanks to a space and drops what cannot be seen.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r >= 0xfe00 && r <= 0xfe0f:
		return -1
	}
	return r
}

// cut shortens text to at most limit bytes, at the border of a character.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return strings.TrimRight(text[:limit], " ")
}
