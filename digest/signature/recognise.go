package signature

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lull/store"
)

// recognise finds the format that fits the mail best, or takes its template.
// Of one format the first layout that matches counts. The order of formats
// never matters: the layout that pins down most text wins, and among equals
// the first by name.
func (m *mail) recognise() finding {
	best, taken := m.known()
	if best == nil {
		best, taken = m.untagged()
	}
	if best == nil {
		return m.generic()
	}
	return best.read(m, taken)
}

// untagged looks for a format behind a tag that somebody's filter put before
// the subject: "[External] Device web1 recovered from …".
func (m *mail) untagged() (*format, fields) {
	tag, rest, found := strings.Cut(m.bare, "] ")
	if !found || tag == "" || tag[0] != '[' || len(tag) > 40 || rest == "" {
		return nil, fields{}
	}
	if _, tells := verdictOf(tag); tells {
		return nil, fields{}
	}
	whole, folded := m.bare, m.bareFolded
	m.bare, m.bareFolded = rest, strings.ToLower(rest)
	best, taken := m.known()
	if best == nil {
		m.bare, m.bareFolded = whole, folded
	}
	return best, taken
}

// known finds the format that fits the mail best, and what its layout takes.
func (m *mail) known() (best *format, taken fields) {
	var matched *format
	var bestScore int
	m.bareLetters = lettersOf(m.bareFolded)
	for _, c := range index()[firstByte(m.bareFolded)] {
		if c.format == matched || !c.layout.mayMatch(m) {
			continue
		}
		var got fields
		if !c.layout.match(m, &got) {
			continue
		}
		matched = c.format
		if c.layout.score > bestScore {
			best, bestScore, taken = c.format, c.layout.score, got
		}
	}
	return best, taken
}

// mayMatch is a quick look at the literal text of the rules.
func (l *layout) mayMatch(m *mail) bool {
	for i := range l.rules {
		r := &l.rules[i]
		switch r.place {
		case inSubject:
			if !m.bareLetters.hasAll(&r.letters) || !r.template.mayMatch(m.bareFolded) {
				return false
			}
		case inFrom:
			if !r.template.mayMatch(m.fromFolded) {
				return false
			}
		case inHeader:
			if !m.header.has(r.name) {
				return false
			}
		}
	}
	return true
}

func (l *layout) match(m *mail, to *fields) bool {
	for i := range l.rules {
		if !l.rules[i].match(m, to) {
			return false
		}
	}
	return true
}

// match looks for the first place in the mail where the rule fits.
func (r *rule) match(m *mail, to *fields) bool {
	switch r.place {
	case inSubject:
		return r.matchText(m.bare, to)
	case inFrom:
		return r.matchText(m.from.text, to)
	case inHeader:
		return m.header.has(r.name) && r.matchText(clean(decodeWords(m.header.get(r.name)), maxLine), to)
	}
	for i := range m.textLines() {
		if r.matchLine(m, i, to) {
			return true
		}
	}
	return false
}

// lineShape is what rules look at first in a line of the text.
type lineShape struct {
	letters letterSet
	bullet  uint8 // bytes of the mark of a list's item
	quoted  bool  // somebody quotes it: it never matches
}

// textLines looks at the lines, once for those mails whose format needs it.
func (m *mail) textLines() []lineShape {
	if m.shapes == nil {
		m.shapes = make([]lineShape, len(m.lines))
		for i, line := range m.lines {
			m.shapes[i] = lineShape{lettersOf(line), uint8(len(line) - len(withoutBullet(line))), strings.HasPrefix(line, "> ")}
		}
	}
	return m.shapes
}

// mayMatchLine is a quick look whether a rule may match a line.
func (r *rule) mayMatchLine(m *mail, at int) bool {
	shape, wanted := &m.shapes[at], &r.letters
	if r.place == belowLine {
		wanted = &r.label.letters
	}
	return shape.letters.hasAll(wanted) && !shape.quoted && m.lines[at] != ""
}

