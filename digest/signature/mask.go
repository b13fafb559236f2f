package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of one canonical text: what lies beyond is left out.
const (
	maxScan   = 4 << 10
	maxTokens = 128
	maxSeen   = 512 // tokens looked at, those that are left out or repeat others included
)

// kind is what a token is taken for. Constants stay in the canonical text,
// all others are masked there and named in titles.
type kind uint8

const (
	constant kind = iota
	identifier
	number
	moment
	weekday
	duration
	version
	address
	mailbox
	host
	self // the host that the mail is about
	link
	path
	hash
	user
	unit
)

// names of the kinds in titles.
var kindNames = [...]string{"", "", "<n>", "<time>", "<time>", "<duration>", "<version>", "<ip>", "<address>", "<host>", "<host>", "<url>", "<path>", "<id>", "<user>", ""}

// token is one word of a text, where it stands, and what it is taken for.
type token struct {
	start, end int // of the word in the text
	from, to   int // of the part that is kept, for constants
	kind       kind
	plain      bool // nothing but letters of ASCII
}

// scanner cuts a text into tokens in one pass, without allocating.
type scanner struct {
	text               string
	host               string // the host that the mail is about, "" for none
	at                 int
	last               kind // of the token before
	lastStart, lastEnd int  // where it stands
}

func newScanner(text, host string) scanner {
	return scanner{text: cut(text, maxScan), host: host}
}

// next finds the next token; it is false at the end of the text.
func (s *scanner) next(t *token) bool {
	s.skipSeparators()
	start := s.at
	seen := s.skipWord()
	if start == s.at {
		return false
	}
	s.last, s.lastStart, s.lastEnd = t.kind, t.start, t.end
	end := s.at
	if seen&joints != 0 && isEdge(s.text[end-1]) {
		for end > start && isEdge(s.text[end-1]) {
			end--
		}
		seen = classesIn(s.text[start:end])
	}
	*t = token{start: start, end: end, from: start, to: end}
	switch {
	case end == start:
		s.classify(t)
	case seen&^letters == 0:
		s.classifyLetters(t, seen)
	case seen == 1<<digit:
		s.classifyDigits(t)
	default:
		s.classify(t)
	}
	return true
}

func (s *scanner) skipSeparators() {
	for s.at < len(s.text) {
		switch classes[s.text[s.at]] {
		case separator:
			s.at++
		case wide:
			size, separates := wideSeparator(s.text[s.at:])
			if !separates {
				return
			}
			s.at += size
		default:
			return
		}
	}
}

// skipWord goes on to the next separator, and returns the classes it met.
func (s *scanner) skipWord() (seen classSet) {
	text, at := s.text, s.at
	for at < len(text) {
		b := bits[text[at]]
		if b&(1<<separator|1<<wide) != 0 {
			if b == 1<<separator {
				break
			}
			size, separates := wideSeparator(text[at:])
			if separates {
				break
			}
			at += size - 1
		}
		seen |= b
		at++
	}
	s.at = at
	return seen
}

// wideSeparator reports whether a character beyond ASCII parts tokens, and its
// size in bytes.
func wideSeparator(text string) (int, bool) {
	r, size := utf8.DecodeRuneInString(text)
	return size, !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
}

// appendCore appends the canonical form of text to dst: constants in lower
// case with their digit runs as 0, one symbol for all that is masked, runs
// and repeats collapsed, masks at the end dropped.
func appendCore(dst []byte, text, host string) []byte {
	var starts [maxTokens]int32 // where each token of the core begins in dst
	n := 0
	base := len(dst)
	s := newScanner(text, host)
	for t, seen := (token{}), 0; n < maxTokens && seen < maxSeen; seen++ {
		if !s.next(&t) {
			break
		}
		if t.kind == unit || t.kind == user {
			continue
		}
		if len(dst) > base {
			dst = append(dst, ' ')
		}
		starts[n] = int32(len(dst))
		n++
		switch {
		case t.kind > identifier:
			dst = append(dst, '*')
		case t.plain:
			dst = appendLower(dst, s.text[t.from:t.to])
		default:
			dst = appendConstant(dst, s.text[t.from:t.to])
		}
		n, dst = collapse(starts[:n], dst, base)
	}
	for n > 0 && string(dst[starts[n-1]:]) == "*" {
		n--
		dst = dst[:max(base, int(starts[n])-1)]
	}
	return dst
}

// collapse drops the last one to three tokens when they repeat those before.
func collapse(starts []int32, dst []byte, base int) (int, []byte) {
	n := len(starts)
	for period := 1; period <= 3 && 2*period <= n; period++ {
		second := dst[starts[n-period]:]
		first := dst[starts[n-2*period] : starts[n-period]-1]
		if string(first) == string(second) {
			return n - period, dst[:max(base, int(starts[n-period])-1)]
		}
	}
	return n, dst
}

