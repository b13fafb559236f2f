package signature

import "strings"

// classify decides what a word is that lost its loose end. It may take less
// than the word, and more: "a/b" is two tokens, an address goes on behind "?".
func (s *scanner) classify(t *token) {
	word := s.text[t.start:t.end]
	m := measure(word)
	if m.slashes > 0 && isURL(word) {
		s.at = query(s.text, s.at)
		t.end, t.kind = s.at, link
		return
	}
	if m.slashes > 0 && isPath(word, &m) {
		s.at = query(s.text, s.at)
		s.classifyPath(t)
		return
	}
	for t.start < t.end && isEdge(s.text[t.start]) {
		t.start++
	}
	if m.slashes > 0 {
		s.takeUntil(t, slash(s.text[t.start:t.end]))
	}
	if t.end-t.start != len(word) {
		m = measure(s.text[t.start:t.end])
	}
	at := keyColon(s.text[t.start:t.end], &m)
	if at == 0 {
		at = hostColon(s.text[t.start:t.end], &m)
	}
	if at > 0 {
		s.takeUntil(t, at)
		m = measure(s.text[t.start:t.end])
	}
	s.classifyWord(t, &m)
}

// takeUntil ends a token at an index in its word, and goes on behind it.
func (s *scanner) takeUntil(t *token, at int) {
	if at >= 0 {
		t.end = t.start + at
		s.at = t.end + 1
	}
}

// classifyLetters decides what a word of nothing but ASCII letters is.
func (s *scanner) classifyLetters(t *token, seen classSet) {
	word := s.text[t.start:t.end]
	t.plain = true
	switch {
	case s.host != "" && s.isHost(word):
		t.kind = self
	case s.afterUser(t.start) && !isLittle(word):
		t.kind = user
	case len(word) >= 8 && (seen == 1<<hexLower || seen == 1<<hexUpper):
		t.kind = hash
	case s.last > identifier && isUnit(word), s.last == number && isCounted(word):
		t.kind = unit
	case isUpper(word[0]) && isCalendar(word) && (s.last == moment || s.last == number || s.beforeTime()):
		t.kind = weekday
	}
}

// classifyDigits decides what a word of nothing but digits is.
func (s *scanner) classifyDigits(t *token) {
	switch t.kind = number; {
	case s.host != "" && s.isHost(s.text[t.start:t.end]):
		t.kind = self
	case s.afterUser(t.start):
		t.kind = user
	}
}

// classifyPath masks a path, but for where disks are mounted, and for the base name of a source file, which
// tells incidents apart where the path before and the line behind do not.
func (s *scanner) classifyPath(t *token) {
	from, to, found := sourceFile(s.text, t.start, t.end)
	if isMount(s.text[t.start:t.end]) {
		return
	}
	if !found {
		t.kind = path
		return
	}
	t.start, t.from, t.to = from, from, to
}

// classifyWord decides what a word without slashes is.
func (s *scanner) classifyWord(t *token, m *shape) {
	t.from, t.to = t.start, t.end
	if t.start == t.end { // a rule of dashes
		t.kind = unit
		return
	}
	word := s.text[t.start:t.end]
	if t.kind = s.kindOf(word, t.start, m); t.kind == constant && m.dots > 0 {
		t.from = exceptionClass(s.text, t.start, t.end)
	}
	if s.host != "" && s.isHost(word) {
		t.kind = self
	}
}

// isHost reports whether a word is the host that the mail is about, with or
// without its domain.
func (s *scanner) isHost(word string) bool {
	if len(word) < 3 || len(s.host) < 3 {
		return false
	}
	short := before(s.host, ".")
	return strings.EqualFold(word, s.host) || strings.EqualFold(before(word, "."), s.host) ||
		strings.EqualFold(word, short) && (len(short) == len(s.host) || word == short || word == strings.ToUpper(word))
}

// kindOf decides what a word without slashes and loose ends is.
func (s *scanner) kindOf(word string, start int, m *shape) kind {
	switch {
	case s.afterUser(start) && !isLittle(word):
		return user
	case m.ats > 0 && isMailbox(word):
		return mailbox
	case m.digits == 0:
		return s.kindOfNames(word, m)
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
	case isUUID(word, m), isHexWord(word, m), isRandom(word, m), m.tildes >= 2:
		return hash
	case m.colons+m.dots > 0 && m.letters == m.hex && m.dashes+m.unders+m.others == 0 && (m.colons >= 2 || isDigit(word[0])):
		return address // MAC, IPv6, PCI
	case isHost(word, m), s.afterName():
		return host
	}
	return identifier
}

// kindOfNames decides what a word without digits is that has joints in it.
func (s *scanner) kindOfNames(word string, m *shape) kind {
	if m.dots >= 1 && isHost(word, m) && !isException(word) {
		return host
	}
	return constant
}

// beforeTime reports whether the next token begins with a digit, or is a day
// or a month.
func (s *scanner) beforeTime() bool {
	at := s.at
	for at < len(s.text) && (s.text[at] == ' ' || s.text[at] == ',') {
		at++
	}
	end := at
	for end < len(s.text) && end < at+10 && isLetter(s.text[end]) {
		end++
	}
	return end == at && at < len(s.text) && isDigit(s.text[at]) || isCalendar(s.text[at:end])
}

// afterUser reports whether the tokens before say that a user's name follows:
// "user alice" and "password for alice", but not "user=root", nor what stands
// in brackets behind an empty name.
func (s *scanner) afterUser(start int) bool {
	last := s.text[s.lastStart:s.lastEnd]
	switch {
	case last == "for":
		if !strings.HasSuffix(s.text[:s.lastStart], "assword ") {
			return false
		}
	case !isUserWord(last):
		return false
	}
	return s.text[s.lastEnd] != '=' && !strings.ContainsAny(s.text[s.lastEnd:start], "[(")
}

// afterName reports whether the token before says that a name follows, of
// which there are many: "host name db1".
func (s *scanner) afterName() bool {
	switch s.text[s.lastStart:s.lastEnd] {
	case "name", "hostname":
		return true
	}
	return false
}

// kindOfDigits tells numbers, times and addresses apart by their joints.
func kindOfDigits(word string, m *shape) kind {
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
