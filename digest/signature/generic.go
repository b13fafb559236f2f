package signature

import (
	"strings"

	"lull/store"
)

// generic takes the template of the subject, with that of the first
// informative line where the subject says little.
func (m *mail) generic() finding {
	subject := stripPrefixes(m.subject)
	f := finding{format: "generic", family: "generic"}
	variant := m.informative(0)
	core := appendCore(make([]byte, 0, 256), subject, "")
	f.title = string(appendTitle(nil, subject, ""))
	if isThin(core) {
		core = append(core, '\n')
		core = appendCore(core, variant, "")
		if f.title == "" {
			f.title = string(appendTitle(nil, variant, ""))
		}
	}
	f.core = string(core)
	f.variant = string(appendTitle(nil, variant, ""))
	f.reports = []store.Report{{State: store.Notice}}
	return f
}

// informative returns the nth line of the text that says something.
func (m *mail) informative(n int) string {
	for _, line := range m.lines {
		if isInformative(line) {
			if n == 0 {
				return line
			}
			n--
		}
	}
	return ""
}

// isInformative reports whether a line is more than a rule, a greeting or a
// quotation.
func isInformative(line string) bool {
	if line == "" || line[0] == '>' {
		return false
	}
	letters := 0
	for i := 0; i < len(line); i++ {
		if isAlnum(line[i]) || line[i] >= 0x80 {
			letters++
		}
	}
	if letters < 2 {
		return false
	}
	word := strings.ToLower(strings.TrimRight(before(line, " "), ",!.:"))
	return len(line) > 40 || word != "hi" && word != "hello" && word != "dear" && word != "hey"
}

// stripPrefixes takes off what replies, forwards and gateways put before a
// subject.
func stripPrefixes(subject string) string {
	for {
		cut := prefixLength(subject)
		if cut == 0 {
			return subject
		}
		subject = strings.TrimLeft(subject[cut:], " ")
	}
}

func prefixLength(subject string) int {
	for _, prefix := range [...]string{"re:", "fwd:", "fw:", "aw:", "wg:", "sv:", "vs:", "tr:", "antw:", "[external]", "[ext]", "[spam]", "***spam***", "{spam?}"} {
		if hasPrefixFold(subject, prefix) {
			return len(prefix)
		}
	}
	return 0
}

// isThin reports whether a core has fewer than two words that say something.
func isThin(core []byte) bool {
	words := 0
	for _, word := range strings.Fields(string(core)) {
		switch word {
		case "*", "alert", "warning", "error", "message", "notification", "report":
		default:
			words++
		}
	}
	return words < 2
}

// Template returns the canonical form of one line of text: what the generic
// template groups by. Two lines that differ in what it masks have the same.
func Template(line string) string {
	return string(appendCore(nil, clean(line, maxScan), ""))
}
