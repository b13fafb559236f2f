package main

import (
	"errors"
	"strings"
)

var (
	errOpen  = errors.New("has an end missing: of a quoted string, a comment, or <")
	errWords = errors.New("has words that are no address; separate addresses by commas")
)

// scanner goes through a list of addresses.
type scanner struct {
	text  string
	at    int
	found []mailbox

	// The member of the list that is being read.
	words   []string // outside of brackets
	end     int      // of the last word
	glued   bool     // the next word belongs to the last
	angle   *mailbox // what stood in brackets
	inAngle bool
}

// step reads one thing.
func (s *scanner) step() error {
	switch c := s.text[s.at]; c {
	case ' ', '\t', '\r', '\n':
		s.at++
		s.glued = false
	case ',', ';':
		s.at++
		if s.inAngle {
			return nil // of a route, which is dropped
		}
		return s.finish()
	case '(':
		return s.comment()
	case '<':
		return s.open()
	case '>':
		return s.shut()
	case ')':
		return errWords
	case ':':
		s.at++
		s.words = nil // the name of a group, or a route
	default:
		return s.word()
	}
	return nil
}

// finish ends a member of the list.
func (s *scanner) finish() error {
	switch {
	case s.inAngle:
		return errOpen
	case s.angle != nil:
		if s.angle.address != "" {
			s.found = append(s.found, *s.angle)
		}
	case len(s.words) > 1:
		return errWords
	case len(s.words) == 1:
		s.found = append(s.found, mailbox{s.words[0], s.end})
	}
	s.words, s.angle, s.glued = nil, nil, false
	return nil
}

// open begins what stands in brackets.
func (s *scanner) open() error {
	if s.inAngle || s.angle != nil {
		return errWords
	}
	s.at++
	s.inAngle, s.words, s.glued = true, nil, false
	return nil
}

func (s *scanner) shut() error {
	if !s.inAngle || len(s.words) > 1 {
		return errWords
	}
	s.angle = &mailbox{}
	if len(s.words) == 1 {
		s.angle = &mailbox{s.words[0], s.end}
	}
	s.at++
	s.inAngle, s.words, s.glued = false, nil, false
	return nil
}

// comment skips one, and those in it.
func (s *scanner) comment() error {
	for depth := 0; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.at++
				return nil
			}
		}
	}
	return errOpen
}

// word reads an atom, a quoted string or a literal. What stands around an @ or
// a dot is one word, even with blanks between (RFC 5322 section 4.4).
func (s *scanner) word() error {
	start := s.at
	switch s.text[s.at] {
	case '"':
		if !s.skip('"') {
			return errOpen
		}
	case '[':
		if !s.skip(']') {
			return errOpen
		}
	default:
		for s.at < len(s.text) && strings.IndexByte(" \t\r\n,;:<>()\"[", s.text[s.at]) < 0 {
			s.at++
		}
	}
	s.join(s.text[start:s.at])
	s.end, s.glued = s.at, true
	return nil
}

// skip goes behind a closing character.
func (s *scanner) skip(closing byte) bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case closing:
			s.at++
			return true
		}
	}
	s.at = len(s.text)
	return false
}

func (s *scanner) join(word string) {
	if n := len(s.words); n > 0 {
		last := s.words[n-1]
		if s.glued || strings.ContainsRune("@.", rune(word[0])) || strings.ContainsRune("@.", rune(last[len(last)-1])) {
			s.words[n-1] = last + word
			return
		}
	}
	s.words = append(s.words, word)
}
