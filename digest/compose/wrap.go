package compose

import "strings"

// textColumns is the width of the plain text.
const textColumns = 72

// wrap breaks a text into lines: the first begins with lead, the others with
// next. A word that is too long for a line is broken.
func wrap(lead, next, s string) []string {
	room := textColumns - max(columns(lead), columns(next))
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for columns(word) > room {
			head, tail := split(word, room)
			if line != "" {
				lines = append(lines, line)
				line = ""
			}
			lines, word = append(lines, head), tail
		}
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) > room:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	for i := range lines {
		lines[i] = next + isolated(lines[i])
	}
	if len(lines) > 0 {
		lines[0] = lead + strings.TrimPrefix(lines[0], next)
	}
	return lines
}

// split cuts a word after as many characters as fit.
func split(word string, room int) (head, tail string) {
	n := 0
	for i, r := range word {
		if n += columnsOf(r); n > room {
			return word[:i], word[i:]
		}
	}
	return word, ""
}

// isolated closes what a line break has torn apart: an isolate ends with its
// line, and the characters after it must be isolated anew.
func isolated(line string) string {
	first, last := strings.Index(line, isolate), strings.LastIndex(line, endIsolate)
	if last >= 0 && (first < 0 || strings.Index(line, endIsolate) < first) {
		line = isolate + line
	}
	if strings.Count(line, isolate) > strings.Count(line, endIsolate) {
		line += endIsolate
	}
	return line
}
