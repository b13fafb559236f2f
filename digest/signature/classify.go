package signature

import "unicode/utf8"

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

// classify decides what the word text[start:end] is. It may take less than
// the word: "a/b" is two tokens.
func (s *scanner) classify(start, end int) token {
	word := s.text[start:end]
	m := measure(word)
	t := token{start: start, end: end}
	if m.slashes > 0 && (isURL(word) || isPath(word, m)) {
		t.from, t.to = s.sourceFile(start, end)
		t.kind = path
		if t.from < t.to {
			t.kind = constant
		} else if isURL(word) {
			t.kind = link
		}
		return t
	}
	if m.slashes > 0 {
		if cut := slash(word); cut > 0 {
			end = start + cut
		} else {
			start++
		}
		if start >= end {
			t.kind = unit
			t.end = max(end, start)
			return t
		}
		word = s.text[start:end]
		m = measure(word)
		t.start, t.end = start, end
	}
	from, to := trim(s.text, start, end)
	t.from, t.to = from, to
	if from == to { // a rule of dashes
		t.kind = unit
		return t
	}
	if to-from != end-start {
		word = s.text[from:to]
		m = measure(word)
	}
	t.kind = s.kindOf(word, m)
	if t.kind == constant {
		t.from = s.exceptionClass(from, to, m)
	}
	return t
}

// kindOf decides what a trimmed word without slashes is.
func (s *scanner) kindOf(word string, m shape) kind {
	switch {
	case m.ats > 0 && isMailbox(word):
		return mailbox
	case m.digits == 0:
		return s.kindOfLetters(word, m)
	case m.letters+m.wide+m.unders+m.others == 0:
		return kindOfDigits(word, m)
	case isUserWord(s.lastTok):
		return user
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
	case m.colons >= 2 && m.letters == m.hex && m.dots == 0 && m.dashes == 0 && m.unders == 0:
		return address // MAC or IPv6
	case isHost(word, m):
		return host
	}
	return identifier
}

func (s *scanner) kindOfLetters(word string, m shape) kind {
	switch {
	case isUserWord(s.lastTok):
		return user
	case len(word) >= 8 && m.hex == len(word) && (m.upper == 0 || m.lower == 0):
		return hash
	case m.dots >= 2 && isHost(word, m):
		return host
	case s.last > identifier && isUnit(word):
		return unit
	case isCalendar(word) && (s.nearDigit() || s.last == moment || s.last == number):
		return weekday
	}
	return constant
}

// nearDigit reports whether the next token begins with a digit.
func (s *scanner) nearDigit() bool {
	for i := s.at; i < len(s.text) && i < s.at+3; i++ {
		if size, sep := separator(s.text, i); !sep || size > 1 {
			return isDigit(s.text[i])
		}
	}
	return false
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