// appendConstant appends a word in lower case, digit runs and parts that are
// hashes as 0, and runs of parts that are only digits as one.
func appendConstant(dst []byte, word string) []byte {
	if keptVerbatim(word) {
		return appendLower(dst, word)
	}
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(word[i:])
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
			i += size - 1
		case isHex(c) && (i == 0 || isJoin(word[i-1])) && hashPart(word[i:]) > 0:
			i += hashPart(word[i:]) - 1
			dst = appendRun(dst)
		case i > 0 && isPod(word[i:], dst):
			i = len(word)
			dst = appendRun(dst)
		case isUpper(c) && i > 0 && isJoin(word[i-1]) && indexPart(word[i:]) > 0:
			i += indexPart(word[i:]) - 1
			dst = appendRun(dst)
		case isDigit(c):
			for i+1 < len(word) && isDigit(word[i+1]) {
				i++
			}
			dst = appendRun(dst)
		default:
			dst = append(dst, lower(c))
		}
	}
	return dst
}

// hashPart is the length of the hash that a word begins with, as far as its
// next joint: seven and more hex characters in lower case with two digits, 0
// if it begins with none.
func hashPart(word string) int {
	n, digits := 0, 0
	for n < len(word) && isHex(word[n]) && !isUpper(word[n]) {
		if isDigit(word[n]) {
			digits++
		}
		n++
	}
	if n < 7 || digits < 2 || n < len(word) && !isJoin(word[n]) {
		return 0
	}
	return n
}

// isPod reports whether a word ends in the five random characters that
// Kubernetes gives a pod, behind a number or a hash. They have no vowels.
func isPod(word string, before []byte) bool {
	n := len(before)
	if len(word) != 5 || n < 2 || before[n-1] != '-' || before[n-2] != '0' {
		return false
	}
	for i := 0; i < len(word); i++ {
		if strings.IndexByte("bcdfghjklmnpqrstvwxz2456789", word[i]) < 0 {
			return false
		}
	}
	return true
}

// indexPart is the length of the index that a word begins with, as far as its
// next joint: a capital and digits, as in rack_A8; 0 if it begins with none.
func indexPart(word string) int {
	n := 1
	for n < len(word) && isDigit(word[n]) {
		n++
	}
	if n < 2 || n < len(word) && !isJoin(word[n]) {
		return 0
	}
	return n
}

// appendRun appends the 0 of a digit run. Runs apart by a joint are one, as in
// 10-1, and so are those with a single letter between, as in 12_m_3; the sign
// of a number, as in blk_-12, is none of its name.
func appendRun(dst []byte) []byte {
	n := len(dst)
	switch {
	case n >= 2 && isJoin(dst[n-1]) && dst[n-2] == '0':
		return dst[:n-1]
	case n >= 4 && isJoin(dst[n-1]) && isLetter(dst[n-2]) && isJoin(dst[n-3]) && dst[n-4] == '0':
		return dst[:n-3]
	case n >= 2 && dst[n-1] == '-' && isJoin(dst[n-2]):
		dst = dst[:n-1]
	}
	return append(dst, '0')
}

func appendLower(dst []byte, word string) []byte {
	n := len(dst)
	dst = append(dst, word...)
	for i, c := range dst[n:] {
		dst[n+i] = lower(c)
	}
	return dst
}

func isJoin(c byte) bool { return c == '-' || c == '_' || c == ':' || c == '.' }

// appendTitle appends text for people: as it is written, with what is masked
// named by its kind.
func appendTitle(dst []byte, text, host string) []byte {
	last := 0
	s := newScanner(text, host)
	var t token
	for range maxTokens {
		if !s.next(&t) {
			return append(dst, s.text[last:]...)
		}
		dst = append(dst, s.text[last:t.start]...)
		last = t.end
		switch {
		case t.kind <= identifier:
			dst = append(dst, s.text[t.start:t.end]...)
		case kindNames[t.kind] == "":
			dst = append(dst, s.text[t.start:t.end]...)
		default:
			dst = append(dst, kindNames[t.kind]...)
		}
	}
	return dst
}

// appendSteady appends text as it is written, with a * for each number, time
// and id: for commands and names, in which paths and hosts tell one from
// another.
func appendSteady(dst []byte, text, host string) []byte {
	last := 0
	s := newScanner(text, host)
	for t := (token{}); ; {
		if !s.next(&t) {
			return append(dst, s.text[last:]...)
		}
		switch t.kind {
		case number, moment, duration, hash, self:
			dst = append(append(dst, s.text[last:t.start]...), '*')
			last = t.end
		}
	}
}
