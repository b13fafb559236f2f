package main

import (
	"strings"
	"testing"
)

func TestMailboxes(t *testing.T) {
	for in, want := range map[string]string{ // addresses, and the list with a domain added
		"root":                  "root|root@q",
		" root\r\n":             "root| root@q\r\n",
		"root, dev@example.org": "root dev@example.org|root@q, dev@example.org",
		"root (Cron Daemon)":    "root|root@q (Cron Daemon)",
		`"Ops, the team" <ops>, Dev <d@example.org>`: `ops d@example.org|"Ops, the team" <ops@q>, Dev <d@example.org>`,
		"Ops Team <ops>;":                     "ops|Ops Team <ops@q>;",
		"=?utf-8?q?B=C3=A4r?= <bear>":         "bear|=?utf-8?q?B=C3=A4r?= <bear@q>",
		"undisclosed-recipients:;":            "|undisclosed-recipients:;",
		"team: a@x, b, c@y;, d":               "a@x b c@y d|team: a@x, b@q, c@y;, d@q",
		"<@a,@b:c@d>":                         "c@d|<@a,@b:c@d>",
		"<>":                                  "|<>",
		"":                                    "|",
		", ,a,,":                              "a|, ,a@q,,",
		`"a b"@example.org`:                   `"a b"@example.org|"a b"@example.org`,
		`"a@b"`:                               `"a@b"|"a@b"@q`,
		`"a\"b" <c>`:                          `c|"a\"b" <c@q>`,
		"a (x (y) \\) z) @ example (c) . org": "a@example.org|a (x (y) \\) z) @ example (c) . org",
		"a@[127.0.0.1]":                       "a@[127.0.0.1]|a@[127.0.0.1]",
		"John Q. Public <j>":                  "j|John Q. Public <j@q>",
	} {
		addresses, list, _ := strings.Cut(want, "|")
		got, err := mailboxes(in)
		var all []string
		for _, box := range got {
			all = append(all, box.address)
		}
		if err != nil || strings.Join(all, " ") != addresses {
			t.Errorf("mailboxes(%q) = %q, %v; expected %q", in, all, err, addresses)
		}
		if got := qualifyList(in, "q"); got != list {
			t.Errorf("qualifyList(%q) = %q; expected %q", in, got, list)
		}
	}
	for _, in := range []string{"a b", "a <b", "a> b", `"a`, "(a", "a <b> <c>", "<a b>", "[1", "<<a>>", ")", "a)", "(a))"} {
		if got, err := mailboxes(in); err == nil {
			t.Errorf("mailboxes(%q) = %v", in, got)
		}
		if got := qualifyList(in, "q"); got != in {
			t.Errorf("qualifyList(%q) = %q", in, got)
		}
	}
}

func FuzzMailboxes(f *testing.F) {
	for _, s := range []string{"root (Cron), \"a\\\"\" <b@c>", "g: a, <@r:b>;", "a@[1", "\\", "(\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		boxes, err := mailboxes(list)
		if err != nil {
			return
		}
		for _, box := range boxes {
			if box.address == "" || box.end < 1 || box.end > len(list) || bare(qualified(box.address, "q")) && !strings.HasSuffix(box.address, "@") {
				t.Errorf("%q gave %+v", list, box)
			}
		}
		again, err := mailboxes(qualifyList(list, "q"))
		if err != nil || len(again) != len(boxes) {
			t.Errorf("%q became %q: %v, %v", list, qualifyList(list, "q"), again, err)
		}
	})
}
