package compose_test

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"golang.org/x/text/width"
	"pgregory.net/rapid"

	"lull/digest/compose"
)

// parsed is a digest as go-message reads it.
type parsed struct {
	header     message.Header
	text, html []byte
	files      map[string][]byte
}

func parse(t rapid.TB, raw []byte) parsed {
	t.Helper()
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{header: e.Header, files: map[string][]byte{}}
	err = e.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		kind, _, err := e.Header.ContentType()
		if err != nil || strings.HasPrefix(kind, "multipart/") {
			return err
		}
		body, err := io.ReadAll(e.Body)
		switch kind {
		case "text/plain":
			p.text = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
		case "text/html":
			p.html = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
		default:
			_, params, _ := e.Header.ContentDisposition()
			p.files[params["filename"]] = body
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// check holds a digest to what every digest promises.
func check(t rapid.TB, in compose.Input, raw []byte, told compose.Told, p parsed) {
	t.Helper()
	checkBytes(t, in, raw)
	if told.Bytes != len(raw) {
		t.Errorf("told %d bytes of %d", told.Bytes, len(raw))
	}
	checkText(t, string(p.text))
	checkCounts(t, in, told, p)
	checkPage(t, string(p.html))
}

func checkBytes(t rapid.TB, in compose.Input, raw []byte) {
	t.Helper()
	most := max(in.MaxBytes, compose.MinBytes)
	if in.MaxBytes == 0 {
		most = compose.DefaultBytes
	}
	if len(raw) > most {
		t.Errorf("%d bytes, at most %d", len(raw), most)
	}
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for _, l := range strings.Split(string(header), "\r\n") {
		if len(l) > 78 && !strings.HasPrefix(l, "To:") && !strings.HasPrefix(l, "List-Id:") {
			t.Errorf("header line of %d bytes: %q", len(l), l)
		}
	}
	for _, l := range strings.Split(string(raw), "\r\n") {
		if len(l) > 998 {
			t.Errorf("line of %d bytes", len(l))
		}
		for i := range len(l) {
			if l[i] < ' ' && l[i] != '\t' || l[i] > '~' {
				t.Fatalf("byte %#x in %q", l[i], l)
			}
		}
	}
}

func checkText(t rapid.TB, s string) {
	t.Helper()
	for _, l := range strings.Split(s, "\n") {
		if n := wide(l); n > 78 {
			t.Errorf("line of %d columns: %q", n, l)
		}
	}
	checkClean(t, s)
}

// wide counts columns on its own.
func wide(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

func checkClean(t rapid.TB, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Error("invalid UTF-8")
	}
	depth := 0
	for _, r := range s {
		switch {
		case r == '\u2068':
			depth++
		case r == '\u2069':
			depth--
		case r == '\n':
			if depth != 0 {
				t.Error("an isolate is open at the end of a line")
			}
			depth = 0
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			t.Fatalf("character %U", r)
		}
		if depth < 0 {
			t.Fatal("an isolate ends that did not begin")
		}
	}
}

var (
	account = regexp.MustCompile(`(?m)^([\d,]+) mails? = ((?:.|\n)+?)\n(?:[A-Z]|\d+ original|lull)`)
	number  = regexp.MustCompile(`[\d,]+`)
	tag     = regexp.MustCompile(`<([^>]*)>?`)
	allowed = regexp.MustCompile(`^(!doctype html|(html|head|meta|title|style|body|div|p|h2|span|b|pre|code|br|table|tr|td)( (lang|charset|name|content|class|style|role|align|cellpadding|cellspacing)="[^"<>]*")*|/\w+)$`)
	remote  = regexp.MustCompile(`(?i)url\(|@import|expression\(|refresh`)
)

// checkCounts recounts the cut.
func checkCounts(t rapid.TB, in compose.Input, told compose.Told, p parsed) {
	t.Helper()
	silenced := 0
	for _, e := range in.Entries {
		if e.Copy.Silenced != "" {
			silenced++
		}
	}
	if told.Copies != in.Batch.Copies || told.Silenced != silenced {
		t.Errorf("told %d copies, %d silenced; the batch has %d, %d", told.Copies, told.Silenced, in.Batch.Copies, silenced)
	}
	subject, err := p.header.Text("Subject")
	if err != nil || !strings.Contains(subject, "("+grouped(in.Batch.Copies)) {
		t.Errorf("subject %q, %v", subject, err)
	}
	if n := p.header.Get("X-Lull-Copies"); n != strconv.Itoa(in.Batch.Copies) {
		t.Errorf("the header says %s mails", n)
	}
	m := account.FindStringSubmatch(string(p.text))
	if m == nil {
		return // one part only
	}
	sum := 0
	for _, n := range number.FindAllString(m[2], -1) {
		sum += plain(n)
	}
	if sum != in.Batch.Copies || plain(m[1]) != in.Batch.Copies {
		t.Errorf("parts add up to %d, the batch has %d: %q", sum, in.Batch.Copies, m[0])
	}
}

func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n) + " mail"
	}
	return strconv.Itoa(n/1000) + "," + strconv.Itoa(1000 + n%1000)[1:] + " mail"
}

func plain(s string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(strings.ReplaceAll(s, ",", "")))
	return n
}

func checkPage(t rapid.TB, s string) {
	t.Helper()
	checkClean(t, s)
	for _, m := range tag.FindAllStringSubmatch(s, -1) {
		if !allowed.MatchString(m[1]) || remote.MatchString(m[1]) {
			t.Errorf("the page has a tag %q", m[0])
		}
	}
}
