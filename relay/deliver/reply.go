package deliver

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A reply longer than replyBudget is not a reply but an attack, or a fault:
// an endless one would fill the memory (1.2 GB in 2 s were measured).
const replyBudget = 64 << 10

// textBudget bounds what is kept of a reply's text.
const textBudget = 1 << 10

var errReply = errors.New("not an SMTP reply")

// reply is what the mail server said, line by line, without codes.
type reply struct {
	code     int
	enhanced string // "4.7.1", "" if none
	lines    []string
}

func (r reply) ok() bool     { return r.code >= 200 && r.code < 300 }
func (r reply) failed() bool { return r.code >= 400 && r.code < 600 }

// readReply reads one reply, of one or more lines (RFC 5321 section 4.2).
// After an error the connection is out of step and must be dropped.
func readReply(r *bufio.Reader) (reply, error) {
	var got reply
	for left := replyBudget; ; {
		line, err := readLine(r, left)
		if err != nil {
			return reply{}, err
		}
		left -= len(line) + 1
		code, last, text, err := parseLine(line)
		if err != nil {
			return reply{}, err
		}
		if got.code != 0 && code != got.code {
			return reply{}, fmt.Errorf("%w: code %d in a reply of code %d", errReply, code, got.code)
		}
		got.code = code
		got.lines = append(got.lines, text)
		if last {
			got.enhanced = enhancedCode(got.code, got.lines[0])
			return got, nil
		}
	}
}

// readLine returns a line of at most limit octets, without its CRLF or LF.
func readLine(r *bufio.Reader, limit int) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return "", fmt.Errorf("%w: longer than %d octets", errReply, replyBudget)
		}
		line = append(line, part...)
		if err == nil {
			return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

// parseLine takes "250-text", "250 text" or "250" apart.
func parseLine(line string) (code int, last bool, text string, err error) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return 0, false, "", fmt.Errorf("%w: %.60q", errReply, line)
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, true, "", nil
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, false, "", fmt.Errorf("%w: %.60q", errReply, line)
	}
	return code, line[3] == ' ', line[4:], nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// enhancedCode is the status code of RFC 3463 at the begin of a line, if its
// class is that of the reply (RFC 2034 section 4).
func enhancedCode(code int, line string) string {
	word, _, _ := strings.Cut(line, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || parts[0] != string(rune('0'+code/100)) {
		return ""
	}
	for _, p := range parts {
		if len(p) < 1 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return ""
		}
	}
	return word
}

// text is the reply on one line, printable and bounded, without the enhanced
// code that each line may repeat.
func (r reply) text() string {
	var words []string
	for _, line := range r.lines {
		if r.enhanced != "" {
			line = strings.TrimPrefix(line, r.enhanced)
		}
		words = append(words, strings.Fields(line)...)
	}
	return printable(strings.Join(words, " "))
}

// printable makes s one valid, bounded line.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= textBudget {
		return s
	}
	s = s[:textBudget]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
