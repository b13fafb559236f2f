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
	if first := firstName(subject); looksLikeHost(first, identifier) && strings.ContainsAny(first, "0123456789") {
		candidate = first
	}
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

// firstName is the name that a subject begins with, in brackets or before a
// colon: "[web1] load" and "web1: load".
func firstName(subject string) string {
	subject = strings.TrimLeft(subject, " ]:")
	if inner, found := strings.CutPrefix(subject, "["); found {
		if name := before(inner, "]"); strings.IndexByte(name, ':') < 0 {
			return name
		}
		return "" // [tree:branch]
	}
	name, _, found := strings.Cut(subject, ":")
	if !found || strings.ContainsAny(name, " /") {
		return ""
	}
	return name
}

// isVersionLike reports whether a dotted name begins with a digit and ends in
// one: 6.4.0-12 is none of a host.
func isVersionLike(word string) bool {
	last := strings.LastIndexByte(word, '.')
	return isDigit(word[0]) && last >= 0 && !strings.ContainsAny(word[last:], "abcdefghijklmnopqrstuvwxyz")
}

func leadsToHost(word string) bool {
	switch strings.ToLower(word) {
	case "on", "host", "server", "node", "hostname", "machine", "instance", "at", "from", "for", "of":
		return true
	}
	return false
}

// looksLikeHost takes names in one case with a digit, or in lower case with a
// dash in them.
func looksLikeHost(word string, k kind) bool {
	if k != identifier && k != constant || len(word) < 2 || !isLetter(word[0]) {
		return false
	}
	if strings.ToLower(word) != word && (strings.ToUpper(word) != word || !strings.ContainsAny(word, "0123456789")) {
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
