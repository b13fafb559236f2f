package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"lull/store"
)

// telling is what a line of text tells about a state.
type telling struct {
	verdict
	known   bool
	without string // the text without the words that only tell the state
}

// stateWord is a word of the vocabulary in a text.
type stateWord struct {
	start, end int
	verdict
	firm bool // it stands where a state stands: "is DOWN", "[OK]", "RESOLVED:"
}

// readState finds the state that a subject tells, and takes the words that
// tell nothing else out of it, so that problem and recovery of one thing have
// the same template.
func readState(text string) telling {
	words := stateWords(text)
	t := telling{without: text}
	best := -1
	for i, w := range words {
		if better(w, words, best, text) {
			best = i
		}
	}
	if best >= 0 {
		t.verdict, t.known = words[best].verdict, true
		for _, w := range words {
			if t.state == store.Problem && t.severity == "" && w.state == store.Problem {
				t.severity = w.severity
			}
		}
	}
	t.without = withoutStates(text, words)
	return t
}

// better reports whether a word decides rather than the best so far: notices
// about a state first (flapping, acknowledged, downtime), then recoveries,
// then problems, then successes; firm ones before others; and of two ends of
// an arrow the latter.
func better(w stateWord, words []stateWord, best int, text string) bool {
	if best < 0 {
		return true
	}
	b := words[best]
	if between := text[b.end:w.start]; b.firm && w.firm && isArrow(between) {
		return true
	}
	if w.firm != b.firm {
		return w.firm
	}
	return w.weight() > b.weight()
}

func (w stateWord) weight() int {
	switch {
	case w.kind == kindFlapping, w.kind == kindAcknowledgement, w.kind == kindDowntime:
		return 4
	case w.state == store.Recovery:
		return 3
	case w.state == store.Problem:
		return 2
	case w.kind == kindSuccess:
		return 1
	}
	return 0
}

func isArrow(between string) bool {
	switch strings.TrimSpace(between) {
	case "->", "=>", "→", "-->", "to", "⇒", "➔":
		return true
	}
	return false
}

// stateWords lists the words of the vocabulary in a text, but for those that
// are denied ("no errors", "0 failed").
func stateWords(text string) []stateWord {
	var list []stateWord
	before := ""
	for at := 0; at < len(text) && len(list) < 16; {
		start, end := nextLetters(text, at)
		if start == end {
			break
		}
		word := text[start:end]
		v, known := lookUp(word)
		denied := isDenial(text, start, before)
		if denied && v.state == store.Recovery && strings.EqualFold(before, "not") {
			v, denied = isProblem, false // "not running", "not OK"
		}
		if known && !denied {
			w := stateWord{start, end, v, isFirm(text, start, end, before)}
			if w.firm || !isLoose(word) {
				list = append(list, w)
			}
		}
		before = word
		at = end
	}
	return list
}

// nextLetters returns the next run of letters, digits and underscores.
func nextLetters(text string, at int) (start, end int) {
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			break
		}
		at += size
	}
	start = at
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			break
		}
		at += size
	}
	return start, at
}

// lookUp finds a word in the vocabulary without allocating.
func lookUp(word string) (verdict, bool) {
	if len(word) > 20 {
		return verdict{}, false
	}
	var folded [20]byte
	for i := 0; i < len(word); i++ {
		folded[i] = lower(word[i])
	}
	v, known := vocabulary[string(folded[:len(word)])]
	return v, known
}

// isDenial reports whether the word before the one at start denies it. The 0
// of "100-0 failed" does not.
func isDenial(text string, start int, word string) bool {
	switch strings.ToLower(word) {
	case "no", "without", "not", "never", "zero":
		return true
	case "0":
		head := strings.TrimRight(text[:start], " ")
		at := len(head) - 1
		return at == 0 || at > 0 && head[at] == '0' && (head[at-1] == ' ' || head[at-1] == '(')
	}
	return false
}

