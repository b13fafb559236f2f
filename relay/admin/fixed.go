package admin

import (
	"slices"
	"time"

	"lull/store/filter"
)

// fixed is the filter with its ages and times of day as times, so that it
// selects the same mail at any later moment.
func fixed(f filter.Filter, now time.Time) (filter.Filter, error) {
	f = f.Fixed(now)
	if f.Values("older") == nil && f.Values("younger") == nil {
		return f, nil
	}
	args := without(f, "older", "younger", "until", "since")
	// Of several values of one key any will do, so the widest counts; a time
	// and an age must both hold, so the narrower counts.
	until := append(widest(times(f.Values("until")), slices.MaxFunc), widest(moments(f.Values("older"), now), slices.MaxFunc)...)
	if len(until) > 0 {
		args = append(args, "--until", slices.MinFunc(until, time.Time.Compare).Format(time.RFC3339Nano))
	}
	since := append(widest(times(f.Values("since")), slices.MinFunc), widest(moments(f.Values("younger"), now), slices.MinFunc)...)
	if len(since) > 0 {
		args = append(args, "--since", slices.MaxFunc(since, time.Time.Compare).Format(time.RFC3339Nano))
	}
	return filter.ParseArgs(args)
}

// standing is what of an operation's filter a standing rule can ask of mail
// to come: not which of today's copies, and not where they are.
func standing(f filter.Filter) (filter.Filter, error) {
	return filter.ParseArgs(without(f, "id", "fate", "incident"))
}

// without is the filter's arguments less those of some keys.
func without(f filter.Filter, names ...string) []string {
	var args []string
	for _, k := range filter.Keys() {
		if slices.Contains(names, k.Name) {
			continue
		}
		for _, v := range f.Values(k.Name) {
			args = append(args, "--"+k.Name+"="+v)
		}
	}
	return args
}

// moments turns ages into times. "Older" includes its bound and "until" does
// not, "younger" excludes its bound and "since" does not: hence the nanosecond.
func moments(ages []string, now time.Time) []time.Time {
	var list []time.Time
	for _, age := range ages {
		d, _ := filter.Age(age) // canonical, so it parses
		list = append(list, now.UTC().Add(-d+1))
	}
	return list
}

func times(values []string) []time.Time {
	var list []time.Time
	for _, v := range values {
		t, _ := time.Parse(time.RFC3339Nano, v) // canonical and fixed, so it parses
		list = append(list, t)
	}
	return list
}

func widest(list []time.Time, pick func([]time.Time, func(a, b time.Time) int) time.Time) []time.Time {
	if len(list) == 0 {
		return nil
	}
	return []time.Time{pick(list, time.Time.Compare)}
}
