package signature

import (
	"strings"

	"lull/store"
)

// telling is what a line of text tells about a state.
type telling struct {
	verdict
	known   bool
	weak    verdict // where nothing is known: what a word might mean
	isThere bool    // whether something is there is what it tells: up or down
	without string  // the text without the words that only tell the state
}

// readState finds the state that a subject tells, and takes the words that
// tell nothing else out of it, so that problem and recovery of one thing have
// the same template.
func readState(text string) telling {
	words, weak := stateWords(text)
	t := telling{without: text, weak: weak}
	best := -1
	for i, w := range words {
		if better(w, words, best, text) {
			best = i
		}
	}
	if best >= 0 {
		t.verdict, t.known = words[best].verdict, true
		for _, w := range words {
			t.isThere = t.isThere || w.firm && isUpOrDown(text[w.start:w.end])
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
	return w.weight() > b.weight() || w.weight() == b.weight() && b.severity == "" && w.severity != ""
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

// maxTold bounds the informative lines that are read for a state.
const maxTold = 16

// bodyState is the verdict of a mail whose subject tells one: that of a line
// "State: …" in the text, where there is one, since subjects are wrong at
// times; else of the subject; else of the first lines; else what a word of
// the subject might mean; else a line "Severity: …", or that the sender is
// there to alert.
func (m *mail) bodyState(subject telling) verdict {
	seen := 0
	var first telling
	var graded verdict
	for _, line := range m.lines {
		if !isInformative(line) {
			continue
		}
		if seen++; seen > maxTold {
			break
		}
		if v, ok := statedIn(line); ok {
			return v
		}
		if graded.state == "" {
			graded = gradedIn(line)
		}
		if seen <= 3 && !first.known && !subject.known {
			weak := first.weak
			if first = readState(line); seen > 1 {
				first.weak = weak
			}
		}
	}
	switch {
	case subject.known:
		return subject.verdict
	case first.known:
		return first.verdict
	case subject.weak.state != "":
		return subject.weak
	case first.weak.state == store.Problem:
		return first.weak
	case graded.state == store.Problem:
		return graded
	case m.from.isAlarm():
		return isProblem
	}
	return verdict{state: store.Notice}
}

// gradedIn reads a line that tells how bad it is: "Severity: Critical".
func gradedIn(line string) verdict {
	key, value, found := strings.Cut(withoutBullet(line), ":")
	if !found {
		return verdict{}
	}
	switch foldWord(strings.TrimSpace(key)) {
	case "severity", "alert severity", "event severity", "priority", "alert level", "level", "criticality":
	default:
		return verdict{}
	}
	switch v, _ := verdictOf(strings.TrimSpace(value)); foldWord(strings.TrimSpace(value)) {
	case "high", "major", "severe", "urgent", "highest":
		return isCritical
	case "medium", "minor", "moderate":
		return isWarning
	default:
		return v
	}
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
	key = strings.TrimSpace(key)
	switch strings.ToLower(key) {
	case "state", "status", "new state", "new status", "current state", "current status", "notification type", "alert state", "alert status", "alarm state",
		"result", "health", "outcome", "job status", "build status", "event type", "incident status", "status detected", "zustand", "statut", "estado", "stato":
		words, _ := stateWords(value)
		if len(words) == 0 {
			return verdictOf(strings.TrimSpace(value))
		}
		return words[len(words)-1].verdict, true
	case "recovery", "recovered", "resolved":
		return isRecovery, key == strings.ToUpper(key)
	}
	return verdict{}, false
}
