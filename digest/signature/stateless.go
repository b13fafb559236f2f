package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// withoutStates takes firm words that come in pairs (down and up, critical and
// ok) out of a text, the small words that lead to them, and what only says why
// or for how long: "is DOWN: connection refused", "OK (was down for 5 minutes)".
func withoutStates(text string, words []stateWord) string {
	var out strings.Builder
	last := 0
	for _, w := range words {
		if !w.firm || w.use&paired == 0 || w.start < last || isTitleOfFault(text, w) {
			continue
		}
		out.WriteString(text[last:max(last, beforeState(text, w.start))])
		if saysEnough(out.String(), w.needs(text)) {
			return strings.TrimRight(out.String(), " ([-:|,")
		}
		out.WriteByte(' ')
		last = afterState(text, w.end)
	}
	if last == 0 {
		return text
	}
	out.WriteString(text[last:])
	return strings.TrimRight(out.String(), " ")
}

// unless is more words than any text has.
const unless = 1 << 20

// needs is how many words must stand before a state for what follows it to be
// mere detail.
func (w stateWord) needs(text string) int {
	rest := strings.TrimLeft(text[w.end:], "!* ")
	inBrackets := strings.HasPrefix(rest, "]")
	rest = strings.TrimLeft(rest, "]) ")
	switch {
	case rest == "":
		return unless
	case w.tail && rest[0] != ':':
		return 1
	case rest[0] == '(' && withoutGroup(rest) == "":
		return 1
	}
	plain := isUpOrDown(text[w.start:w.end])
	switch {
	case plain && (inBrackets || rest[0] == ':' || rest[0] == ';'):
		return 1
	case rest[0] == '-' && len(rest) > 1 && rest[1] == ' ' && (plain || isPluginState(text[w.start:w.end])):
		return 1
	case rest[0] == ':' && isPluginState(text[w.start:w.end]) && w.start > 0 && text[w.start-1] == ' ':
		return 2
	}
	return unless
}

// isUpOrDown reports whether a word says of a thing that it is there or not.
func isUpOrDown(word string) bool {
	switch foldWord(word) {
	case "up", "down", "ok", "offline", "online", "unreachable", "reachable", "unavailable", "available":
		return true
	}
	return false
}

// isPluginState reports whether a word is a state as plugins of Nagios write
// it, with what they measured behind it.
func isPluginState(word string) bool {
	return word == "CRITICAL" || word == "WARNING" || word == "UNKNOWN" || word == "OK"
}

// saysEnough reports whether a text has that many words of two letters.
func saysEnough(text string, least int) bool {
	if least == unless {
		return false
	}
	for at := 0; least > 0; {
		start, end := nextLetters(text, at)
		if start == end {
			return false
		}
		if end-start > 1 && !isDigit(text[start]) && !isSubjectWord(text[start:end]) {
			least--
		}
		at = end
	}
	return true
}

// isSubjectWord reports whether a word only says that something is watched.
func isSubjectWord(word string) bool {
	switch foldWord(word) {
	case "monitor", "site", "website", "host", "service", "server", "check", "node", "device", "system", "alert", "alarm", "notification", "status", "the", "your":
		return true
	}
	return false
}

// withoutGroup takes the group in parentheses off the end of a text.
func withoutGroup(text string) string {
	if !strings.HasSuffix(text, ")") {
		return text
	}
	depth := 0
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				return strings.TrimRight(text[:i], " ")
			}
		}
	}
	return text
}

// isTitleOfFault reports whether a word names a fault instead of a state:
// "WARNING in ext4_iget", "WARNING: suspicious usage".
func isTitleOfFault(text string, w stateWord) bool {
	tail := strings.TrimLeft(text[w.end:], " ")
	return strings.HasPrefix(tail, "in ") && len(afterSpan(tail)) == len(tail) || strings.HasPrefix(tail, "at ")
}

// beforeState steps back over the small words that lead to a state.
func beforeState(text string, start int) int {
	for {
		head := strings.TrimRight(text[:start], " ")
		space := strings.LastIndexByte(head, ' ') + 1
		switch foldWord(head[space:]) {
		case "is", "are", "was", "now", "has", "have", "been", "back", "again", "still", "currently", "to", "went", "not", "->", "=>", "→":
			start = space
		default:
			return start
		}
	}
}

// afterState steps over what belongs to a state: the small words that follow
// it, how many it is said of ("FIRING:3") and for how long.
func afterState(text string, end int) int {
	if rest := text[end:]; len(rest) > 1 && rest[0] == ':' && isDigit(rest[1]) {
		end += 2
		for end < len(text) && isDigit(text[end]) {
			end++
		}
	}
	for {
		tail := strings.TrimLeft(text[end:], " ")
		word := before(tail, " ")
		switch foldWord(strings.Trim(word, ".!")) {
		case "again", "now", "->", "=>", "→":
			end = len(text) - len(tail) + len(word)
		default:
			return len(text) - len(afterSpan(text[end:]))
		}
	}
}

// afterSpan is what follows "in 5m 3s" or "for 2 days" at the front of a text,
// or all of it.
func afterSpan(text string) string {
	s := newScanner(text, "")
	var t token
	if !s.next(&t) {
		return text
	}
	switch text[t.start:t.end] {
	case "in", "after", "for", "since":
	default:
		return text
	}
	end := 0
	for s.next(&t) {
		switch t.kind {
		case number, moment, duration, unit, weekday:
			end = t.end
			continue
		}
		break
	}
	return text[end:]
}

// nextLetters returns the next run of letters, digits and underscores.
func nextLetters(text string, at int) (start, end int) {
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			break
		}
		at += size
	}
	start = at
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			break
		}
		at += size
	}
	return start, at
}
