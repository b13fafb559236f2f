package signature

import "strings"

// bareSubject is the subject without what replies, forwards, gateways and
// lists put before it.
func (m *mail) bareSubject() string {
	subject := m.subject
	for {
		cut := prefixLength(subject)
		if cut == 0 {
			cut = m.listTag(subject)
		}
		if cut == 0 || cut == len(subject) {
			return subject
		}
		subject = strings.TrimLeft(subject[cut:], " ")
	}
}

// prefixLength is the length of a prefix that means the same in all mail.
func prefixLength(subject string) int {
	if subject == "" {
		return 0
	}
	if c := subject[0]; c != '[' && c != '*' && c != '{' {
		return replyPrefix(subject)
	}
	for _, prefix := range [...]string{"[external]", "[ext]", "[extern]", "[spam]", "***spam***", "{spam?}", "[bulk]"} {
		if hasPrefixFold(subject, prefix) {
			return len(prefix)
		}
	}
	return 0
}

// replyPrefix takes "Re:", "Fwd:", "Re[2]:" and what they are elsewhere.
func replyPrefix(subject string) int {
	colon := strings.IndexByte(subject[:min(len(subject), 9)], ':')
	if colon < 2 {
		return 0
	}
	switch strings.ToLower(strings.TrimSpace(before(subject[:colon], "["))) {
	case "re", "fwd", "fw", "aw", "wg", "sv", "vs", "tr", "antw", "odp", "enc", "rv", "rif":
		return colon + 1
	}
	return 0
}

// listTag is the length of a "[tag]" that names the list or the address that
// the mail came through, or that is a guess: "[ext4?]".
func (m *mail) listTag(subject string) int {
	if !strings.HasPrefix(subject, "[") {
		return 0
	}
	end := strings.IndexByte(subject, ']')
	if end < 2 || end > 80 {
		return 0
	}
	tag := strings.ToLower(subject[1:end])
	if strings.HasSuffix(tag, "?") {
		return end + 1 // a guess, which may be another tomorrow
	}
	if id := strings.ToLower(m.header.get("List-Id")); id != "" {
		_, id, _ = strings.Cut(id, "<")
		if before(id, ".") == tag {
			return end + 1
		}
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimLeft(m.header.get("To"), " <")), tag+"@") {
		return end + 1
	}
	return 0
}
