package signature

import (
	"encoding/base64"
	"strings"
)

// maxWords bounds the bytes of one field value that are decoded.
const maxWords = 16 << 10

// word is the decoded bytes of adjacent encoded words in one charset.
type word struct {
	charset string
	text    []byte
}

// decodeWords decodes the RFC 2047 encoded words in an unfolded value. It
// takes what mailers really send: spaces inside a word, a character split
// between two words, a charset that is wrong, raw 8-bit text around.
func decodeWords(value string) string {
	value = value[:min(len(value), maxWords)]
	if !strings.Contains(value, "=?") {
		return decodeCharset([]byte(value), "")
	}
	var out strings.Builder
	var run word
	for value != "" {
		plain, next, rest := nextWord(value)
		value = rest
		adjacent := run.text != nil && next.text != nil && strings.TrimSpace(plain) == ""
		if adjacent && next.charset == run.charset {
			run.text = append(run.text, next.text...)
			continue
		}
		out.WriteString(decodeCharset(run.text, run.charset))
		if !adjacent {
			out.WriteString(decodeCharset([]byte(plain), ""))
		}
		run = next
	}
	out.WriteString(decodeCharset(run.text, run.charset))
	return out.String()
}

// nextWord returns the text before the first encoded word in value, the word,
// and what follows it; without a word, all of value is text.
func nextWord(value string) (plain string, next word, rest string) {
	for at := 0; ; at += 2 {
		start := strings.Index(value[at:], "=?")
		if start < 0 {
			return value, word{}, ""
		}
		at += start
		if w, rest, ok := cutWord(value[at:]); ok {
			return value[:at], w, rest
		}
	}
}

// cutWord takes one encoded word off the front of value, which begins "=?".
func cutWord(value string) (w word, rest string, ok bool) {
	charset, after, _ := strings.Cut(value[2:], "?")
	if len(charset) == 0 || len(charset) > 64 || len(after) < 3 || after[1] != '?' {
		return word{}, "", false
	}
	encoded, rest, ok := strings.Cut(after[2:], "?=")
	if !ok {
		return word{}, "", false
	}
	w.charset, _, _ = strings.Cut(strings.ToLower(charset), "*") // RFC 2231 language
	switch after[0] {
	case 'b', 'B':
		w.text = decodeBase64([]byte(encoded))
	case 'q', 'Q':
		w.text = decodeQuoted([]byte(strings.ReplaceAll(encoded, "_", " ")))
	default:
		return word{}, "", false
	}
	return w, rest, true
}

// decodeBase64 decodes as much as it can, skipping what is not base64.
func decodeBase64(src []byte) []byte {
	clean := make([]byte, 0, len(src))
	for _, c := range src {
		if c == '=' {
			break
		}
		if c == '+' || c == '/' || isAlnum(c) {
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	n, _ := base64.RawStdEncoding.Decode(clean, clean)
	return clean[:n]
}

// decodeQuoted decodes quoted-printable; what is no valid escape stays.
func decodeQuoted(src []byte) []byte {
	out := make([]byte, 0, len(src))
	for i := 0; i < len(src); i++ {
		if src[i] != '=' {
			out = append(out, src[i])
			continue
		}
		if end, soft := softBreak(src[i+1:]); soft {
			i += end
			continue
		}
		if i+2 < len(src) && isHex(src[i+1]) && isHex(src[i+2]) {
			out = append(out, unhex(src[i+1])<<4|unhex(src[i+2]))
			i += 2
			continue
		}
		out = append(out, '=')
	}
	return out
}

// softBreak reports whether a line ends right here, but for blanks, and how
// many bytes that takes.
func softBreak(src []byte) (int, bool) {
	for i, c := range src {
		switch c {
		case ' ', '\t', '\r':
		case '\n':
			return i + 1, true
		default:
			return 0, false
		}
	}
	return len(src), true
}