// isLoose reports whether a word mostly means something else.
func isLoose(word string) bool {
	switch strings.ToLower(word) {
	case "up", "ok", "okay", "clear", "normal", "stable", "high", "low", "alert", "report", "warning", "warn", "false", "true", "missing", "pass", "info", "information", "notice",
		"custom", "down", "fault", "average", "unknown", "online", "offline", "healthy", "abort", "complete", "fail", "recover", "resolve", "flap", "alarm", "dead", "emergency", "started", "starting", "problem", "error", "fixed", "success",
		"full", "opened", "closed", "running", "responding", "reachable", "available", "alive", "attack", "stopped":
		return true
	}
	return false
}

// isFirm reports whether a word stands where a state does: in capitals, in
// brackets, behind is, are, now or an arrow, before a colon at the front, or
// at the end behind a dash or a colon.
func isFirm(text string, start, end int, previous string) bool {
	word := text[start:end]
	if end-start > 1 && word == strings.ToUpper(word) {
		return true
	}
	head, tail := strings.TrimRight(text[:start], " "), strings.TrimLeft(text[end:], " ")
	switch strings.ToLower(previous) {
	case "is", "are", "was", "now", "has", "been", "state", "status", "back", "health", "result", "to", "went", "still", "not":
		return true
	case "incident", "violation", "alarm":
		return strings.EqualFold(word, "opened") || strings.EqualFold(word, "closed")
	case "disk", "filesystem", "volume", "partition", "pool", "quota", "mailbox", "queue":
		return strings.EqualFold(word, "full")
	}
	front := strings.Trim(head, "[]*(){}!<>#- ") == ""
	switch {
	case strings.HasSuffix(head, "[") && strings.HasPrefix(tail, "]"):
		return true
	case front && (strings.HasPrefix(tail, ":") || strings.HasPrefix(tail, "-") || strings.HasPrefix(tail, "|") || strings.HasPrefix(tail, "]")):
		return true
	case strings.HasSuffix(head, ">"), strings.HasSuffix(head, "→"), strings.HasPrefix(tail, "->"), strings.HasPrefix(tail, "→"), strings.HasPrefix(tail, "=>"):
		return true
	}
	ends := strings.Trim(withoutGroup(tail), "]*)!.# ") == ""
	if ends && head != "" && (isUpper(word[0]) || isFinal(word)) {
		return true
	}
	return ends && (strings.HasSuffix(head, ":") || strings.HasSuffix(head, "-") || strings.HasSuffix(head, "=") || strings.HasSuffix(head, "|") || strings.HasSuffix(head, ","))
}

// withoutGroup takes a group in parentheses off the end of a text.
func withoutGroup(text string) string {
	if open := strings.LastIndexByte(text, '('); open >= 0 && strings.HasSuffix(text, ")") {
		return strings.TrimRight(text[:open], " ")
	}
	return text
}

// isFinal reports whether a word that ends a subject tells a state, even in
// lower case: "build 12 fixed", but not "follow up".
func isFinal(word string) bool {
	switch strings.ToLower(word) {
	case "fixed", "ok", "success", "offline", "online", "full", "stopped", "unreachable":
		return true
	}
	return false
}

// withoutStates takes firm words that come in pairs (down and up, critical and
// ok) out of a text, and the small words that lead to them.
func withoutStates(text string, words []stateWord) string {
	var out strings.Builder
	last := 0
	for _, w := range words {
		if !w.firm || !isPaired(text[w.start:w.end]) || isTitleOfFault(text, w) {
			continue
		}
		start := beforeState(text, w.start)
		if start < last {
			start = last
		}
		out.WriteString(text[last:start])
		out.WriteByte(' ')
		last = afterState(text, w.end)
	}
	if last == 0 {
		return text
	}
	out.WriteString(text[last:])
	return strings.TrimRight(withoutStateGroup(out.String(), words, text), " ")
}

// withoutStateGroup takes a group at the end off that tells no more than a
// state: "(was down for 5 minutes)".
func withoutStateGroup(left string, words []stateWord, text string) string {
	if !strings.HasSuffix(text, ")") {
		return left
	}
	open := strings.LastIndexByte(text, '(')
	for _, w := range words {
		if w.start > open {
			return withoutGroup(left)
		}
	}
	return left
}

