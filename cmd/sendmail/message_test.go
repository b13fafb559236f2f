package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	for in, want := range map[string][2]string{ // with a lone dot as the end, and as text
		"a\nb\n":             {"a\r\nb\r\n", "a\r\nb\r\n"},
		"a\r\nb":             {"a\r\nb\r\n", "a\r\nb\r\n"},
		"a\n.\nb\n":          {"a\r\n", "a\r\n.\r\nb\r\n"},
		"a\r\n.\r\nb\r\n":    {"a\r\n", "a\r\n.\r\nb\r\n"},
		"a\n.":               {"a\r\n", "a\r\n.\r\n"},
		"a\n..\n.b\n":        {"a\r\n..\r\n.b\r\n", "a\r\n..\r\n.b\r\n"},
		"a\rb\x00\xff\r\r\n": {"a\rb\x00\xff\r\r\n", "a\rb\x00\xff\r\r\n"},
		"":                   {"", ""},
	} {
		for i, dots := range []bool{false, true} {
			if got, err := read(strings.NewReader(in), dots); err != nil || string(got) != want[i] {
				t.Errorf("read(%q, %v) = %q, %v; expected %q", in, dots, got, err, want[i])
			}
		}
	}
}

// TestComplete shows messages before and after; what is drawn at random is
// masked.
func TestComplete(t *testing.T) {
	s := settings{Domain: "example.org", Hostname: "web1.example.org"}
	now := time.Date(2019, 10, 7, 8, 5, 0, 0, time.UTC)
	const received = "Received: by web1.example.org (lull sendmail, from uid 33); Mon, 07 Oct 2019 08:05:00 +0000\r\n"
	const date, id = "Date: Mon, 07 Oct 2019 08:05:00 +0000\r\n", "Message-ID: <20191007080500.X@web1.example.org>\r\n"
	const from = "From: \"Web Server\" <www@example.org>\r\n"
	for name, c := range map[string]struct{ in, out string }{
		"text alone":           {"disk full\r\nnow\r\n", date + id + from + "\r\ndisk full\r\nnow\r\n"},
		"text with a colon":    {"disk full: now\r\n", date + id + from + "\r\ndisk full: now\r\n"},
		"nothing":              {"", date + id + from + "\r\n"},
		"an empty header":      {"\r\nTo: text\r\n", date + id + from + "\r\nTo: text\r\n"},
		"all there":            {"From: a@b\r\nDATE: x\r\nmessage-id: y\r\n\r\nz\r\n", "From: a@b\r\nDATE: x\r\nmessage-id: y\r\n\r\nz\r\n"},
		"hidden recipients":    {"Subject: x\r\nBcc: a@b,\r\n c@d\r\nTo: e@f\r\n\r\n", "Subject: x\r\nTo: e@f\r\n" + date + id + from + "\r\n"},
		"cron":                 {"From: root (Cron Daemon)\r\nTo: root\r\nDate: x\r\nMessage-Id: y\r\n\r\n", "From: root@example.org (Cron Daemon)\r\nTo: root@example.org\r\nDate: x\r\nMessage-Id: y\r\n\r\n"},
		"a mailbox's From":     {"From root Mon Oct  7\r\nDate: x\r\nFrom: a@b\r\nMessage-ID: y\r\n\r\nFrom x\r\n", "Date: x\r\nFrom: a@b\r\nMessage-ID: y\r\n\r\nFrom x\r\n"},
		"no line behind":       {"Date: x\r\nFrom: a@b\r\nMessage-ID: y\r\ntext without a blank line\r\n", "Date: x\r\nFrom: a@b\r\nMessage-ID: y\r\n\r\ntext without a blank line\r\n"},
		"what cannot be read":  {"Date: x\r\nFrom: a b c\r\nMessage-ID: y\r\n\r\n", "Date: x\r\nFrom: a b c\r\nMessage-ID: y\r\n\r\n"},
		"a folded first field": {" x\r\nSubject: y\r\n", date + id + from + "\r\n x\r\nSubject: y\r\n"},
	} {
		m := split([]byte(c.in))
		m.complete(s, author{"www", "Web Server", 33}, "www@example.org", now)
		got := regexp.MustCompile(`<20191007080500\.[A-Z0-9]{26}@`).ReplaceAllString(string(m.bytes()), "<20191007080500.X@")
		if got != received+c.out {
			t.Errorf("%s:\n%q\nexpected\n%q", name, got, received+c.out)
		}
	}
}

func TestFromField(t *testing.T) {
	for _, c := range []struct{ name, from, want string }{
		{"", "a@b", "<a@b>"},
		{"Bär", "a@b", "=?utf-8?q?B=C3=A4r?= <a@b>"},
		{"x\r\nBcc: y", "a@b", `"x Bcc: y" <a@b>`},
		{"anybody", "", "MAILER-DAEMON@q"},
	} {
		if got := fromField(author{name: c.name}, c.from, "q"); got != c.want {
			t.Errorf("%q, %q: %q; expected %q", c.name, c.from, got, c.want)
		}
	}
}

func TestRecipientsOfTheHeader(t *testing.T) {
	for in, want := range map[string]string{
		"To: a, b@x\nCc: c\nBcc: d\nReply-To: e\n": "a b@x c d",
		"To: a\nTo: b\n":                             "a b",
		"To: a\nResent-To: b\nResent-Bcc: c\n":       "b c",
		"Subject: x\n":                               "",
		"To: undisclosed-recipients:;\nBCC:\n a@b\n": "a@b",
	} {
		raw, _ := read(strings.NewReader(in), true)
		got, err := split(raw).recipients()
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v; expected %q", in, got, err, want)
		}
	}
}
