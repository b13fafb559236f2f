package signature

import (
	"strconv"
	"strings"
	"time"
)

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
		if t := parseTime(unfold(oldest[semi+1:])); !t.IsZero() {
			return t, hops
		}
	}
	return parseTime(h.get("Date")), hops
}

// reckoner puts a time together from the words that tell it.
type reckoner struct {
	year, month, day     int
	hour, minute, second int
	clock, wrong         bool
	offset               int // seconds east of UTC
}

// parseTime reads a time as mail tells it, in headers (RFC 5322, and what is
// made of it) or in text: any order of date, clock and zone that people and
// programs use. It is zero if a part is missing or wrong. Times without a
// zone, and in zones that go by letters, are taken as UTC.
func parseTime(text string) time.Time {
	text = strings.Trim(text, " .*()")
	if len(text) < 10 || len(text) > 80 {
		return time.Time{}
	}
	var r reckoner
	for len(text) > 0 {
		end := strings.IndexAny(text, " ,\t")
		if end < 0 {
			end = len(text)
		}
		r.word(strings.Trim(text[:end], "()"))
		text = text[min(end+1, len(text)):]
	}
	if r.wrong || !r.clock || r.year == 0 || r.month == 0 || r.day == 0 {
		return time.Time{}
	}
	t := time.Date(r.year, time.Month(r.month), r.day, r.hour, r.minute, r.second, 0, time.UTC)
	if t.Day() != r.day || r.year > 9999 {
		return time.Time{}
	}
	return t.Add(-time.Duration(r.offset) * time.Second)
}

// word takes one word of a time.
func (r *reckoner) word(word string) {
	switch {
	case word == "":
	case isLetter(word[0]):
		r.name(word)
	case (word[0] == '+' || word[0] == '-') && len(word) >= 5 && r.clock:
		r.zone(word)
	case strings.IndexByte(word, ':') > 0:
		r.stamp(word)
	case strings.ContainsAny(word, "-/."):
		r.date(word)
	default:
		r.number(word)
	}
}

// name takes the name of a month, or the half of the day; days of the week and
// zones tell nothing.
func (r *reckoner) name(word string) {
	switch strings.ToLower(word) {
	case "am":
		r.hour %= 12
		return
	case "pm":
		r.hour = r.hour%12 + 12
		return
	}
	if len(word) < 3 {
		return
	}
	if at := strings.Index("jan feb mar apr may jun jul aug sep oct nov dec ", strings.ToLower(word[:3])+" "); at >= 0 && isMonth(word) {
		r.month = at/4 + 1
	}
}

func isMonth(word string) bool { return len(word) == 3 || isCalendar(word) || word == "Sept" }

// number takes a year or a day.
func (r *reckoner) number(word string) {
	n, err := strconv.Atoi(word)
	switch {
	case err != nil || n < 0:
		r.wrong = true
	case len(word) == 4:
		r.year = n
	case r.day == 0 && len(word) <= 2:
		r.day = n
	case r.year == 0 && len(word) == 2:
		r.year = century(n)
	default:
		r.wrong = true
	}
}

// century completes a year of two digits as RFC 5322 does.
func century(year int) int {
	if year < 50 {
		return year + 2000
	}
	return year + 1900
}

// stamp takes a clock, with a date before it and a zone behind it at times.
func (r *reckoner) stamp(word string) {
	if at := strings.IndexAny(word, "Tt"); at > 0 {
		r.date(word[:at])
		word = word[at+1:]
	}
	if at := strings.IndexAny(word, "+-Zz"); at > 0 {
		r.clock = true
		r.zone(word[at:])
		word = word[:at]
	}
	parts := strings.SplitN(before(before(word, "."), ";"), ":", 4)
	if len(parts) < 2 || len(parts) > 3 {
		r.wrong = true
		return
	}
	r.clock = true
	r.hour, r.minute = r.part(parts[0], 23), r.part(parts[1], 59)
	if len(parts) == 3 {
		r.second = min(r.part(parts[2], 60), 59)
	}
}

func (r *reckoner) part(text string, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most || len(text) > 2 {
		r.wrong = true
		return 0
	}
	return n
}

// date takes 2006-01-02 and 2006.01.02; 01/02/2006, which is American; and
// 02-01-2006 and 02.01.2006, which are not.
func (r *reckoner) date(word string) {
	joint := strings.IndexAny(word, "-/.")
	if joint <= 0 {
		r.wrong = true
		return
	}
	parts := strings.Split(word, word[joint:joint+1])
	if len(parts) != 3 {
		r.wrong = true
		return
	}
	var n [3]int
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			r.wrong = true
			return
		}
	}
	switch {
	case len(parts[0]) == 4:
		r.year, r.month, r.day = n[0], n[1], n[2]
	case word[joint] == '/':
		r.month, r.day, r.year = n[0], n[1], n[2]
	default:
		r.day, r.month, r.year = n[0], n[1], n[2]
	}
	if r.month < 1 || r.month > 12 || r.day < 1 {
		r.wrong = true
	}
}

// zone takes +0200, -07:00 and Z.
func (r *reckoner) zone(word string) {
	digits := strings.Replace(word[1:], ":", "", 1)
	if len(digits) != 4 || !digitsAt(digits, 0, 4) {
		return
	}
	n, _ := strconv.Atoi(digits)
	r.offset = (n/100*60 + n%100) * 60
	if word[0] == '-' {
		r.offset = -r.offset
	}
}
