package corpus

import "strings"

// mail is a mail taken apart, so that it can be varied. Lines end in LF until
// it is put together.
type mail struct {
	head []string // fields, unfolded
	body string
	crlf bool
	from string // an mbox line before the header
}

func parse(text string) mail {
	head, body, _ := strings.Cut(strings.TrimRight(text, "\n")+"\n", "\n\n")
	head = strings.TrimRight(head, "\n")
	head = strings.ReplaceAll(head, "\n ", " ")
	head = strings.ReplaceAll(head, "\n\t", " ")
	return mail{head: strings.Split(head, "\n"), body: body}
}

// get and set work on the first field of a name.
func (m *mail) get(name string) string {
	for _, line := range m.head {
		if field, value, _ := strings.Cut(line, ":"); strings.EqualFold(field, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m *mail) set(name, value string) {
	for i, line := range m.head {
		if field, _, _ := strings.Cut(line, ":"); strings.EqualFold(field, name) {
			m.head[i] = name + ": " + value
			return
		}
	}
	m.head = append(m.head, name+": "+value)
}

func (m *mail) remove(name string) {
	for i, line := range m.head {
		if field, _, _ := strings.Cut(line, ":"); strings.EqualFold(field, name) {
			m.head = append(m.head[:i:i], m.head[i+1:]...)
			return
		}
	}
}

// isPlain reports whether the body is text without any encoding, which can be
// put into another form.
func (m *mail) isPlain() bool {
	kind := strings.ToLower(m.get("Content-Type"))
	return (kind == "" || strings.HasPrefix(kind, "text/plain")) && m.get("Content-Transfer-Encoding") == ""
}

// bytes puts the mail together.
func (m *mail) bytes() []byte {
	text := strings.Join(m.head, "\n") + "\n\n" + m.body
	if m.from != "" {
		text = m.from + "\n" + text
	}
	if m.crlf {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text)
}
