package compose

import (
	"strconv"
	"strings"
	"time"
)

// count is a number with its noun: "1 mail", "20,000 mails".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return digits(n) + " " + many
}

func mails(n int) string     { return count(n, "mail", "mails") }
func incidents(n int) string { return count(n, "incident", "incidents") }

// digits writes a number with a comma every three digits.
func digits(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// clock tells times as a reader sees them at the time of the digest.
type clock struct {
	now  time.Time
	zone *time.Location
}

// at is the time of day, with the date when it is another day's.
func (c clock) at(t time.Time) string {
	t = t.In(c.zone)
	now := c.now.In(c.zone)
	switch {
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006 15:04")
	case t.YearDay() != now.YearDay():
		return t.Format("2 Jan 15:04")
	}
	return t.Format("15:04")
}

// sameDay reports whether two times are of one day in the reader's zone.
func (c clock) sameDay(a, b time.Time) bool {
	return a.In(c.zone).Format(time.DateOnly) == b.In(c.zone).Format(time.DateOnly)
}

// span is a range on one day as "15:46-16:02", else only its beginning.
func (c clock) span(from, to time.Time) string {
	a := c.at(from)
	if b := to.In(c.zone).Format("15:04"); c.sameDay(from, to) && !strings.HasSuffix(a, b) {
		return a + "-" + b
	}
	return a
}

// between is a range within a sentence: "from 15:46 to 16:02", "at 15:46".
func (c clock) between(from, to time.Time) string {
	a, b := c.at(from), c.at(to)
	if a == b {
		return "at " + a
	}
	return "from " + a + " to " + b
}

// name is the zone's name.
func (c clock) name() string {
	name, _ := c.now.In(c.zone).Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		return c.offset()
	}
	return name
}

func (c clock) offset() string { return "UTC" + c.now.In(c.zone).Format("-07:00") }

// described is the zone's name and what it is, where that is not plain.
func (c clock) described() string {
	if c.name() == "UTC" || c.name() == c.offset() {
		return c.name()
	}
	return c.name() + ", " + c.offset()
}

// lasting is a duration in its two largest units.
func lasting(d time.Duration) string {
	d = max(d, 0)
	day, hour := int(d/(24*time.Hour)), int(d/time.Hour)%24
	minute, second := int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case day > 0:
		return two(day, "d", hour, "h")
	case hour > 0:
		return two(hour, "h", minute, "min")
	case minute > 0:
		return strconv.Itoa(minute) + " min"
	}
	return strconv.Itoa(second) + " s"
}

func two(a int, unitA string, b int, unitB string) string {
	s := strconv.Itoa(a) + " " + unitA
	if b > 0 {
		s += " " + strconv.Itoa(b) + " " + unitB
	}
	return s
}

// list joins clauses that are not empty.
func list(separator string, clauses ...string) string {
	var some []string
	for _, c := range clauses {
		if c != "" {
			some = append(some, c)
		}
	}
	return strings.Join(some, separator)
}

// some is the phrase if n is not 0.
func some(n int, phrase string) string {
	if n == 0 {
		return ""
	}
	return phrase
}
