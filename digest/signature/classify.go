package signature

import (
	"strings"
	"unicode/utf8"
)

// shape counts what a word is made of.
type shape struct {
	digits, letters, upper, lower, hex     int // hex: letters a to f
	dots, dashes, colons, slashes, unders  int
	ats, others, wide, changes, pureDigits int // changes: letter to digit or back; wide: non-ASCII
}

func measure(word string) (s shape) {
	var before byte // class of the character before: 'd', 'l', 0
	for i := 0; i < len(word); i++ {
		c := word[i]
		class := byte(0)
		switch {
		case isDigit(c):
			s.digits++
			class = 'd'
		case isLetter(c):
			s.letters++
			class = 'l'
			if isUpper(c) {
				s.upper++
			} else {
				s.lower++
			}
			if isHex(c) {
				s.hex++
			}
		case c == '.':
			s.dots++
		case c == '-':
			s.dashes++
		case c == ':':
			s.colons++
		case c == '/' || c == '\\':
			s.slashes++
		case c == '_':
			s.unders++
		case c == '@':
			s.ats++
		case c >= utf8.RuneSelf:
			s.wide++
		default:
			s.others++
		}
		if class != 0 && before != 0 && class != before {
			s.changes++
		}
		before = class
	}
	return s
}

// classify decides what the word text[start:end] is, and where to go on. It
// may take less than the word: "a/b" is two tokens.
func (s *scanner) classify(start, end int) (t token, next int) {
	next = end
	for end > start && isEdge(s.text[end-1]) {
		end--
	}
	word := s.text[start:end]
	m := measure(word)
	if m.slashes > 0 && isURL(word) {
		end = query(s.text, next)
		return token{start: start, end: end, kind: link}, end
	}
	if m.slashes > 0 && isPath(word, m) {
		return s.classifyPath(start, end), query(s.text, next)
	}
	for start < end && isEdge(s.text[start]) {
		start++
	}
	if m.slashes > 0 {
		if first := slash(s.text[start:end]); first >= 0 {
			end = start + first
			next = end + 1
		}
	}
	if end-start != len(word) {
		m = measure(s.text[start:end])
	}
	if colon := keyColon(s.text[start:end], m); colon > 0 {
		end = start + colon
		next = end + 1
		m = measure(s.text[start:end])
	}
	return s.classifyWord(start, end, m), next
}

// classifyPath masks a path, but for the base name of a source file, which
// tells incidents apart where the path before and the line behind do not.
func (s *scanner) classifyPath(start, end int) token {
	from, to, found := sourceFile(s.text, start, end)
	if found {
		return token{start: from, end: end, from: from, to: to}
	}
	return token{start: start, end: end, kind: path}
}

// classifyWord decides what a word without slashes is.
func (s *scanner) classifyWord(start, end int, m shape) token {
	t := token{start: start, end: end, from: start, to: end}
	if start == end { // a rule of dashes
		t.kind = unit
		return t
	}
	t.kind = s.kindOf(s.text[start:end], m)
	if s.isHost(s.text[start:end]) {
		t.kind = self
	}
	if t.kind == constant && m.dots > 0 {
		t.from = exceptionClass(s.text, start, end)
	}
	return t
}

// isHost reports whether a word is the host that the mail is about, with or
// without its domain.
func (s *scanner) isHost(word string) bool {
	if len(word) < 3 || len(s.host) < 3 {
		return false
	}
	return strings.EqualFold(word, s.host) || strings.EqualFold(word, before(s.host, ".")) || strings.EqualFold(before(word, "."), s.host)
}

// kindOf decides what a word without slashes and loose ends is.
func (s *scanner) kindOf(word string, m shape) kind {
	switch {
	case s.afterUser() && !isLittle(word):
		return user
	case m.ats > 0 && isMailbox(word):
		return mailbox
	case m.digits == 0:
		return s.kindOfLetters(word, m)
	case m.letters+m.wide+m.unders+m.others == 0:
		return kindOfDigits(word, m)
	case word[0] == '0' && len(word) > 2 && lower(word[1]) == 'x':
		return hash
	case isMoment(word):
		return moment
	case isVersion(word):
		return version
	case isQuantity(word):
		return duration
	case isUUID(word, m), isHexWord(word, m), isRandom(word, m):
		return hash
	case m.colons+m.dots > 0 && m.letters == m.hex && m.dashes+m.unders+m.others == 0 && (m.colons >= 2 || isDigit(word[0])):
		return address // MAC, IPv6, PCI
	case isHost(word, m):
		return host
	}
	return identifier
}

func (s *scanner) kindOfLetters(word string, m shape) kind {
	switch {
	case len(word) >= 8 && m.hex == len(word) && (m.upper == 0 || m.lower == 0):
		return hash
	case m.dots >= 1 && isHost(word, m) && !isException(word):
		return host
	case s.last > identifier && isUnit(word), s.last == number && isCounted(word):
		return unit
	case isCalendar(word) && (s.beforeTime() || s.last == moment || s.last == number):
		return weekday
	}
	return constant
}

// beforeTime reports whether the next token begins with a digit, or is a day
// or a month.
func (s *scanner) beforeTime() bool {
	rest := strings.TrimLeft(s.text[s.at:min(len(s.text), s.at+16)], " ,")
	if rest == "" {
		return false
	}
	end := 0
	for end < len(rest) && isLetter(rest[end]) {
		end++
	}
	return isDigit(rest[0]) || isCalendar(rest[:end])
}

// afterUser reports whether the token before says that a user's name follows:
// "user alice", not "user=root".
func (s *scanner) afterUser() bool {
	return isUserWord(s.lastTok) && s.text[s.lastEnd] != '='
}

// kindOfDigits tells numbers, times and addresses apart by their joints.
func kindOfDigits(word string, m shape) kind {
	switch {
	case m.colons > 0 && m.dots >= 3, m.dots == 3 && m.dashes == 0 && m.colons == 0:
		return address
	case m.colons > 0, m.dashes >= 2:
		return moment
	case m.dots >= 2:
		return version
	}
	return number
}
