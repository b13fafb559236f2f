package compose

import "strings"

// plain is the story as plain text: lines of at most textColumns columns that
// end in "\n".
func (s *story) plain() string {
	var t text
	t.flow("", s.Summary)
	if s.Chart != nil {
		t.gap()
		t.line(s.Chart.From + " |" + s.Chart.String() + "| " + s.Chart.To)
		t.flow(strings.Repeat(" ", columns(s.Chart.From)+2), s.Chart.Most)
	}
	for _, n := range s.Notes {
		t.gap()
		t.flow("! ", n)
	}
	for i := range s.Sections {
		t.section(&s.Sections[i])
	}
	t.gap()
	t.line("-- ")
	t.flow("", s.Account)
	t.flow("", s.Left)
	t.command("", s.Command)
	for _, f := range s.Foot {
		t.flow("", f)
	}
	return t.String()
}

// text is plain text in the making.
type text struct{ strings.Builder }

func (t *text) line(s string) {
	t.WriteString(s)
	t.WriteByte('\n')
}

func (t *text) gap() { t.WriteByte('\n') }

// flow writes a text over as many lines as it takes, indented like its lead.
func (t *text) flow(lead, s string) { t.hang(lead, strings.Repeat(" ", columns(lead)), s) }

// hang writes a text of which all lines but the first begin with next.
func (t *text) hang(lead, next, s string) {
	for _, l := range wrap(lead, next, s) {
		t.line(l)
	}
}

// command writes a command line; where it is too long it goes on after "\".
func (t *text) command(indent, s string) {
	lines := wrap(indent+"  ", indent+"    ", s)
	for i, l := range lines {
		if i < len(lines)-1 {
			l += " \\"
		}
		t.line(l)
	}
}

func (t *text) section(s *section) {
	t.gap()
	t.heading(s.Title, s.Count)
	t.flow("  ", s.Lead)
	for _, n := range s.Notes {
		t.flow("  ", n)
	}
	spaced := s.Lead != "" || len(s.Notes) > 0
	for i := range s.Lines {
		l := &s.Lines[i]
		if spaced || l.Full {
			t.gap()
		}
		spaced = l.Full
		t.incident(l)
	}
	if s.Rest != "" {
		t.gap()
		t.flow("  ", s.Rest)
		t.command("  ", s.Command)
	}
}

// heading is the title on the left, the count on the right, and a rule.
func (t *text) heading(title, count string) {
	title = strings.ToUpper(title)
	gap := strings.Repeat(" ", max(2, textColumns-columns(title)-columns(count)))
	t.line(strings.TrimRight(title+gap+count, " "))
	t.line(strings.Repeat("-", textColumns))
}

func (t *text) incident(l *line) {
	switch {
	case l.When != "":
		t.flow("  "+l.When+"  ", l.Title+"; "+strings.Join(l.Facts, "; "))
		return
	case l.Label != "":
		t.hang("  "+strings.ToUpper(l.Label)+"  ", "    ", l.Title)
	default:
		t.hang("  ", "    ", l.Title)
	}
	t.flow("    ", strings.Join(l.Facts, "; "))
	for _, e := range l.Excerpt {
		t.hang("    | ", "    | ", e)
	}
	if l.ID != "" {
		t.line("    " + l.ID)
	}
}
