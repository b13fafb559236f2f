package digest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when digests are due. It is a pure function of time: the same
// on every machine and after every restart.
type Schedule struct {
	spec  string
	every time.Duration      // "@every": multiples of it
	cron  *cron.SpecSchedule // otherwise
}

// ParseSchedule reads five cron fields, "@hourly", "@daily" … or "@every 10m";
// "CRON_TZ=Europe/Berlin " in front names the zone, which is UTC otherwise. It
// refuses what is never due.
func ParseSchedule(spec string) (Schedule, error) {
	parsed, err := parseCron(strings.TrimSpace(spec))
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w; write five cron fields such as \"0 * * * *\", or \"@every 30m\"", spec, err)
	}
	s := Schedule{spec: spec}
	switch p := parsed.(type) {
	case cron.ConstantDelaySchedule:
		s.every = p.Delay
	case *cron.SpecSchedule:
		s.cron = p
	default:
		return Schedule{}, fmt.Errorf("schedule %q: of no known kind", spec)
	}
	if s.Next(reference()).IsZero() {
		return Schedule{}, fmt.Errorf("schedule %q is never due: there is no such day", spec)
	}
	return s, nil
}

// parseCron guards the parser, which panics on some zones, and gives it UTC.
func parseCron(spec string) (s cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, errors.New("not a schedule; a zone is written \"CRON_TZ=Europe/Berlin \" in front, with a blank")
		}
	}()
	if strings.HasPrefix(spec, "@every -") || strings.HasPrefix(spec, "@every 0") && !strings.ContainsAny(spec, "123456789") {
		return nil, errors.New("must be a time ahead")
	}
	if !strings.HasPrefix(spec, "TZ=") && !strings.HasPrefix(spec, "CRON_TZ=") {
		spec = "CRON_TZ=UTC " + spec
	}
	return cron.ParseStandard(spec)
}

// reference is a moment from which schedules are looked at for their shape.
func reference() time.Time { return time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC) }

// String is the schedule as it was written.
func (s Schedule) String() string { return s.spec }

// Zone is the schedule's zone.
func (s Schedule) Zone() *time.Location {
	if s.cron == nil {
		return time.UTC
	}
	return s.cron.Location
}

// Next is the first time after t at which a digest is due, in UTC. "@every"
// means multiples of its length since the year 1, so that a restart moves
// nothing. A time of day that the clocks jump over in spring is not skipped:
// it is due when the old time would have shown it.
func (s Schedule) Next(t time.Time) time.Time {
	if s.cron == nil {
		return t.UTC().Truncate(s.every).Add(s.every)
	}
	next := s.cron.Next(t)
	if next.IsZero() {
		return next
	}
	if also := s.shown(t); also.After(t) && also.Before(next) {
		next = also
	}
	return next.UTC()
}

// shown is the next time of day that a clock shows which is right at t. cron
// loses some around a change of the clocks.
func (s Schedule) shown(t time.Time) time.Time {
	zone := s.cron.Location
	name, offset := t.In(zone).Zone()
	fixed := *s.cron
	fixed.Location = time.FixedZone(name, offset)
	next := fixed.Next(t).In(fixed.Location)
	real := time.Date(next.Year(), next.Month(), next.Day(), next.Hour(), next.Minute(), 0, 0, zone)
	if real.Hour() == next.Hour() && real.Minute() == next.Minute() {
		return real
	}
	return next // the clocks jump over it
}

// surveyed is how many due times Most looks at: more than any day has that a
// budget could allow.
const surveyed = 2000

// Most is the greatest number of due times in any sliding window of that
// length, as far as 2000 due times show.
func (s Schedule) Most(window time.Duration) int {
	if s.cron == nil {
		return int((window + s.every - 1) / s.every)
	}
	var due []time.Time
	most, t := 0, reference()
	for range surveyed {
		if t = s.Next(t); t.IsZero() {
			break
		}
		due = append(due, t)
		for t.Sub(due[0]) >= window {
			due = due[1:]
		}
		most = max(most, len(due))
	}
	return most
}
