package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// largest is the size of a message that is read at all, in bytes; the daemon's
// own limit is lower.
const largest = 256 << 20

var errLarge = fmt.Errorf("the message is larger than %d MB", largest>>20)

// read reads a message to its end: the end of the input, or without dots a
// line that is a dot alone. Lines end with CRLF afterwards.
func read(in io.Reader, dots bool) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(in, largest+1))
	if err != nil {
		return nil, fmt.Errorf("reading the message: %w", err)
	}
	if len(all) > largest {
		return nil, errLarge
	}
	out := make([]byte, 0, len(all)+len(all)/32)
	for line := range bytes.Lines(all) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		text, _ = bytes.CutSuffix(text, []byte("\r"))
		if !ended {
			text = line // a CR at the very end is text
		}
		if !dots && string(text) == "." {
			break
		}
		out = append(append(out, text...), "\r\n"...)
	}
	return out, nil
}

// field is one header field as it stands in the message, folded.
type field struct {
	name string
	raw  string // with its name and its last CRLF
}

// value is what stands behind the colon.
func (f field) value() string {
	_, value, _ := strings.Cut(f.raw, ":")
	return value
}

// is reports whether the field has one of the names.
func (f field) is(names ...string) bool {
	for _, name := range names {
		if strings.EqualFold(f.name, name) {
			return true
		}
	}
	return false
}

// message is a message in the making.
type message struct {
	header []field
	body   []byte
}

// split finds the header: up to an empty line, or up to the first line that
// cannot be of a header, as in `echo text | sendmail root`. A line "From "
// before it is the mailbox format's, and no part of the message.
func split(raw []byte) message {
	var m message
	if bytes.HasPrefix(raw, []byte("From ")) || bytes.HasPrefix(raw, []byte(">From ")) {
		_, raw, _ = bytes.Cut(raw, []byte("\n"))
	}
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		text := string(line) + "\n"
		switch {
		case text == "\r\n":
			m.body = rest
			return m
		case (text[0] == ' ' || text[0] == '\t') && len(m.header) > 0:
			m.header[len(m.header)-1].raw += text
		default:
			name, ok := fieldName(text)
			if !ok {
				m.body = raw
				return m
			}
			m.header = append(m.header, field{name, text})
		}
		raw = rest
	}
	return m
}

// fieldName is the name of the field that a line begins.
func fieldName(line string) (string, bool) {
	name, _, found := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	return name, found && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// bytes is the message as it goes out.
func (m message) bytes() []byte {
	var b bytes.Buffer
	for _, f := range m.header {
		b.WriteString(f.raw)
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return b.Bytes()
}

// has reports whether there is a field of that name.
func (m message) has(name string) bool {
	for _, f := range m.header {
		if f.is(name) {
			return true
		}
	}
	return false
}

// recipients are the addresses that -t finds: of the Resent fields, if there
// are any with recipients, since they are the newer ones.
func (m message) recipients() ([]string, error) {
	resent, err := m.in("Resent-To", "Resent-Cc", "Resent-Bcc")
	if err != nil || len(resent) > 0 {
		return resent, err
	}
	return m.in("To", "Cc", "Bcc")
}

// in are the addresses in fields of the given names.
func (m message) in(names ...string) ([]string, error) {
	var all []string
	var faults []error
	for _, f := range m.header {
		if !f.is(names...) {
			continue
		}
		list, err := mailboxes(f.value())
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.name, err))
		}
		for _, box := range list {
			all = append(all, box.address)
		}
	}
	return all, errors.Join(faults...)
}
