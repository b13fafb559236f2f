package filter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lull/store"
)

const day = 24 * time.Hour

// Oldest is the greatest age that a mail's own time is believed to have.
const Oldest = 30 * day

// Sent is when a mail was sent, by which ages are told: its own time (the
// oldest Received field, else Date), or its acceptance where that is missing,
// lies after the acceptance, or more than Oldest before it.
func Sent(m *store.Message) time.Time {
	own := m.Reading.Sent
	if own.IsZero() || own.After(m.Accepted) || m.Accepted.Sub(own) > Oldest {
		return m.Accepted
	}
	return own
}

func older(s string) (value, error) {
	d, err := duration(s)
	return value{text: age(d), test: func(c *copyAt) bool { return c.now.Sub(Sent(c.Message)) >= d }}, err
}

func younger(s string) (value, error) {
	d, err := duration(s)
	return value{text: age(d), test: func(c *copyAt) bool { return c.now.Sub(Sent(c.Message)) < d }}, err
}

func since(s string) (value, error) {
	m, err := instant(s)
	return value{text: m.text, test: func(c *copyAt) bool { return !Sent(c.Message).Before(m.at(c.now)) }}, err
}

func until(s string) (value, error) {
	m, err := instant(s)
	return value{text: m.text, test: func(c *copyAt) bool { return Sent(c.Message).Before(m.at(c.now)) }}, err
}

// fixed gives the value of a time of day on one day.
func fixed(parse func(string) (value, error)) func(string, time.Time) value {
	return func(text string, now time.Time) value {
		m, _ := instant(text) // canonical, so it parses
		v, _ := parse(m.at(now).Format(time.RFC3339Nano))
		return v
	}
}

// duration reads 90s, 10m, 1h30m, 2d, 1d12h.
func duration(s string) (time.Duration, error) {
	wrong := errors.New("must be a length of time such as 90s, 10m, 1h30m, 2d or 1d12h")
	rest, whole := s, time.Duration(0)
	if days, after, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, wrong
		}
		whole, rest = time.Duration(n)*day, after
	}
	if rest == "" && whole > 0 {
		return whole, nil
	}
	part, err := time.ParseDuration(rest)
	if err != nil || part < 0 || whole+part <= 0 || part > 1<<16*day {
		return 0, wrong
	}
	return whole + part, nil
}

// age prints a duration so that duration reads it back.
func age(d time.Duration) string {
	var days string
	if d >= day {
		days = strconv.Itoa(int(d/day)) + "d"
		d %= day
		if d == 0 {
			return days
		}
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return days + text
}

// moment is a point in time, or a time of each day.
type moment struct {
	text string
	at   func(now time.Time) time.Time
}

// instant reads RFC 3339, a date and time in UTC, or a time of day in UTC.
func instant(s string) (moment, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 {
			t = t.UTC()
			return moment{t.Format(time.RFC3339Nano), func(time.Time) time.Time { return t }}, nil
		}
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return moment{t.Format(layout), today(t)}, nil
		}
	}
	return moment{}, fmt.Errorf("must be a time such as 2019-10-07T19:06:00Z, \"2019-10-07 19:06\" (UTC) or 19:06 (today, UTC)")
}

func today(clock time.Time) func(time.Time) time.Time {
	since := time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute + time.Duration(clock.Second())*time.Second
	return func(now time.Time) time.Time { return now.UTC().Truncate(day).Add(since) }
}
