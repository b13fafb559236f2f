package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// stateWord is a word or a phrase of the vocabulary in a text.
type stateWord struct {
	start, end int
	meaning
	firm bool // it stands where a state stands: "is DOWN", "[OK]", "RESOLVED:"
	tail bool // all that follows tells the state as well
}

// Bounds of the words of one text that tell a state, and of all its words.
const (
	maxStateWords = 16
	maxWordsRead  = 128
)

// stateWords lists the words of the vocabulary in a text, but for those that
// are denied ("no errors", "0 failed"), and the first problem among those that
// mostly mean something else and stand where no state does.
func stateWords(text string) (list []stateWord, weak verdict) {
	before := ""
	for at, n := 0, 0; n < maxWordsRead && len(list) < maxStateWords; n++ {
		start, end := nextLetters(text, at)
		if start == end {
			break
		}
		w := stateWord{start: start, end: end}
		known := false
		if p, ok := phraseAt(text, start); ok {
			w, known = p, true
		} else if w.meaning, known = lookUp(text[start:end]); known {
			w, known = asStated(w, text, before)
		}
		switch {
		case known && (w.firm || w.use&loose == 0):
			list = append(list, w)
		case known && weak.state == "":
			weak = w.verdict
		}
		before, at = text[start:end], w.end
	}
	return list, weak
}

// asStated is how a word counts where it stands, behind the word before it;
// false where that denies it.
func asStated(w stateWord, text, before string) (stateWord, bool) {
	if isDenial(text, w.start, before) {
		if w.state != isRecovery.state || !strings.EqualFold(before, "not") {
			return w, false
		}
		w.verdict = isProblem // "not running", "not OK"
	}
	w.firm = isFirm(text, w, before)
	return w, true
}

// phraseAt finds a phrase of the vocabulary that begins at an index.
func phraseAt(text string, start int) (stateWord, bool) {
	rest := text[start:]
	for _, p := range phrasesBy[lower(text[start])] {
		if len(rest) < len(p.words) || lower(rest[1]) != p.words[1] || !hasPrefixFold(rest, p.words) {
			continue
		}
		if end := len(p.words); len(rest) == end || !isAlnum(rest[end]) {
			return stateWord{start: start, end: start + end, meaning: meaning{p.verdict, p.use}, firm: p.use&paired != 0, tail: p.tail}, true
		}
	}
	return stateWord{}, false
}

// phrase is an entry of phrases or tails.
type phrase struct {
	entry
	tail bool
}

// phrasesBy has the phrases by their first letter.
var phrasesBy = func() (by [256][]phrase) {
	for _, e := range tails {
		by[e.words[0]] = append(by[e.words[0]], phrase{e, true})
	}
	for _, e := range phrases {
		by[e.words[0]] = append(by[e.words[0]], phrase{e, false})
	}
	return by
}()

// isDenial reports whether the word before the one at start denies it. The 0
// of "100-0 failed" does not.
func isDenial(text string, start int, word string) bool {
	switch foldWord(word) {
	case "no", "without", "not", "never", "zero":
		return true
	case "0":
		head := strings.TrimRight(text[:start], " ")
		at := len(head) - 1
		return at == 0 || at > 0 && head[at] == '0' && (head[at-1] == ' ' || head[at-1] == '(')
	}
	return false
}

// isFirm reports whether a word stands where a state does: in capitals, in
// brackets, behind is, are, now or an arrow, before a colon at the front, or
// at the end behind a dash or a colon.
func isFirm(text string, w stateWord, previous string) bool {
	word := text[w.start:w.end]
	if len(word) > 1 && word == strings.ToUpper(word) {
		return true
	}
	head, tail := strings.TrimRightFunc(text[:w.start], isSymbol), strings.TrimLeft(text[w.end:], " ")
	if leadsToState(previous, word) {
		return true
	}
	switch {
	case strings.HasSuffix(head, "[") && strings.HasPrefix(tail, "]"), strings.HasSuffix(head, "(") && strings.HasPrefix(tail, ")") && w.use&paired != 0:
		return true
	case isFront(head) && tail != "" && strings.IndexByte(":-|]", tail[0]) >= 0:
		return true
	case isFront(head) && strings.HasPrefix(afterSpan(tail), ":"): // "Resolved in 5m: …"
		return true
	case strings.HasSuffix(head, ">"), strings.HasSuffix(head, "→"), strings.HasPrefix(tail, "->"), strings.HasPrefix(tail, "→"), strings.HasPrefix(tail, "=>"):
		return true
	case strings.HasPrefix(tail, ":") && (strings.HasSuffix(head, "]") || w.use&(paired|final|loose) == paired|final || w.use&paired != 0 && isTopic(head)):
		return true
	case w.use&(paired|loose) == paired && strings.HasPrefix(tail, "on "):
		return true
	case isUpper(word[0]) && isUpOrDown(word) && tail != "" && strings.IndexByte(":-|", tail[0]) >= 0:
		return true
	case strings.HasSuffix(head, ")") && isUpper(word[0]) && w.use&paired != 0: // "host sensor (ping) Down (timeout)"
		return true
	}
	ends := strings.Trim(withoutGroup(tail), "]*)!.# ") == ""
	if ends && head != "" && (isUpper(word[0]) || w.use&final != 0 || word[0] >= utf8.RuneSelf) {
		return true
	}
	return ends && head != "" && strings.IndexByte(":-=|,", head[len(head)-1]) >= 0
}

// isTopic reports whether one word is all that stands before a state, as in
// "Temperature alarm: rack 4" and "Temperature normal: rack 4".
func isTopic(head string) bool {
	head = strings.TrimSpace(head)
	return head != "" && isUpper(head[0]) && strings.IndexByte(head, ' ') < 0 && isLetter(head[len(head)-1])
}

// isSymbol reports whether a character only decorates a state: "🔴 Down".
func isSymbol(r rune) bool {
	return r == ' ' || r > unicode.MaxLatin1 && unicode.IsSymbol(r) && r != '→' && r != '⇒' && r != '➔'
}

// isFront reports whether nothing but marks and symbols stands before a word.
func isFront(head string) bool {
	return strings.IndexFunc(head, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
}

// leadsToState reports whether a state follows the word before it.
func leadsToState(previous, word string) bool {
	switch foldWord(previous) {
	case "is", "are", "was", "now", "has", "been", "state", "status", "back", "health", "result", "to", "went", "still", "not", "currently",
		"ist", "wurde", "est", "está", "è", "jest", "är", "er":
		return true
	case "incident", "violation", "alarm", "alert", "problem", "event":
		switch foldWord(word) {
		case "opened", "closed", "triggered", "resolved", "cleared", "active", "acknowledged", "recovered":
			return true
		}
	case "disk", "filesystem", "volume", "partition", "pool", "quota", "mailbox", "queue":
		return strings.EqualFold(word, "full")
	}
	return false
}
