package digest

import (
	"strings"
	"testing"
	"time"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestScheduleNext(t *testing.T) {
	for _, c := range []struct{ spec, after, want string }{
		{"0 * * * *", "2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z"},
		{"0 * * * *", "2026-01-05T10:59:59Z", "2026-01-05T11:00:00Z"},
		{"@hourly", "2026-01-05T10:30:00Z", "2026-01-05T11:00:00Z"},
		{"@every 20m", "2026-01-05T10:30:00Z", "2026-01-05T10:40:00Z"},
		{"@every 20m", "2026-01-05T10:40:00Z", "2026-01-05T11:00:00Z"},
		{"30 8 * * 1-5", "2026-01-09T09:00:00Z", "2026-01-12T08:30:00Z"},
		{"CRON_TZ=Europe/Berlin 0 8 * * *", "2026-01-05T00:00:00Z", "2026-01-05T07:00:00Z"},
		{"CRON_TZ=Europe/Berlin 0 8 * * *", "2026-07-05T00:00:00Z", "2026-07-05T06:00:00Z"},
		// The clocks jump from 2 to 3 on 2026-03-29: half past two by the old
		// time is half past three.
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"},
		{"CRON_TZ=Europe/Berlin 0 * * * *", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"},
		{"CRON_TZ=Europe/Berlin 0 * * * *", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
		// In autumn every hour has its digest, the doubled one two.
		{"CRON_TZ=Europe/Berlin 0 * * * *", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
		{"CRON_TZ=Europe/Berlin 0 * * * *", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
		{"CRON_TZ=Europe/Berlin 0 9 * * *", "2026-10-24T10:00:00Z", "2026-10-25T08:00:00Z"},
		// Midnight did not exist.
		{"CRON_TZ=America/Sao_Paulo 0 0 * * *", "2018-11-03T12:00:00Z", "2018-11-04T03:00:00Z"},
		{"CRON_TZ=Australia/Lord_Howe 0 * * * *", "2026-10-03T15:00:00Z", "2026-10-03T15:30:00Z"},
	} {
		s, err := ParseSchedule(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Next(at(c.after)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s after %s: %s, want %s", c.spec, c.after, got, c.want)
		}
	}
}

// Whatever the zone, the next time lies ahead, and no digest of a daily
// schedule is more than a day and an hour or so away.
func TestScheduleNeverSkipsADay(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"} {
		for _, clock := range []string{"0 0", "30 1", "0 2", "30 2", "59 23"} {
			s, err := ParseSchedule("CRON_TZ=" + zone + " " + clock + " * * *")
			if err != nil {
				t.Fatal(err)
			}
			now := at("2018-01-01T00:00:00Z")
			for now.Year() < 2020 {
				next := s.Next(now)
				if gap := next.Sub(now); gap <= 0 || gap > 25*time.Hour {
					t.Fatalf("%s %s: %s follows %s", zone, clock, next, now)
				}
				now = next
			}
		}
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	for _, spec := range []string{
		"", "hourly", "* * * *", "0 0 31 2 *", "60 * * * *", "0 0 * * 7", "TZ=UTC", "CRON_TZ=Europe/Berlin",
		"CRON_TZ=Mars/Olympus 0 * * * *", "@every -1h", "@every 0s", "@every", "@reboot", "0 * * * * *",
	} {
		if _, err := ParseSchedule(spec); err == nil {
			t.Errorf("%q was taken", spec)
		} else if !strings.Contains(err.Error(), "schedule") {
			t.Errorf("%q: %v does not say what it is about", spec, err)
		}
	}
}

func TestScheduleMost(t *testing.T) {
	for spec, want := range map[string]int{
		"0 * * * *": 1, "*/10 * * * *": 6, "0,30 * * * *": 2, "@every 10m": 6, "@every 25m": 3, "@daily": 1, "* * * * *": 60,
		"58,59 23 * * *": 2, "0 0 1 1 *": 1,
	} {
		s, err := ParseSchedule(spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Most(time.Hour); got != want {
			t.Errorf("%s: %d an hour, want %d", spec, got, want)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"0 * * * *", "TZ=UTC", "CRON_TZ=Europe/Berlin 30 2 * * *", "@every 1h", "@every -1h", "0 0 31 2 *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := ParseSchedule(spec)
		if err != nil {
			return
		}
		now := at("2026-03-28T12:00:00Z")
		for range 5 {
			next := s.Next(now)
			if !next.After(now) {
				t.Fatalf("%q: %s follows %s", spec, next, now)
			}
			now = next
		}
	})
}

func TestConfigRefuses(t *testing.T) {
	good := Defaults(time.Hour)
	good.Host = "relay.example.org"
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"too many digests": {func(c *Config) { c.Schedule = "*/5 * * * *" }, "needs 12 digests in 1h0m0s, the budget is 6"},
		"a reader's":       {func(c *Config) { c.Schedules = map[string]string{"a@x": "* * * * *"} }, "a@x: schedule"},
		"never":            {func(c *Config) { c.Schedule = "0 0 31 2 *" }, "never due"},
		"notices":          {func(c *Config) { c.Notices = 5 }, "at most 4"},
		"no host":          {func(c *Config) { c.Host = "" }, "host"},
		"window":           {func(c *Config) { c.Window = 0 }, "window"},
		"budget":           {func(c *Config) { c.Budget, c.Notices = 0, 0 }, "budget"},
		"concurrency":      {func(c *Config) { c.Concurrency = 0 }, "concurrency"},
	} {
		bad := good
		c.change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want something with %q", name, err, c.says)
		}
	}
	bad := good
	bad.Host, bad.Concurrency = "", 0
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "host") || !strings.Contains(err.Error(), "concurrency") {
		t.Errorf("not all faults at once: %v", err)
	}
}

func TestDefaultsScale(t *testing.T) {
	for _, window := range []time.Duration{time.Hour, time.Minute, 20 * time.Second, 2 * time.Second} {
		c := Defaults(window)
		c.Host = "h"
		if err := c.Validate(); err != nil {
			t.Errorf("%v: %v", window, err)
		}
		if c.Probe.Max > window/20 {
			t.Errorf("%v: a mail server that does not answer is tried again after %v", window, c.Probe.Max)
		}
	}
}
