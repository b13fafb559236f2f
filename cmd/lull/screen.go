package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"lull/relay/admin"
)

// screen is where a command writes: a terminal, or something that reads.
type screen struct {
	out, errs io.Writer
	json      bool
	// rows and columns of the terminal; 0 when out is none.
	rows, columns int
	// calm ends the sign of life that a terminal shows while nothing else is
	// written.
	calm func()
}

func newScreen(out, errs io.Writer) *screen {
	s := &screen{out: out, errs: errs}
	if f, ok := out.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
			s.rows, s.columns = int(size.Row), int(size.Col)
		}
	}
	return s
}

// object writes one JSON object on a line.
func (s *screen) object(v any) error {
	e := json.NewEncoder(s)
	e.SetEscapeHTML(false) // subjects are for people, too
	return e.Encode(v)
}

// either writes an answer as JSON, or as text for people.
func (s *screen) either(v any, text string) error {
	if s.json {
		return s.object(v)
	}
	return s.write(text)
}

func (s *screen) say(format string, args ...any) error {
	return s.write(fmt.Sprintf(format, args...) + "\n")
}

func (s *screen) write(text string) error {
	_, err := io.WriteString(s, text)
	return err
}

// Write makes the screen a writer, for what is copied byte for byte.
func (s *screen) Write(b []byte) (int, error) {
	s.quiet()
	return s.out.Write(b)
}

// note tells people something that is no part of the output.
func (s *screen) note(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.errs, format+"\n", args...)
	}
}

// column of a table: its head, and the cell of a row.
type column[T any] struct {
	head string
	cell func(T) string
}

// alignedRows are aligned with one another; a longer table starts a new
// alignment, so that it can be printed as it arrives.
const alignedRows = 500

// table writes rows in columns. The last column takes what width is left.
type table[T any] struct {
	screen  *screen
	columns []column[T]
	rows    [][]string
	begun   bool
}

func (t *table[T]) row(v T) error {
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		cells[i] = plain(c.cell(v))
	}
	if t.rows = append(t.rows, cells); len(t.rows) < alignedRows {
		return nil
	}
	return t.flush()
}

func (t *table[T]) flush() error {
	text := &strings.Builder{}
	w := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	if !t.begun && len(t.rows) > 0 {
		heads := make([]string, len(t.columns))
		for i, c := range t.columns {
			heads[i] = c.head
		}
		fmt.Fprintln(w, strings.Join(heads, "\t"))
		t.begun = true
	}
	for _, cells := range t.rows {
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	t.rows = t.rows[:0]
	if err := w.Flush(); err != nil {
		return err
	}
	return t.screen.write(t.screen.fitted(text.String()))
}

// fitted cuts lines at the terminal's edge, and blanks at their end.
func (s *screen) fitted(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " ")
		if s.columns > 0 && utf8.RuneCountInString(line) > s.columns {
			line = string([]rune(line)[:s.columns-1]) + "…"
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// plain makes a text safe for a terminal and a table: no control characters,
// no marks that turn the direction of what follows.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return '\uFFFD'
		}
		return r
	}, text)
}

// print writes a list as it arrives: JSON, or a table. none is what there is
// to say when it is empty. It reports how many lines there were.
func print[T any](s *screen, l *admin.Lines[T], none string, columns []column[T]) (int, error) {
	t := table[T]{screen: s, columns: columns}
	n := 0
	for v, err := range l.All() {
		if err != nil {
			_ = t.flush() // what came before the fault is true
			return n, err
		}
		n++
		if s.json {
			err = s.object(v)
		} else {
			err = t.row(v)
		}
		if err != nil {
			return n, err
		}
	}
	if n == 0 {
		s.note("%s", none)
	}
	return n, t.flush()
}
