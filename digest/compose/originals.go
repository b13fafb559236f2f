package compose

import (
	"bytes"
	"fmt"
	"strings"

	"lull/store"
)

// At most maxOriginals mails are attached, of at most originalBytes each, and
// all together in a quarter of the digest.
const (
	maxOriginals  = 3
	originalBytes = 16_000
	maxDropped    = 64_000 // of header fields that are dropped
)

// originals are the mails that tell most: of the worst open incidents that
// are told first, one each. Those that were too large or could not be read are
// counted.
func (a *account) originals() (files []entity) {
	if a.Level != Full || a.Body == nil {
		return nil
	}
	room := a.MaxBytes / 4
	for _, e := range a.telling(maxOriginals) {
		raw, err := a.Body(e.Message.ID)
		if err != nil || len(raw) > originalBytes+maxDropped {
			a.unattached++
			continue
		}
		raw = withoutRecipients(raw)
		file := attached(fmt.Sprintf("%s.eml", fileName(e.ID())), raw)
		if len(raw) > originalBytes || len(file.body) > room {
			a.unattached++
			continue
		}
		room -= len(file.body)
		files = append(files, file)
	}
	a.attached = len(files)
	return files
}

// telling are the copies that say most of what is new, at most so many.
func (a *account) telling(limit int) []*store.Entry {
	var found []*store.Entry
	for _, p := range a.parts {
		if p.kind > again {
			break
		}
		for _, t := range p.members {
			if len(found) == limit {
				return found
			}
			if e := t.telling(); e != nil && t.open() && e.Shown == "" {
				found = append(found, e)
			}
		}
	}
	return found
}

func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '-') {
			return r
		}
		return '-'
	}, clean(id, 60))
}

// withoutRecipients drops the header fields that name whom else a mail was
// for, or through whose hands it went. It works line by line: it need not be
// a well-formed header.
func withoutRecipients(raw []byte) []byte {
	var out bytes.Buffer
	dropping := false
	for len(raw) > 0 {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line = raw[:i+1]
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			break
		}
		raw = raw[len(line):]
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			dropping = namesRecipients(string(bytes.TrimSpace(name)))
		}
		if !dropping {
			out.Write(line)
		}
	}
	out.Write(raw)
	return out.Bytes()
}

func namesRecipients(field string) bool {
	switch field = strings.ToLower(field); field {
	case "to", "cc", "bcc", "reply-to", "received", "return-path", "delivered-to", "apparently-to", "envelope-to", "errors-to",
		"x-original-to", "x-envelope-to", "x-rcpt-to", "x-failed-recipients", "disposition-notification-to":
		return true
	}
	return strings.HasPrefix(field, "resent-")
}
