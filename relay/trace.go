package relay

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"lull/store"
)

// mark stands behind our name in a Received field, so that we know our own.
const mark = "(lull)"

// trace is the Received field of a message (RFC 5321 section 4.4), with its
// CRLF. It names the recipient only if there is no other.
func (s *Server) trace(m *store.Message, protocol string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Received: from %s (%s)\r\n\tby %s %s with %s\r\n\tid %s",
		orDefault(m.Envelope.Helo, "unknown"), literal(m.Envelope.Client), s.cfg.Hostname, mark, protocol, m.ID)
	if len(m.Copies) == 1 {
		fmt.Fprintf(&b, "\r\n\tfor <%s>", m.Copies[0].To)
	}
	b.WriteString("; " + m.Accepted.Format(time.RFC1123Z) + "\r\n")
	return b.String()
}

// literal is an address as a literal (RFC 5321 section 4.1.3).
func literal(client string) string {
	switch {
	case strings.Contains(client, ":"):
		return "[IPv6:" + client + "]"
	case strings.Contains(client, "."):
		return "[" + client + "]"
	}
	return client
}

// protocolOf is the "with" word of a Received field (RFC 3848, RFC 6531
// section 4.3).
func protocolOf(e store.Envelope, lmtp bool) string {
	p := "ESMTP"
	switch {
	case lmtp && e.UTF8:
		p = "UTF8LMTP"
	case lmtp:
		p = "LMTP"
	case e.UTF8:
		p = "UTF8SMTP"
	}
	if e.TLS {
		p += "S"
	}
	if e.Auth != "" {
		p += "A"
	}
	return p
}

// sanitiseHelo makes what a client calls itself fit for a Received field and
// a log: the characters of names and literals, at most 255 of them.
func sanitiseHelo(helo string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x80 && (isLetterOrDigit(byte(r)) || strings.ContainsRune("-._:[]", r)) {
			return r
		}
		return -1
	}, helo)
	return clean[:min(len(clean), 255)]
}

// passages counts the Received fields that we wrote into the header of raw.
func (s *Server) passages(raw []byte) int {
	ours := []byte("by " + s.cfg.Hostname + " " + mark + " ")
	n := 0
	for field := range fields(raw) {
		if hasPrefixFold(field, "Received:") && bytes.Contains(field, ours) {
			n++
		}
	}
	return n
}

// fields yields the header fields of a message, folded as they are.
func fields(raw []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(raw) > 0 {
			end := fieldEnd(raw)
			field := raw[:end]
			if len(bytes.TrimRight(field, "\r\n")) == 0 || !yield(field) {
				return
			}
			raw = raw[end:]
		}
	}
}

// fieldEnd is where the first field of a header ends: at the first line break
// that no blank follows.
func fieldEnd(raw []byte) int {
	at := 0
	for {
		nl := bytes.IndexByte(raw[at:], '\n')
		if nl < 0 {
			return len(raw)
		}
		at += nl + 1
		if at == len(raw) || raw[at] != ' ' && raw[at] != '\t' {
			return at
		}
	}
}

func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}
