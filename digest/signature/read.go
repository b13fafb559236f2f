package signature

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"lull/store"
)

// Version of the algorithm. It is part of every signature's id, and grows
// whenever a mail may get another signature than before.
const Version = 3

// Bounds of what a reading keeps.
const (
	maxSubject = 1 << 10
	maxField   = 256
	maxExcerpt = 1 << 10
	maxReports = 1000
)

// Step is one step of the way from the bytes to the reading, for people.
type Step struct{ Name, Detail string }

// Read reads a mail. It takes whatever bytes it is given, never fails, and
// costs a bounded amount of time and memory. It is a pure function of the
// bytes: the same everywhere and always, for one [Version].
func Read(raw []byte) store.Reading {
	reading, _ := read(raw, nil)
	return reading
}

// Explain is Read, and tells each step that led to the reading.
func Explain(raw []byte) (store.Reading, []Step) {
	steps := make([]Step, 0, 16)
	return read(raw, &steps)
}

// read falls back to the bytes themselves should any of it panic: a mail that
// finds a fault of ours must not take the relay down.
func read(raw []byte, steps *[]Step) (reading store.Reading, told []Step) {
	defer func() {
		if fault := recover(); fault != nil {
			reading = unreadable(raw)
			told = []Step{{"unreadable", fmt.Sprint("a fault in reading, grouped by its size: ", fault)}}
		}
	}()
	m := parse(raw, steps)
	f := m.recognise()
	reading = m.reading(f)
	if steps != nil {
		told = *steps
	}
	return reading, told
}

// unreadable is the reading of a mail that could not be read.
func unreadable(raw []byte) store.Reading {
	r := store.Reading{Reports: []store.Report{{State: store.Notice}}}
	r.Signature = store.Signature{Title: "unreadable mail", Format: "unreadable", Core: "unreadable", Version: Version}
	r.Signature.ID = identify("", "unreadable", "unreadable")
	return r
}

// mail is what was taken from the bytes before any format looks at it.
type mail struct {
	header  header
	from    sender
	subject string // decoded, one clean line
	bare    string // the subject without what replies and lists put before it
	lines   []string
	shapes  []lineShape // of the lines, once a rule looks at them
	walk    walk
	steps   *[]Step

	bareFolded, fromFolded string // in lower case
	bareLetters            letterSet
}

func parse(raw []byte, steps *[]Step) *mail {
	m := &mail{steps: steps}
	var body []byte
	m.header, body = splitHeader(raw)
	m.note("header", fmt.Sprintf("%d fields", len(m.header)))
	m.from = parseSender(m.header.get("From"))
	m.subject = clean(decodeWords(m.header.get("Subject")), maxSubject)
	m.bare = m.bareSubject()
	m.bareFolded, m.fromFolded = strings.ToLower(m.bare), strings.ToLower(m.from.text)
	m.note("subject", m.bare)
	m.walk.entity(m.header, body[:min(len(body), maxBody)], 0)
	m.lines = m.walk.text()
	m.note("text", fmt.Sprintf("%d lines from %s", len(m.lines), strings.Join(m.walk.tree, ", ")))
	return m
}

// note tells a step, if anyone listens.
func (m *mail) note(name, detail string) {
	if m.steps != nil {
		*m.steps = append(*m.steps, Step{name, clean(detail, maxLine)})
	}
}

// finding is what a mail was recognised as, by a format or by its template.
type finding struct {
	format   string // as it is told
	family   string // as it is hashed: formats of one program share it
	core     string // canonical, to be hashed
	title    string
	variant  string
	recovers bool
	sender   senders
	reports  []store.Report
}

// reading puts together all that is kept.
func (m *mail) reading(f finding) store.Reading {
	var r store.Reading
	r.Subject = strings.Clone(m.subject)
	r.From = strings.Clone(m.from.text)
	r.MessageID = clean(m.header.get("Message-ID"), maxField)
	r.Answers = m.answers(r.MessageID)
	r.Sent, r.Hops = sentAt(m.header)
	r.Marks = m.marks()
	r.Digest, r.DigestHost = m.digest()
	r.Excerpt = excerpt(m.lines)
	r.Reports = f.reports
	if m.isAnswer(f.format, r.Marks, r.Answers) {
		m.note("answer", "tells of a state at second hand: it changes none")
		r.Reports = []store.Report{{Object: f.reports[0].Object, State: store.Notice}}
	}
	f.core = cut(f.core, maxScan)
	if isAllSuccess(f.reports) {
		f.core += " (success)" // successes never hide failures
	}
	if len(r.Reports) == 0 {
		r.Reports = []store.Report{{State: store.Notice}}
	}
	r.Signature = store.Signature{
		Title: clean(f.title, maxField), Format: f.format, Source: clean(m.from.source(f.sender), maxField),
		Core: f.core, Variant: clean(f.variant, maxField), Version: Version, Recovers: f.recovers,
	}
	r.Signature.ID = identify(r.Signature.Source, f.family, r.Signature.Core)
	m.note("source", r.Signature.Source)
	m.note("core", r.Signature.Core)
	m.note("signature", r.Signature.ID)
	return r
}

// isAllSuccess reports whether a mail tells nothing but good news that answer
// no problem.
func isAllSuccess(reports []store.Report) bool {
	for _, r := range reports {
		if r.Kind != kindSuccess {
			return false
		}
	}
	return len(reports) > 0
}

// identify hashes what a signature is made of, each part behind its length.
func identify(source, family, core string) string {
	data := make([]byte, 0, 12+len(source)+len(family)+len(core))
	for _, part := range [...]string{source, family, core} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part)))
		data = append(data, part...)
	}
	sum := sha256.Sum256(data)
	id := append(strconv.AppendInt([]byte("s"), Version, 10), '-')
	return string(idEncoding.AppendEncode(id, sum[:16]))
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// answers reports whether In-Reply-To or References names another mail.
func (m *mail) answers(id string) bool {
	for _, name := range [...]string{"In-Reply-To", "References"} {
		for _, word := range strings.Fields(m.header.get(name)) {
			if word != id && strings.Contains(word, "@") {
				return true
			}
		}
	}
	return false
}

// digest returns the id and the host in our own mark.
func (m *mail) digest() (id, host string) {
	words := strings.Fields(clean(m.header.get("X-Lull-Digest"), maxField))
	switch len(words) {
	case 0:
		return "", ""
	case 1:
		return words[0], ""
	}
	return words[0], words[1]
}

// excerpt is the first informative lines.
func excerpt(lines []string) string {
	var out strings.Builder
	out.Grow(min(maxExcerpt, 32*len(lines)))
	for _, line := range lines {
		if !isInformative(line) {
			continue
		}
		if out.Len()+len(line) >= maxExcerpt {
			if out.Len() == 0 {
				out.WriteString(cut(line, maxExcerpt-1))
			}
			break
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(line)
	}
	return out.String()
}