// matchLine matches the line at an index, or the one below a label.
func (r *rule) matchLine(m *mail, at int, to *fields) bool {
	if !r.mayMatchLine(m, at) {
		return false
	}
	text := m.lines[at][m.shapes[at].bullet:]
	if r.place != belowLine {
		return r.matchText(text, to)
	}
	if !r.label.match(text, to) {
		return false
	}
	for _, line := range m.lines[at+1:] {
		if line != "" {
			return r.matchText(line, to)
		}
	}
	return false
}

// withoutBullet takes the mark of a list's item off a line.
func withoutBullet(line string) string {
	if line == "" || line[0] != '-' && line[0] != '*' && line[0] < 0x80 {
		return line
	}
	for _, bullet := range [...]string{"- ", "* ", "• "} {
		if rest, found := strings.CutPrefix(line, bullet); found {
			return rest
		}
	}
	return line
}

func (r *rule) matchText(text string, to *fields) bool {
	if !r.template.match(text, to) {
		return false
	}
	for _, set := range r.sets {
		to[set.field] = set.value
	}
	return true
}

// filling is what a format's rules have taken from a mail so far.
type filling struct {
	top      fields
	taken    fieldSet // of top, from the body: the first line that tells wins
	records  []fields
	inRecord fieldSet // of the last record, from its own lines
}

// fieldSet is a set of fields by number.
type fieldSet uint32

func (s fieldSet) has(i int) bool { return s&(1<<i) != 0 }
func (s *fieldSet) add(i int)     { *s |= 1 << i }

// read reads a mail of this format, of which a layout has taken some fields.
func (f *format) read(m *mail, taken fields) finding {
	m.note("format", f.name)
	fill := filling{top: taken}
	for i := range f.takes {
		if r := &f.takes[i]; r.place < inLine {
			var got fields
			if r.match(m, &got) {
				fill.section(&got)
			}
		}
	}
	for at := range m.textLines() {
		f.readLine(m, at, &fill)
	}
	f.tell(m, &fill)
	return f.finding(m, &fill)
}

// tell notes the fields that were taken.
func (f *format) tell(m *mail, fill *filling) {
	if m.steps == nil {
		return
	}
	from := &fill.top
	if len(fill.records) > 0 {
		from = &fill.records[0]
		m.note("records", strconv.Itoa(len(fill.records)))
	}
	for _, name := range slices.Sorted(maps.Keys(f.names)) {
		if text := from[f.names[name]]; text != "" {
			m.note("field", name+" = "+text)
		}
	}
}

// readLine gives one line to all rules that look at lines, but begins no more
// than one record with it.
func (f *format) readLine(m *mail, at int, fill *filling) {
	begun := false
	for i := range f.takes {
		r := &f.takes[i]
		if r.place < inLine || r.place == inRecord && begun || !r.mayMatchLine(m, at) {
			continue
		}
		var got fields
		if !r.matchLine(m, at, &got) {
			continue
		}
		switch r.place {
		case inRecord:
			fill.record(&got)
			begun = true
		case inSection:
			fill.records = slices.Clip(fill.records)
			fill.inRecord = ^fieldSet(0)
			fill.section(&got)
		default:
			fill.line(&got, r.sets)
		}
	}
}

// section sets fields for all that follows.
func (l *filling) section(got *fields) {
	for i, text := range got {
		if text != "" {
			l.top[i] = text
		}
	}
}

// record begins a record, which knows what holds above it.
func (l *filling) record(got *fields) {
	if len(l.records) == maxReports {
		return
	}
	record := l.top
	l.inRecord = 0
	for i, text := range got {
		if text != "" {
			record[i] = text
			l.inRecord.add(i)
		}
	}
	l.records = append(l.records, record)
}

// line adds what one line tells to the record it stands in, or to the mail.
func (l *filling) line(got *fields, sets []setting) {
	to, taken := &l.top, &l.taken
	if n := len(l.records); n > 0 && l.inRecord != ^fieldSet(0) {
		to, taken = &l.records[n-1], &l.inRecord
	}
	for i, text := range got {
		if text != "" && !taken.has(i) {
			to[i] = text
			taken.add(i)
		}
	}
	for _, set := range sets {
		to[set.field] = set.value
	}
}

