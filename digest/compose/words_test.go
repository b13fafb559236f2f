package compose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lull/store"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                                 "plain",
		"a\r\nb\tc":                             "a b c",
		" \x00lead \x1b[31mred ":                "lead [31mred",
		"gpj\u202eexe\u200b\ufeff":              "gpjexe",
		"bad \xff\xc3 bytes":                    "bad bytes",
		"zero\u200dwidth":                       "zerowidth",
		"a\u0301\u0301\u0301\u0301\u0301\u0301": "a\u0301\u0301\u0301\u0301",
		"\u0301x":                               "x",
		"tag\U000E0041\uE000":                   "tag",
		"line\u2028sep":                         "line sep",
		"12345678901234567890123":               "1234567890123456789…",
		"日本語日本語日本語日本語":                          "日本語日本語日本語…",
	} {
		if got := clean(in, 20); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	if got := shown("שלום", 20); got != isolate+"שלום"+endIsolate {
		t.Errorf("right to left: %q", got)
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 100)
	lines := wrap("  a  ", "     ", "word "+long+" word "+strings.Repeat("w ", 60))
	for _, l := range lines {
		if columns(l) > textColumns {
			t.Errorf("%d columns: %q", columns(l), l)
		}
	}
	if joined := strings.Join(strings.Fields(strings.Join(lines, "")), ""); strings.Count(joined, "x") != 100 || strings.Count(joined, "w") != 62 {
		t.Errorf("characters lost: %q", lines)
	}
	for _, l := range wrap("", "", isolate+strings.Repeat("שלום ", 40)+endIsolate+" end") {
		if strings.Count(l, isolate) != strings.Count(l, endIsolate) {
			t.Errorf("an isolate spans lines: %q", l)
		}
	}
}

func TestListed(t *testing.T) {
	for _, c := range []struct {
		names  string
		limit  int
		want   string
		covers int
	}{
		{"a b c", 12, "a, b, c", 3},
		{"a b c", 2, "a, b", 2},
		{"a b c", 0, "", 0},
		{"web1 web2 web3", 12, "web1, web2, web3", 3},
		{"web1 web2 web3 web4", 12, "web[1-4]", 4},
		{"web09 web10 web11 web13", 12, "web[09-11,13]", 4},
		{"web9 web10 web11 web12", 12, "web[9-12]", 4},
		{"db1.x db2.x db3.x db5.x db1.y", 12, "db[1-3,5].x, db1.y", 5},
		{"db1.x db2.x db3.x db5.x db1.y", 1, "db[1-3,5].x", 4},
		{"h1:9100 h2:9100 h3:9100 h4:9100", 3, "h[1-4]:9100", 4},
		{"n1 n3 n5 n7 n9 n11 n13 n15", 12, "n[1,3,5,7,9,11], n13, n15", 8},
		{"x x x x", 12, "x, x, x, x", 4},
	} {
		if got, covers := listed(strings.Fields(c.names), c.limit); got != c.want || covers != c.covers {
			t.Errorf("listed(%q, %d) = %q, %d; want %q, %d", c.names, c.limit, got, covers, c.want, c.covers)
		}
	}
}

func TestNatural(t *testing.T) {
	got := strings.Fields("web10 web9 web09 db2 web1.b web1.a a web 10 9")
	slices.SortFunc(got, natural)
	if s := strings.Join(got, " "); s != "9 10 a db2 web web1.a web1.b web09 web9 web10" {
		t.Error(s)
	}
}

func TestFlapping(t *testing.T) {
	at := time.Date(2019, 10, 7, 15, 0, 0, 0, time.UTC)
	o := store.Object{Name: "db-1", State: store.Problem, Problems: 5, First: at, Last: at.Add(40 * time.Minute)}
	if s := flappingFact([]store.Object{o}, 3); s != "flapping on 1: db-1" {
		t.Error(s)
	}
	o.Last = at.Add(72 * time.Hour)
	if s := flappingFact([]store.Object{o}, 3); s != "" {
		t.Error(s)
	}
}

// TestExcerpt quotes what the title, the object and the state do not say.
func TestExcerpt(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"***** Icinga *****\n\nNotification Type: PROBLEM\nService: SSH\nHost: web-1\nAddress: 192.0.2.1\nState: CRITICAL\n\n" +
			"Date/Time: Mon Oct 7 15:52:13 UTC 2019\n\nAdditional Info:\n\nCRITICAL - Socket timeout", "CRITICAL - Socket timeout"},
		{"Unable to run job\nExiting.", "Unable to run job|Exiting."},
		{"Host: web-1\n\n----", "Host: web-1|----"},
		{"Error: disk full\nfatal: no", "Error: disk full|fatal: no"},
		{"", ""},
	} {
		e := &store.Entry{Message: &store.Message{Reading: store.Reading{
			Excerpt: c.text, Subject: "SSH on web-1 is CRITICAL", Signature: store.Signature{Title: "SSH"},
			Reports: []store.Report{{Object: "web-1", State: store.Problem}}}}}
		if got := strings.Join(excerpt(e, 3), "|"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestClock(t *testing.T) {
	c := clock{time.Date(2019, 10, 7, 16, 0, 0, 0, time.UTC), time.UTC}
	day := func(d, h, m int) time.Time { return time.Date(2019, 10, d, h, m, 0, 0, time.UTC) }
	for got, want := range map[string]string{
		c.at(day(7, 9, 5)): "09:05",
		c.at(day(6, 9, 5)): "6 Oct 09:05",
		c.at(time.Date(2018, 10, 7, 1, 2, 0, 0, time.UTC)):     "7 Oct 2018 01:02",
		c.span(day(7, 9, 5), day(7, 10, 0)):                    "09:05-10:00",
		c.span(day(7, 9, 5), day(7, 9, 5)):                     "09:05",
		c.span(day(6, 9, 5), day(6, 10, 0)):                    "6 Oct 09:05-10:00",
		c.span(day(6, 23, 5), day(7, 1, 0)):                    "6 Oct 23:05",
		c.between(day(7, 9, 5), day(7, 9, 5).Add(time.Second)): "at 09:05",
		lasting(59 * time.Second):                              "59 s",
		lasting(125 * time.Minute):                             "2 h 5 min",
		lasting(26 * time.Hour):                                "1 d 2 h",
		digits(1234567):                                        "1,234,567",
		digits(999):                                            "999",
		mails(1):                                               "1 mail",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
