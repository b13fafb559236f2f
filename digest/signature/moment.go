package signature

import (
	netmail "net/mail"
	"strings"
	"time"
)

// layouts of times as alert mail writes them in bodies, tried in order. Those
// without a zone are taken as UTC.
var layouts = [...]string{
	time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04",
	time.UnixDate, "Mon Jan 2 15:04:05 2006", "Mon 2 Jan 15:04:05 MST 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 MST",
	"Mon Jan 2 2006 15:04:05", "Mon 02 Jan 2006 03:04:05 PM MST", "Mon, Jan 2, 2006 at 15:04:05", "02 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05",
	"01/02/2006 15:04:05", "02-01-2006 15:04:05", "2006.01.02 15:04:05", "15:04:05 on 2006.01.02", "2006/01/02 15:04:05", "Jan 2 2006 15:04:05", "Jan 2, 2006 15:04:05",
}

// parseTime reads a time that a body tells, zero if it is none.
func parseTime(text string) time.Time {
	text = strings.Trim(text, " .*()")
	if len(text) < 10 || len(text) > 48 {
		return time.Time{}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// parseDate reads the date of a header field, zero if it is none.
func parseDate(value string) time.Time {
	value = strings.TrimSpace(value)
	if len(value) > 128 {
		return time.Time{}
	}
	if t, err := netmail.ParseDate(value); err == nil {
		return t.UTC()
	}
	return parseTime(before(value, " ("))
}

// sentAt is the time of the oldest Received field, else of Date, and how many
// Received fields there are.
func sentAt(h header) (time.Time, int) {
	hops := 0
	oldest := ""
	for _, f := range h {
		if strings.EqualFold(f.name, "Received") {
			hops++
			oldest = f.value
		}
	}
	if semi := strings.LastIndexByte(oldest, ';'); semi >= 0 {
		if t := parseDate(unfold(oldest[semi+1:])); !t.IsZero() {
			return t, hops
		}
	}
	return parseDate(h.get("Date")), hops
}