// finding makes the outputs of the format from the fields.
func (f *format) finding(m *mail, fill *filling) finding {
	out := finding{format: f.name, family: f.family, recovers: f.recovers, sender: f.sender}
	from := &fill.top
	if len(fill.records) == 0 {
		out.reports = []store.Report{f.report(from)}
	}
	for i := range fill.records {
		if r := f.report(&fill.records[i]); !slices.Contains(out.reports, r) {
			out.reports = append(out.reports, r)
		}
	}
	out.reports = withoutStarts(out.reports)
	slices.SortStableFunc(out.reports, func(a, b store.Report) int { return rank(a) - rank(b) })
	host := hostOf(out.reports[0].Object)
	key := f.commonKey(m, fill, host)
	out.core = strings.ToLower(strings.Join(strings.Fields(key), " "))
	if out.title = firstText(f.title, from, host); out.title == "" {
		out.title = key
	}
	if out.variant = firstText(f.variant, from, ""); out.variant == "" {
		out.variant = m.informative(0)
	}
	out.variant = string(appendTitle(nil, out.variant, ""))
	m.note("key", key)
	for _, r := range out.reports {
		m.note("report", tellReport(r))
	}
	return out
}

// hostOf is the host in the name of an object: "web1" of "web1 /var", nothing
// of "Zabbix server".
func hostOf(object string) string {
	host, _, more := strings.Cut(object, " ")
	if more && !looksLikeHost(host) && strings.IndexByte(host, '.') < 0 {
		return ""
	}
	return host
}

// withoutStarts leaves out that an object has started where the same mail tells
// how it went on.
func withoutStarts(reports []store.Report) []store.Report {
	return slices.DeleteFunc(slices.Clone(reports), func(r store.Report) bool {
		return r.Kind == kindStarted && slices.ContainsFunc(reports, func(other store.Report) bool {
			return other.Kind != kindStarted && other.Object == r.Object
		})
	})
}

// commonKey is the key that all records agree on, else that of the mail, else
// of the record that tells the worst, else the template of the subject.
func (f *format) commonKey(m *mail, fill *filling, host string) string {
	key := ""
	for i := range fill.records {
		switch one := firstText(f.key, &fill.records[i], host); {
		case i == 0:
			key = one
		case one != key:
			key = ""
		}
		if key == "" {
			break
		}
	}
	if key == "" {
		key = firstText(f.key, &fill.top, host)
	}
	if key == "" && len(fill.records) > 0 {
		key = firstText(f.key, f.worst(fill.records), host)
	}
	if key == "" { // cut short, or said in other words
		key = string(appendCore(nil, m.bare, host))
	}
	return key
}

// worst is the record that tells the worst, the first of several.
func (f *format) worst(records []fields) *fields {
	worst, least := 0, rank(f.report(&records[0]))
	for i := range records[1:] {
		if r := rank(f.report(&records[i+1])); r < least {
			worst, least = i+1, r
		}
	}
	return &records[worst]
}

// report makes a report of a record.
func (f *format) report(from *fields) store.Report {
	r := store.Report{State: store.Problem}
	told := false
	for _, o := range f.state {
		text, ok := o.text(from, "")
		if !ok {
			continue
		}
		v, known := f.verdictOf(text)
		switch {
		case !known:
			continue
		case !told:
			r.State, r.Kind, told = v.state, v.kind, true
		case r.State == store.Problem && v.state == store.Recovery:
			r.State, r.Severity = v.state, "" // "PROBLEM … is OK"
		}
		if r.Severity == "" && r.State == store.Problem {
			r.Severity = v.severity
		}
	}
	if v, known := f.verdictOf(firstText(f.severity, from, "")); known {
		r.Severity = v.severity
	}
	r.Object = objectName(firstText(f.object, from, ""))
	r.Time = parseTime(firstText(f.time, from, ""))
	return r
}

// tellReport is a report on one line, for people.
func tellReport(r store.Report) string {
	words := []string{cmp.Or(r.Object, "(no object)"), string(r.State), r.Kind, string(r.Severity)}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ", ")
}

// objectName is the name of an object as it is compared: in lower case.
func objectName(text string) string {
	return strings.ToLower(strings.Trim(clean(text, maxField), " .,;:"))
}
