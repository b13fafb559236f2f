package deliver

import (
	"strings"
	"testing"

	"lull/store"
)

func TestPath(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"a@example.org", "a@example.org"},
		{"a.b+c=d@sub.example.org", "a.b+c=d@sub.example.org"},
		{`"a b"@example.org`, `"a b"@example.org`},
		{`a b@example.org`, `"a b"@example.org`},
		{`"ab"@example.org`, `ab@example.org`},
		{`"a\"b"@example.org`, `"a\"b"@example.org`},
		{`"a\b"@example.org`, `ab@example.org`},
		{`a\b@example.org`, `"a\\b"@example.org`},
		{`"a@b"@example.org`, `"a@b"@example.org`},
		{`a@b@example.org`, `"a@b"@example.org`},
		{`"a"b"@example.org`, `"\"a\"b\""@example.org`},
		{`"a\"@example.org`, `"\"a\\\""@example.org`},
		{`a..b@example.org`, `"a..b"@example.org`},
		{`.a@example.org`, `".a"@example.org`},
		{`x> NOTIFY=NEVER@example.org`, `"x> NOTIFY=NEVER"@example.org`},
		{`@relay.example,@other.example:a@example.org`, `"@relay.example,@other.example:a"@example.org`},
		{"postmaster", "postmaster"},
		{"a@[192.0.2.1]", "a@[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
		{"a@host_1.example", "a@host_1.example"},
		{"a@example.org.", "a@example.org."},
		{"jörg@münchen.example", "jörg@münchen.example"},
		{"用户@例子.example", "用户@例子.example"},
	}
	for _, tt := range tests {
		got, err := path(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("path(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestPathRefused(t *testing.T) {
	for _, in := range []string{
		"@example.org", `""@example.org`, "a@", "a@b..c", "a@ex ample", "a@exam>ple", "a@example.org>", "a@[]", "a@[192.0.2.1",
		"a@[192.0.2.1] SIZE=1", "a b", "a\r\nRSET@example.org", "a@example.org\n", "a\x00@example.org", "a\x7f@example.org",
		"a\u0085@example.org", "a\u2028b@example.org", "a\u00a0@example.org", "a@ex\u3000ample", "\xff@example.org",
		strings.Repeat("a", pathLimit) + "@example.org",
	} {
		if got, err := path(in); err == nil {
			t.Errorf("path(%q) = %q", in, got)
		}
	}
}

// FuzzPath holds what matters: an address that is written stands in the
// brackets as one path and nothing after it.
func FuzzPath(f *testing.F) {
	f.Add(`"a b"@example.org`)
	f.Add(`x> NOTIFY=NEVER@example.org`)
	f.Add("a\r\nRSET@x")
	f.Add("用户@例子.example")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := path(in)
		if err != nil {
			return
		}
		if hasControl(got) || strings.ContainsAny(got, "\r\n") {
			t.Fatalf("%q has a control character", got)
		}
		if end := endOfPath("<" + got + ">"); end != len(got)+2 {
			t.Fatalf("the path of <%s> ends at %d", got, end)
		}
		if again, err := path(got); err != nil || again != got {
			t.Fatalf("%q again: %q, %v", got, again, err)
		}
	})
}

// endOfPath reads as a server does: up to the first ">" outside of quotes.
func endOfPath(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted, s[i] == ' ' && !quoted:
			return i + 1
		}
	}
	return 0
}

func TestORcpt(t *testing.T) {
	tests := []struct {
		in   string
		utf8 bool
		want string
	}{
		{"rfc822;a@example.org", false, "rfc822;a@example.org"},
		{"rfc822;a+b=c d@example.org", false, "rfc822;a+2Bb+3Dc+20d@example.org"},
		{"x-local;a", false, "x-local;a"},
		{"utf-8;jörg+x@example.org", false, `utf-8;j\x{F6}rg\x{2B}x@example.org`},
		{"utf-8;jörg x@example.org", true, `utf-8;jörg\x{20}x@example.org`},
		{"rfc822;jörg@example.org", false, ""},
		{"rfc822;a\r\nRSET", false, ""},
		{"utf-8;a\r\nRSET", true, ""},
		{"utf-8;\xff", true, ""},
		{"rfc822", false, ""},
		{";a", false, ""},
		{"rfc822;", false, ""},
		{"rfc 822;a", false, ""},
	}
	for _, tt := range tests {
		if got := orcpt(tt.in, tt.utf8); got != tt.want {
			t.Errorf("orcpt(%q, %v) = %q, want %q", tt.in, tt.utf8, got, tt.want)
		}
	}
}

// Parameters that are not well-formed never reach the wire.
func TestParametersRefused(t *testing.T) {
	ext := extensions{"DSN": "", "SIZE": "", "8BITMIME": "", "SMTPUTF8": ""}
	got := mailLine("a@example.org", store.Outgoing{Ret: "FULL\r\nRSET", EnvID: "x\r\nRSET"}, ext)
	if got != "MAIL FROM:<a@example.org>" {
		t.Errorf("%q", got)
	}
	for _, notify := range [][]string{{"NEVER", "DELAY"}, {"SUCCESS\r\nRSET"}, {"SUCCESS", "SUCCESS"}, {""}, {}} {
		if got := rcptLine("b@example.net", store.Target{Notify: notify}, ext); got != "RCPT TO:<b@example.net>" {
			t.Errorf("%q", got)
		}
	}
}
