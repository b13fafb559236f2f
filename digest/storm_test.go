package digest

import (
	"testing"
	"time"
)

func TestStorm(t *testing.T) {
	noon := at("2026-01-05T12:00:00Z")
	every := func(n int, gap time.Duration) []time.Time {
		var times []time.Time
		for i := range n {
			times = append(times, noon.Add(time.Duration(i)*gap))
		}
		return times
	}
	th := DefaultThreshold(time.Hour)
	for name, c := range map[string]struct {
		openings     []time.Time
		after        time.Duration // noon
		began, ended time.Duration // after noon; -1: no
		opened       int
	}{
		"none":          {nil, 0, -1, -1, 0},
		"20 at once":    {every(20, 0), time.Minute, -1, -1, 0},
		"21 at once":    {every(21, 0), time.Minute, 0, -1, 21},
		"21 in ten min": {every(21, 30*time.Second), 10 * time.Minute, -1, -1, 0},
		"21 in under":   {every(21, 29*time.Second), 10 * time.Minute, 0, -1, 21},
		// The last five leave the ten minutes at 10:00 after the 17th of 21.
		"not over yet":     {every(21, 0), 39 * time.Minute, 0, -1, 21},
		"over":             {every(21, 0), 40 * time.Minute, 0, 40 * time.Minute, 21},
		"goes on":          {append(every(21, 0), every(30, 3*time.Minute)...), 90 * time.Minute, 0, 40 * time.Minute, 35},
		"goes on, faster":  {append(every(21, 0), every(60, 2*time.Minute)...), 119 * time.Minute, 0, -1, 81},
		"a clock set back": {every(21, 0), -time.Hour, -time.Hour, -1, 21},
	} {
		got := th.Storm(c.openings, noon.Add(c.after))
		if c.began == -1 {
			if got != nil {
				t.Errorf("%s: %+v, want none", name, got)
			}
			continue
		}
		if got == nil {
			t.Errorf("%s: none", name)
			continue
		}
		var ended time.Time
		if c.ended >= 0 {
			ended = noon.Add(c.ended)
		}
		if !got.Began.Equal(noon.Add(c.began)) || !got.Ended.Equal(ended) || got.Opened != c.opened {
			t.Errorf("%s: %+v, want began %v, ended %v, opened %d", name, got, noon.Add(c.began), ended, c.opened)
		}
	}
}
