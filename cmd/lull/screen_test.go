package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"lull/relay/admin"
)

func TestPlainTakesTheTeethOutOfText(t *testing.T) {
	for in, want := range map[string]string{
		"disk full":               "disk full",
		"a\tb\nc\r\n":             "a b c  ",
		"\x1b[31mred":             "\uFFFD[31mred",
		"evil\u202Egnp.exe":       "evil\uFFFDgnp.exe",
		"\u009b2J":                "\uFFFD2J",
		"zero\u200bwidth":         "zero\uFFFDwidth",
		"Überlauf 磁盘 عربي":        "Überlauf 磁盘 عربي",
		string([]byte{'x', 0xff}): "x\uFFFD",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestATerminalGetsAScreenful, and is told how many more there are; a pipe
// gets everything, and so does JSON.
func TestATerminalGetsAScreenful(t *testing.T) {
	for _, test := range []struct {
		name  string
		s     screen
		limit int
		want  admin.Page
	}{
		{"terminal", screen{rows: 24, columns: 80}, screenful, admin.Page{Limit: 21, Count: true}},
		{"tiny terminal", screen{rows: 4, columns: 80}, screenful, admin.Page{Limit: 5, Count: true}},
		{"terminal, limit", screen{rows: 24, columns: 80}, 7, admin.Page{Limit: 7, Count: true}},
		{"terminal, all", screen{rows: 24, columns: 80}, 0, admin.Page{}},
		{"terminal, JSON", screen{rows: 24, columns: 80, json: true}, screenful, admin.Page{}},
		{"pipe", screen{}, screenful, admin.Page{}},
		{"pipe, limit", screen{}, 7, admin.Page{Limit: 7}},
	} {
		p := pages{limit: test.limit}
		got, err := p.page(&test.s)
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

func TestTablesAlignAndFit(t *testing.T) {
	var out, errs bytes.Buffer
	s := &screen{out: &out, errs: &errs, rows: 24, columns: 20}
	tab := table[string]{screen: s, columns: []column[string]{
		{"A", func(v string) string { return v[:1] }},
		{"LONG HEAD", func(v string) string { return v }},
		{"LAST", func(v string) string { return v + v }},
	}}
	for _, v := range []string{"abc", "x\ny", "abcdefghijkl"} {
		if err := tab.row(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := tab.flush(); err != nil {
		t.Fatal(err)
	}
	want := "A  LONG HEAD     LA…\na  abc           ab…\nx  x y           x …\na  abcdefghijkl  ab…\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestLongTablesComeInPieces: the first rows do not wait for the last.
func TestLongTablesComeInPieces(t *testing.T) {
	var out bytes.Buffer
	tab := table[int]{screen: &screen{out: &out}, columns: []column[int]{{"N", func(n int) string { return fmt.Sprint(n) }}}}
	for n := range alignedRows + 10 {
		if n == alignedRows && !strings.HasPrefix(out.String(), "N\n0\n1\n") {
			t.Errorf("nothing was printed after %d rows", n)
		}
		if err := tab.row(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := tab.flush(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "\n"); got != alignedRows+11 {
		t.Errorf("%d lines", got)
	}
}

func TestMboxIsReadAsItWasWritten(t *testing.T) {
	text := "From root@a.example Mon Oct  7 15:45:01 2019\nSubject: one\n\n>From here\n>>From there\nFrom inside\n\nFrom MAILER-DAEMON Mon Oct  7 15:45:01 2019\nSubject: two\n\nbody"
	var got []mailFile
	mailsOf("box", strings.NewReader(text), func(m mailFile, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
		return true
	})
	if len(got) != 2 {
		t.Fatalf("%d mails", len(got))
	}
	if want := "Subject: one\n\nFrom here\n>From there\nFrom inside\n\n"; string(got[0].raw) != want || got[0].from != "root@a.example" {
		t.Errorf("first: %q from %q", got[0].raw, got[0].from)
	}
	if string(got[1].raw) != "Subject: two\n\nbody" || got[1].from != "" || got[1].name != "box#2" {
		t.Errorf("second: %+v", got[1])
	}
}

// FuzzMbox: whatever a file holds, the mails in it are no longer than it, and
// a caller who has enough is left alone.
func FuzzMbox(f *testing.F) {
	f.Add([]byte("From a@b x\nSubject: x\n\nFrom b\n\nFrom c@d\n\n"), 1)
	f.Add([]byte("Subject: x\n\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, enough int) {
		total, n := 0, 0
		mailsOf("f", bytes.NewReader(data), func(m mailFile, err error) bool {
			if err != nil {
				t.Fatal(err)
			}
			total, n = total+len(m.raw), n+1
			return n != enough
		})
		if total > len(data) || enough > 0 && n > enough {
			t.Fatalf("%d bytes in %d mails of %d bytes, %d were enough", total, n, len(data), enough)
		}
	})
}
