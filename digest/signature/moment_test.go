package signature

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"Mon, 7 Oct 2019 15:45:00 +0200":          "2019-10-07T13:45:00Z",
		"Mon, 07 Oct 2019 15:45:00 +0000 (UTC)":   "2019-10-07T15:45:00Z",
		"7 Oct 19 15:45 -0730":                    "2019-10-07T23:15:00Z",
		"Mon,  7 Oct 2019 15:45:00 GMT":           "2019-10-07T15:45:00Z",
		"Mon Oct 7 15:52:13 UTC 2019":             "2019-10-07T15:52:13Z",
		"Mon Oct  7 15:52:13 2019":                "2019-10-07T15:52:13Z",
		"Mon 07 Oct 2019 03:52:13 PM UTC":         "2019-10-07T15:52:13Z",
		"2019-10-07 15:52:13 +0200":               "2019-10-07T13:52:13Z",
		"2019-10-07 15:52:13+0000":                "2019-10-07T15:52:13Z",
		"2019-10-07T15:52:13.123456Z":             "2019-10-07T15:52:13Z",
		"2019-10-07T15:52:13+02:00":               "2019-10-07T13:52:13Z",
		"2019-10-07 15:52":                        "2019-10-07T15:52:00Z",
		"10/07/2019 15:52:13":                     "2019-10-07T15:52:13Z",
		"07-10-2019 15:52:13":                     "2019-10-07T15:52:13Z",
		"15:50:11 on 2019.10.07":                  "2019-10-07T15:50:11Z",
		"15:50:11 2019.10.07":                     "2019-10-07T15:50:11Z",
		"October 7, 2019 15:52:13":                "2019-10-07T15:52:13Z",
		"Mon, 31 Dec 2019 23:59:60 +0000":         "2019-12-31T23:59:59Z",
		"Mon, 31 Feb 2019 10:00:00 +0000":         "",
		"Mon, 99 Foo 20000 99:99:99 +9999":        "",
		"yesterday at noon":                       "",
		"2019-10-07":                              "",
		"":                                        "",
		"Marching orders 7 2019 15:52:13 are out": "",
	} {
		got := ""
		if at := parseTime(text); !at.IsZero() {
			got = at.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
}

func TestSentAt(t *testing.T) {
	h, _ := splitHeader([]byte("Received: from a by b; Mon, 7 Oct 2019 19:10:00 +0000\nReceived: from c by a; Mon, 7 Oct 2019 15:52:13 +0000\nDate: Mon, 7 Oct 2019 15:00:00 +0000\n\n"))
	at, hops := sentAt(h)
	if hops != 2 || at.Format(time.TimeOnly) != "15:52:13" {
		t.Errorf("%v after %d hops", at, hops)
	}
	h, _ = splitHeader([]byte("Received: from a by b; nonsense\nDate: Mon, 7 Oct 2019 15:00:00 +0000\n\n"))
	if at, _ := sentAt(h); at.Format(time.TimeOnly) != "15:00:00" {
		t.Errorf("%v, not the Date", at)
	}
}