// isPaired reports whether a word of the vocabulary has a counterpart that a
// later mail about the same thing would have in its place.
func isPaired(word string) bool {
	switch strings.ToLower(word) {
	case "opened", "closed", "running", "responding", "reachable", "available", "alive",
		"critical", "crit", "down", "unreachable", "offline", "warning", "warn", "unknown", "unkn", "problem", "firing", "alerting", "triggered", "alarm", "alert",
		"recovery", "recovered", "recover", "ok", "okay", "up", "resolved", "resolve", "cleared", "clear", "restored", "normal", "online", "healthy", "unhealthy", "stable", "unstable",
		"acknowledgement", "acknowledgment", "acknowledged", "ack", "flapping", "flappingstart", "flappingstop", "flappingend", "downtime", "downtimestart", "downtimeend",
		"failed", "failing", "fail", "failure", "fixed", "broken", "passed", "pass", "success", "succeeded", "successful", "completed", "complete", "incomplete", "error", "errored", "degraded", "disaster", "fatal":
		return true
	}
	return false
}

// isTitleOfFault reports whether a word names a fault instead of a state:
// "WARNING in ext4_iget", "WARNING: suspicious usage".
func isTitleOfFault(text string, w stateWord) bool {
	tail := strings.TrimLeft(text[w.end:], " ")
	return strings.HasPrefix(tail, "in ") || strings.HasPrefix(tail, "at ")
}

// beforeState steps back over the small words that lead to a state.
func beforeState(text string, start int) int {
	for {
		head := strings.TrimRight(text[:start], " ")
		space := strings.LastIndexByte(head, ' ') + 1
		switch strings.ToLower(head[space:]) {
		case "is", "are", "was", "now", "has", "have", "been", "back", "again", "still", "currently", "to", "went", "not", "->", "=>", "→":
			start = space
		default:
			return start
		}
	}
}

// afterState steps over the small words that follow a state.
func afterState(text string, end int) int {
	for {
		tail := strings.TrimLeft(text[end:], " ")
		word := before(tail, " ")
		switch strings.ToLower(strings.Trim(word, ".!")) {
		case "again", "now", "->", "=>", "→":
			end = len(text) - len(tail) + len(word)
		default:
			return end
		}
	}
}

// bodyState is the verdict of a mail whose subject tells one: that of a line
// "State: …" in the text, where there is one, since subjects are wrong at
// times; else of the subject; else of the first lines.
func (m *mail) bodyState(subject telling) verdict {
	seen := 0
	first := verdict{}
	found := false
	for _, line := range m.lines {
		if !isInformative(line) {
			continue
		}
		if seen++; seen > 16 {
			break
		}
		if v, ok := statedIn(line); ok {
			return v
		}
		if seen <= 3 && !found && !subject.known {
			if t := readState(line); t.known {
				first, found = t.verdict, true
			}
		}
	}
	switch {
	case subject.known:
		return subject.verdict
	case found:
		return first
	}
	return verdict{state: store.Notice}
}

// statedIn reads a line that does nothing but state a state: "State: DOWN",
// "Status = resolved", "RECOVERY: event has ended".
func statedIn(line string) (verdict, bool) {
	key, value, found := strings.Cut(withoutBullet(line), ":")
	if !found {
		if key, value, found = strings.Cut(line, "="); !found {
			return verdict{}, false
		}
	}
	switch strings.ToLower(strings.TrimSpace(key)) {
	case "state", "status", "new state", "current state", "notification type", "alert state", "alert status", "result", "health", "outcome", "job status", "build status", "event type":
		words := stateWords(value)
		if len(words) == 0 {
			return verdictOf(strings.TrimSpace(value))
		}
		return words[len(words)-1].verdict, true
	case "recovery", "recovered", "resolved":
		return isRecovery, key == strings.ToUpper(key)
	}
	return verdict{}, false
}
