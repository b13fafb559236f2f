package digest

import (
	"slices"
	"time"

	"lull/digest/compose"
)

// Threshold says what a storm is: more than Openings incidents of one reader
// opened within Within. It lasts until for Quiet there were fewer than Calm.
type Threshold struct {
	Openings int
	Within   time.Duration
	Calm     int
	Quiet    time.Duration
}

// DefaultThreshold is that of the design: more than 20 in 10 minutes, until 30
// minutes below 5, for a window of one hour.
func DefaultThreshold(window time.Duration) Threshold {
	return Threshold{Openings: 20, Within: window / 6, Calm: 5, Quiet: window / 2}
}

// Storm is the last storm that the openings of a reader's incidents show, nil
// if there is none; Ended is zero while it goes on at now. Openings after now,
// of a clock that was set back since, count as now.
func (t Threshold) Storm(openings []time.Time, now time.Time) *compose.Storm {
	var last *compose.Storm
	on := false
	var calm time.Time // since then there were fewer than Calm within Within
	end := func(at time.Time) {
		if on && !at.Before(calm.Add(t.Quiet)) {
			on, last.Ended = false, calm.Add(t.Quiet)
		}
	}
	times := inOrder(openings, now)
	for i, at := range times {
		end(at)
		if !on && t.reached(times[:i+1], t.Openings+1) {
			on, last = true, &compose.Storm{Began: times[i-t.Openings], Opened: t.Openings}
		}
		if on {
			last.Opened++
		}
		if t.reached(times[:i+1], t.Calm) {
			calm = times[i+1-t.Calm].Add(t.Within)
		}
	}
	end(now)
	return last
}

// on reports whether a storm goes on at now.
func (t Threshold) on(openings []time.Time, now time.Time) bool {
	s := t.Storm(openings, now)
	return s != nil && s.Ended.IsZero()
}

// reached reports whether the last n of the times lie within Within.
func (t Threshold) reached(times []time.Time, n int) bool {
	last := len(times) - 1
	return n > 0 && n <= len(times) && times[last].Sub(times[len(times)-n]) < t.Within
}

// lately counts the openings within Within before now.
func (t Threshold) lately(openings []time.Time, now time.Time) int {
	n := 0
	for _, at := range openings {
		if now.Sub(at) < t.Within {
			n++
		}
	}
	return n
}

func inOrder(openings []time.Time, now time.Time) []time.Time {
	times := slices.Clone(openings)
	for i, at := range times {
		if at.After(now) {
			times[i] = now
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}
