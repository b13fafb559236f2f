package filter

import "strings"

const blank = " \t\r\n"

// split cuts a string into words as a shell does, without expanding anything.
func split(s string) ([]token, error) {
	var tokens []token
	for i := skip(s, 0); i < len(s); i = skip(s, i) {
		start := token{where: Error{Column: i + 1}}
		text, end, err := wordAt(s, i, start)
		if err != nil {
			return nil, err
		}
		start.text = text
		tokens = append(tokens, start)
		i = end
	}
	return tokens, nil
}

func skip(s string, i int) int {
	for i < len(s) && strings.IndexByte(blank, s[i]) >= 0 {
		i++
	}
	return i
}

// wordAt reads the word that begins at i, and says where it ends.
func wordAt(s string, i int, start token) (string, int, error) {
	var b strings.Builder
	for i < len(s) && strings.IndexByte(blank, s[i]) < 0 {
		part, n := "", 0
		switch s[i] {
		case '\'':
			part, n = single(s[i:])
		case '"':
			part, n = double(s[i:])
		case '\\':
			part, n = escaped(s[i:])
		default:
			part, n = s[i:i+1], 1
		}
		if n == 0 {
			here := token{where: Error{Column: i + 1}}
			return "", 0, here.fail("the quote %c is not closed; add another, or write \\%c for the character", s[i], s[i])
		}
		b.WriteString(part)
		i += n
	}
	return b.String(), i, nil
}

// single reads '…': everything up to the next quote stands for itself.
func single(s string) (string, int) {
	end := strings.IndexByte(s[1:], '\'')
	if end < 0 {
		return "", 0
	}
	return s[1 : end+1], end + 2
}

// double reads "…", in which \ quotes only \ " $ and `.
func double(s string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), i + 1
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\\\"$`", s[i+1]) >= 0:
			i++
		}
		b.WriteByte(s[i])
	}
	return "", 0
}

func escaped(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	return s[1:2], 2
}

// quote makes one word of a text, for split and for a shell.
func quote(text string) string {
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plain characters mean nothing to a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-"
