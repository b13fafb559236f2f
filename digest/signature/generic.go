package signature

import (
	"strings"

	"lull/store"
)

// generic is how mail of an unknown program is read: its signature is the
// template of the subject without state and host, with that of the first
// informative lines where the subject says little.
func (m *mail) generic() finding {
	f := finding{format: "generic", family: "generic", sender: byRole}
	told := readState(m.bare)
	subject := withoutMore(told.without)
	host, object := m.host(subject)
	variant := m.informative(0)

	core := appendCore(make([]byte, 0, 256), subject, host)
	title := appendTitle(nil, subject, host)
	if exception := m.exception(); exception != "" {
		core = append(append(core, '\n'), strings.ToLower(exception)...)
		title = append(append(title, ": "...), exception...)
	} else if variant != "" && isThin(core) && !told.isWhole(host) {
		core = appendCore(append(core, '\n'), readState(variant).without, host)
		title = appendTitle(append(title, ": "...), variant, host)
	}
	f.core = string(core)
	f.title = tidy(string(title))
	f.variant = string(appendTitle(nil, variant, host))

	v := m.bodyState(told)
	f.reports = []store.Report{{Object: objectName(object), State: v.state, Kind: v.kind, Severity: v.severity}}
	m.note("format", "generic: no known format fits")
	m.note("without state", subject)
	m.note("template", f.title)
	m.note("report", tellReport(f.reports[0]))
	return f
}

// withoutMore takes "(and 2 more)" off the end of a subject.
func withoutMore(subject string) string {
	head := withoutGroup(subject)
	if group := strings.TrimSpace(subject[len(head):]); strings.HasSuffix(group, " more)") || strings.HasSuffix(group, " others)") {
		return head
	}
	return subject
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
	for i := 0; i < len(line) && letters < 2; i++ {
		if isAlnum(line[i]) || line[i] >= 0x80 {
			letters++
		}
	}
	if letters < 2 {
		return false
	}
	return len(line) > 40 || !isGreeting(line)
}

// isGreeting reports whether a line begins as letters do.
func isGreeting(line string) bool {
	if strings.IndexByte("hdgbmHDGBM", line[0]) < 0 {
		return false
	}
	switch strings.ToLower(strings.TrimRight(before(line, " "), ",!.:")) {
	case "hi", "hello", "dear", "hey", "greetings", "hallo", "bonjour", "hola", "moin":
		return true
	}
	return false
}

// exception is the class of the error that a traceback in the text ends with,
// or "": one subject often stands for many faults.
func (m *mail) exception() string {
	traced := false
	for at, line := range m.lines {
		if at+1 < len(m.lines) && strings.HasPrefix(m.lines[at+1], "at ") { // Java
			traced = true
		}
		if strings.HasPrefix(line, "Traceback (most recent call last)") || strings.HasPrefix(line, "Stack trace") || strings.HasPrefix(line, "Exception in thread") {
			traced = true
		}
		if !traced {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(line, "Caused by: "), "Exception in thread \"main\" ")
		name = before(before(name, " "), ":")
		if len(name) < 80 && isException(name) {
			return name[exceptionClass(name, 0, len(name)):]
		}
	}
	return ""
}

// isWhole reports whether a subject says all there is: that the host it names
// is up or down.
func (t telling) isWhole(host string) bool {
	return t.isThere && len(host) > 2 && containsFold(t.without, strings.ToLower(host))
}

// isThin reports whether a core has fewer than two words that say something.
// A long name, or one made of parts, says as much as two.
func isThin(core []byte) bool {
	words := 0
	for _, word := range strings.Fields(string(core)) {
		switch word {
		case "*", "alert", "warning", "error", "message", "notification", "report", "for", "on", "from", "at", "of", "in", "the", "a", "your":
			continue
		}
		words++
		if len(word) > 11 || strings.ContainsAny(word, "_-") {
			words++
		}
	}
	return words < 2
}

// tidy takes out of a title what is left of brackets and joints when their
// words are gone.
func tidy(title string) string {
	for _, empty := range [...]string{"[]", "()", "{}", "[ ]", "( )", "* *", "**"} {
		title = strings.ReplaceAll(title, empty, "")
	}
	return strings.Trim(strings.Join(strings.Fields(title), " "), " :-–—|!*,;")
}

// Template returns the canonical form of one line of text: what the generic
// template groups by. Two lines that differ in what it masks have the same.
func Template(line string) string {
	return string(appendCore(nil, clean(line, maxScan), ""))
}
