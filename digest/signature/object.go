package signature

import "strings"

// host is the host that a mail is about, and the name of the object: the host
// that the subject names, else one that a line of the text names, else the
// one that the mail comes from, where programs of a host send as its root.
func (m *mail) host(subject string) (host, object string) {
	self := m.from.hostName()
	line := m.hostLine()
	if named := m.hostIn(subject, self, line); named != "" {
		return named, named
	}
	if line != "" {
		return line, line
	}
	return self, self
}

// hostIn finds a host in a subject: a name with a domain, the mail's own
// host, or what stands where hosts do and looks like one: in front, or behind
// "on", "for" or "host". A name without a digit must be named as a host
// elsewhere in the mail.
func (m *mail) hostIn(subject, own, line string) string {
	candidate := ""
	if first := firstName(subject); m.isNamedHost(first, line, strings.ContainsAny(first, "0123456789")) {
		candidate = first
	}
	if last := lastName(subject); candidate == "" && m.isNamedHost(last, line, m.textHas(last)) {
		candidate = last
	}
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
		case candidate == "" && t.kind == link:
			candidate = linkHost(word)
		case candidate == "" && t.kind <= identifier && line != "" && isSameHost(word, line):
			candidate = word
		case candidate == "" && t.kind <= identifier && leadsToHost(previous) && m.isNamedHost(word, line, true):
			candidate = word
		}
		previous = word
	}
}

// isNamedHost reports whether a name looks like that of a host: on its own,
// where it may, else because the mail names it elsewhere.
func (m *mail) isNamedHost(name, line string, may bool) bool {
	if len(name) < 2 || !isLetter(name[0]) || !isHostText(name) || strings.IndexByte(name, '_') >= 0 {
		return false
	}
	if line != "" && isSameHost(name, line) || isSameHost(name, m.from.hostName()) {
		return true
	}
	if looksLikeHost(name) {
		return may || m.textNames(name)
	}
	return false
}

// isSameHost compares two names of a host, with or without their domains.
func isSameHost(name, other string) bool {
	if len(name) < 3 || len(other) < 3 {
		return false
	}
	return strings.EqualFold(name, other) || strings.EqualFold(name, before(other, ".")) || strings.EqualFold(before(name, "."), other)
}

// maxNaming bounds the lines of text in which a name is looked for.
const maxNaming = 20

// textNames reports whether the text names a host so: "on NAME", "host: NAME".
func (m *mail) textNames(name string) bool {
	for _, line := range m.lines[:min(len(m.lines), maxNaming)] {
		for at := 0; ; {
			found := strings.Index(line[at:], name)
			if found < 0 {
				break
			}
			at += found
			head := strings.TrimRight(line[:at], " :'\"(@")
			lead := head[strings.LastIndexByte(head, ' ')+1:]
			if at += len(name); leadsToHost(lead) && (at == len(line) || !isAlnum(line[at]) && line[at] != '-') {
				return true
			}
		}
	}
	return false
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

// linkHost is the host in a URL.
func linkHost(link string) string {
	_, rest, _ := strings.Cut(link, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// lastName is the name behind a dash that a subject ends with: "CPU - web1".
func lastName(subject string) string {
	dash := strings.LastIndex(subject, " - ")
	if dash < 0 || strings.IndexByte(subject[dash+3:], ' ') >= 0 {
		return ""
	}
	return subject[dash+3:]
}

// textHas reports whether a name stands in the first lines of the text.
func (m *mail) textHas(name string) bool {
	for _, line := range m.lines[:min(len(m.lines), maxNaming)] {
		if name != "" && strings.Contains(line, name) {
			return true
		}
	}
	return false
}

// isVersionLike reports whether a dotted name begins with a digit and ends in
// one: 6.4.0-12 is none of a host.
func isVersionLike(word string) bool {
	last := strings.LastIndexByte(word, '.')
	return isDigit(word[0]) && last >= 0 && !strings.ContainsAny(word[last:], "abcdefghijklmnopqrstuvwxyz")
}

func leadsToHost(word string) bool {
	switch foldWord(word) {
	case "on", "host", "server", "node", "hostname", "machine", "instance", "at", "from", "for", "of", "device", "router", "switch", "@", "vm", "container", "auf", "sur", "für", "en", "em", "su", "på", "op":
		return true
	}
	return false
}

// looksLikeHost takes names in one case with a digit, or in lower case with a
// dash in them.
func looksLikeHost(word string) bool {
	if strings.ToLower(word) != word && (strings.ToUpper(word) != word || !strings.ContainsAny(word, "0123456789")) {
		return false
	}
	return strings.ContainsAny(word, "0123456789-")
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
		if !found || len(key) > 24 || !isHostKey(strings.TrimSpace(key)) {
			continue
		}
		if word := before(strings.TrimSpace(value), " "); word != "" && isHostText(word) && len(word) < 128 {
			return word
		}
	}
	return ""
}

// isHostKey reports whether a line with this key names a host.
func isHostKey(key string) bool {
	switch strings.ToLower(key) {
	case "host", "hostname", "host name", "server", "server name", "node", "node name", "machine", "instance", "device", "device name", "affected host", "affected device",
		"system", "system name", "system host name", "computer", "computer name", "source host", "rechner", "hôte", "equipo", "servidor":
		return true
	}
	return false
}
