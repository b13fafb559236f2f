package signature

import "strings"

// host is the host that a mail is about, and the name of the object: the host
// that the subject names, else one that a line of the text names, else the
// one that the mail comes from, where programs of a host send as its root.
func (m *mail) host(subject string) (host, object string) {
	self := m.from.hostName()
	if named := hostIn(subject, self); named != "" {
		return named, named
	}
	if named := m.hostLine(); named != "" {
		return named, named
	}
	return self, self
}

// hostIn finds a host in a subject: a name with a domain, the mail's own
// host, or what stands behind "on", "for" or "host" and looks like a name.
func hostIn(subject, own string) string {
	candidate := ""
	s := newScanner(subject, own)
	previous := ""
	for t := (token{}); ; {
		if !s.next(&t) {
			return candidate
		}
		word := s.text[t.start:t.end]
		switch {
		case t.kind == self:
			return word
		case t.kind == host && !isVersionLike(word):
			return word
		case candidate == "" && leadsToHost(previous) && looksLikeHost(word, t.kind):
			candidate = word
		}
		previous = word
	}
}

func isVersionLike(word string) bool {
	return isDigit(word[0]) && strings.Count(word, ".") >= 1 && !strings.ContainsAny(word[strings.LastIndexByte(word, '.'):], "abcdefghijklmnopqrstuvwxyz")
}

func leadsToHost(word string) bool {
	switch strings.ToLower(word) {
	case "on", "host", "server", "node", "hostname", "machine", "instance", "at", "from", "for":
		return true
	}
	return false
}

// looksLikeHost takes lower-case names with a digit or a dash in them.
func looksLikeHost(word string, k kind) bool {
	if k != identifier && k != constant || len(word) < 2 || !isLetter(word[0]) || strings.ToLower(word) != word {
		return false
	}
	return strings.ContainsAny(word, "0123456789-") && isHostText(word) && strings.IndexByte(word, '_') < 0
}

// hostLine finds a line such as "Host: web1" in the first lines of the text.
func (m *mail) hostLine() string {
	seen := 0
	for _, line := range m.lines {
		if line == "" {
			continue
		}
		if seen++; seen > 40 {
			return ""
		}
		key, value, found := strings.Cut(withoutBullet(line), ":")
		if !found {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "host", "hostname", "host name", "server", "node", "machine", "instance", "device", "affected host", "system", "computer", "source host":
			if word := before(value, " "); word != "" && isHostText(word) && len(word) < 128 {
				return word
			}
		}
	}
	return ""
}
