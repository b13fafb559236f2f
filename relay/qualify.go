package relay

import (
	"bytes"
	"strings"
)

// Programs that talk to the mail server of their own machine send bare names
// (RCPT TO:<root>), and RFC 5321 section 4.5.1 wants <Postmaster> taken.
// go-smtp refuses both before the session is asked, so the domain is added on
// the wire: to a command that comes alone, in the clear, when everything
// before it has been answered and ended with a command. What is part of a message is
// never such a thing: DATA and chunks are under way then.

// atCommand reports whether the next octets can only be a command.
func (w *wire) atCommand() bool {
	if w.secured || !w.whole || w.unanswered.Load() > 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.receiving
}

// qualify adds the domain to a bare name if p[:n] is a command with one. It
// returns the new n.
func (w *wire) qualify(p []byte, n int) int {
	line := qualified(p[:n], w.domain)
	if line == nil || len(line) > len(p) {
		return n
	}
	return copy(p, line)
}

// follow notes how what was read ends.
func (w *wire) follow(read []byte) {
	if w.secured || len(read) == 0 {
		return
	}
	lines, ended := bytes.CutSuffix(read, []byte("\n"))
	before := bytes.LastIndexByte(lines, '\n')
	seen := before >= 0 || w.aligned // the last line stands here from its beginning
	w.whole = ended && seen && !hasPrefixFold(lines[before+1:], "BDAT")
	w.aligned = ended
}

// qualified is a MAIL or RCPT command with the domain added, nil if it is none
// or has one.
func qualified(line []byte, domain string) []byte {
	if n := bytes.IndexByte(line, '\n'); n < 0 || n != len(line)-1 || domain == "" {
		return nil
	}
	if !hasPrefixFold(line, "MAIL FROM:") && !hasPrefixFold(line, "RCPT TO:") {
		return nil
	}
	head, rest, opened := strings.Cut(string(line), "<")
	name, tail, closed := strings.Cut(rest, ">")
	if _, blank, _ := strings.Cut(head, ":"); !opened || !closed || strings.TrimSpace(blank) != "" || !isDotString(name) {
		return nil
	}
	return []byte(head + "<" + name + "@" + domain + ">" + tail)
}
