package demo

import (
	"slices"
	"time"
)

// drain is how many mails a second the rebooted mail host got rid of: slow
// enough that its queue was still running when an operator cleared it.
const drain = 3

// delivery is one mail in a reader's mailbox.
type delivery struct {
	at     time.Time
	reader string
	kind   kind
	cause  time.Time
	digest bool
}

// without plays the day as it was: the mail host hangs from the outage to its
// reboot, then lets its queue go as fast as it can, until the purge drops the rest.
// It returns what arrived, and how many mails nobody got.
func without(d day, letters []letter) (arrived []delivery, dropped int) {
	free := d.reboot // when the queue's next place is free
	for _, l := range letters {
		at := l.at
		if !at.Before(d.outage) && at.Before(d.purge) {
			free = later(free, at).Add(time.Second / drain)
			at = free
		}
		if at.After(d.purge) && l.at.Before(d.purge) {
			dropped += len(l.to)
			continue
		}
		for _, to := range l.to {
			arrived = append(arrived, delivery{at: at, reader: to, kind: l.kind, cause: l.cause})
		}
	}
	return arrived, dropped
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// figures are what one kind of reader got.
type figures struct {
	readers int
	mails   int
	worst   int       // most mails that one reader got in any 60 minutes
	reader  string    // that one
	when    time.Time // the end of that hour
}

// tally counts deliveries by kind.
func tally(all []delivery) map[kind]figures {
	byReader := make(map[kind]map[string][]time.Time)
	for _, a := range all {
		if byReader[a.kind] == nil {
			byReader[a.kind] = make(map[string][]time.Time)
		}
		byReader[a.kind][a.reader] = append(byReader[a.kind][a.reader], a.at)
	}
	out := make(map[kind]figures)
	for k, readers := range byReader {
		f := figures{readers: len(readers)}
		for reader, times := range readers {
			f.mails += len(times)
			if worst, when := busiest(times, time.Hour); worst > f.worst || worst == f.worst && reader < f.reader {
				f.worst, f.reader, f.when = worst, reader, when
			}
		}
		out[k] = f
	}
	return out
}

// busiest finds the most times that lie within any window.
func busiest(times []time.Time, window time.Duration) (most int, when time.Time) {
	slices.SortFunc(times, time.Time.Compare)
	first := 0
	for i, at := range times {
		for !times[first].Add(window).After(at) {
			first++
		}
		if n := i - first + 1; n > most {
			most, when = n, at
		}
	}
	return most, when
}
