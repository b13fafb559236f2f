package deliver

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestReadReply(t *testing.T) {
	tests := []struct {
		name, in       string
		code           int
		enhanced, text string
		err            error
	}{
		{"one line", "250 2.1.0 ok\r\n", 250, "2.1.0", "ok", nil},
		{"bare LF", "250 ok\n", 250, "", "ok", nil},
		{"only a code", "354\r\n", 354, "", "", nil},
		{"code and blank", "250 \r\n", 250, "", "", nil},
		{"many lines", "550-5.7.1 no\r\n550-5.7.1\r\n550 5.7.1 really\r\n", 550, "5.7.1", "no really", nil},
		{"enhanced code of another class", "250 5.7.1 odd\r\n", 250, "", "5.7.1 odd", nil},
		{"not an enhanced code", "451 4.7.1000 4.7\r\n", 451, "", "4.7.1000 4.7", nil},
		{"enhanced code with garbage", "451 4.7.1x\r\n", 451, "", "4.7.1x", nil},
		{"controls", "550 a\x00b\x1b[1m\xffc\tend\r\n", 550, "", "a?b?[1m?c end", nil},
		{"codes differ", "250-a\r\n251 b\r\n", 0, "", "", errReply},
		{"letters", "ok\r\n", 0, "", "", errReply},
		{"code 199", "199 x\r\n", 0, "", "", errReply},
		{"code 600", "600 x\r\n", 0, "", "", errReply},
		{"no blank", "250x\r\n", 0, "", "", errReply},
		{"empty line", "\r\n", 0, "", "", errReply},
		{"end", "", 0, "", "", io.EOF},
		{"end in a line", "250 o", 0, "", "", io.EOF},
		{"end in a reply", "250-ok\r\n", 0, "", "", io.EOF},
		{"long line", "250 " + strings.Repeat("x", replyBudget) + "\r\n", 0, "", "", errReply},
		{"many long lines", strings.Repeat("250-"+strings.Repeat("x", 1000)+"\r\n", 100), 0, "", "", errReply},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readReply(bufio.NewReader(strings.NewReader(tt.in)))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err == nil && (got.code != tt.code || got.enhanced != tt.enhanced || got.text() != tt.text) {
				t.Errorf("%d, %q, %q", got.code, got.enhanced, got.text())
			}
		})
	}
}

// A reply is read to its end and no further.
func TestReadReplyLeavesTheNext(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("250-a\r\n250 b\r\n451 c\r\n"))
	for _, want := range []int{250, 451} {
		if got, err := readReply(r); err != nil || got.code != want {
			t.Fatalf("%d, %v, want %d", got.code, err, want)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add("220 mx.example.net ESMTP\r\n")
	f.Add("250-mx\r\n250-SIZE 1000\r\n250 8BITMIME\r\n")
	f.Add("550 5.7.1 \x1b[31m\xff\r\n")
	f.Add("250-\r\n251 \r\n")
	f.Fuzz(func(t *testing.T, in string) {
		source := strings.NewReader(in)
		got, err := readReply(bufio.NewReader(source))
		if err != nil {
			return
		}
		if got.code < 200 || got.code > 599 || len(got.lines) == 0 {
			t.Fatalf("code %d, %d lines", got.code, len(got.lines))
		}
		text := got.text()
		if !utf8.ValidString(text) || len(text) > textBudget || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Fatalf("text %q", text)
		}
		for _, stage := range []string{stageMail, stageRcpt, stageData, stageDot} {
			checkVerdict(t, stage, got.code, verdict(stage, got.code, got.enhanced, text))
		}
		offered(got.lines).sizeLimit()
	})
}
