package digest

import (
	"errors"
	"fmt"
	"time"
)

// Config is how an engine behaves. Defaults gives one for a window; New and
// Reload refuse what cannot work, with all faults at once.
type Config struct {
	// Host names this instance: digests are known as "<id>@Host".
	Host string
	// From is the address that digests come from, lull@Host if empty. Their
	// envelope sender is "<local>+<id>@<domain>" of it.
	From string
	// Window is the length of the sliding window of every budget.
	Window time.Duration
	// Budget bounds what a reader is sent from the gate in one window,
	// Notices what of it may be first notices. Two are kept for digests.
	Budget  int
	Notices int
	// PassBudget bounds the pass mail of a reader in one window; 0 is no bound.
	PassBudget int
	// Repeat is how many pass mails of one sender and signature a reader gets
	// in one window before the rest joins the digest; 0 is no bound.
	Repeat int
	// DSNs bounds the delivery reports that one sender gets in one window.
	// The rest is told to the sender in one digest.
	DSNs int
	// LateAfter is the age from which on a mail is late.
	LateAfter time.Duration
	// Schedule says when digests are due (see ParseSchedule), Schedules the
	// same for single readers.
	Schedule  string
	Schedules map[string]string
	// Spread is the longest time over which the digests of one moment are
	// spread, when there are many readers.
	Spread time.Duration
	// PinnedFor is how long a digest of unknown outcome is tried again before
	// it counts as told.
	PinnedFor time.Duration
	// SuspendAfter is how long a reader may be refused at RCPT before the
	// waiting copies expire.
	SuspendAfter time.Duration
	// PassFor is how long pass mail is tried, DelayAfter the age at which its
	// sender is told of a delay; 0 is never.
	PassFor    time.Duration
	DelayAfter time.Duration
	// Probe is how a mail server that does not answer is tried again, Retry
	// how a mail or reader that it put off is.
	Probe Backoff
	Retry Backoff
	// Concurrency bounds the mails under way at once; one place of it is left
	// to pass mail.
	Concurrency int
	// Rate bounds what is handed to the mail server in one window, SenderRate
	// what of it may have one envelope sender; 0 is no bound.
	Rate       int
	SenderRate int
	// Storm says what a storm is.
	Storm Threshold
	// MaxBytes bounds a digest; 0 is what package compose takes.
	MaxBytes int
}

// Backoff is a growing wait: First after the first fault, twice as long after
// each further one in a row, at most Max.
type Backoff struct {
	First, Max time.Duration
}

// After is the wait after so many faults in a row, of which there is at least one.
func (b Backoff) After(faults int) time.Duration {
	wait := b.First
	for ; faults > 1 && wait < b.Max; faults-- {
		wait *= 2
	}
	return min(wait, b.Max)
}

// keptForDigests are the slots of the budget that first notices leave alone.
const keptForDigests = 2

// Defaults is the configuration of the design for a window of one hour. For
// another window every length of time is scaled, for trials.
func Defaults(window time.Duration) Config {
	scale := func(hours float64) time.Duration { return time.Duration(hours * float64(window)) }
	schedule := "0 * * * *"
	if window != time.Hour {
		schedule = "@every " + window.String()
	}
	return Config{
		Window: window, Budget: 6, Notices: 4, PassBudget: 60, Repeat: 5, DSNs: 20,
		LateAfter: scale(1), Schedule: schedule, Spread: scale(1. / 6),
		PinnedFor: scale(24), SuspendAfter: scale(5 * 24), PassFor: scale(5 * 24),
		Probe:       Backoff{First: scale(1. / 240), Max: scale(1. / 20)},
		Retry:       Backoff{First: scale(1. / 12), Max: scale(1)},
		Concurrency: 8,
		Storm:       DefaultThreshold(window),
	}
}

// tick is the sixtieth part of the window: what is looked after each minute.
func (c Config) tick() time.Duration { return c.Window / 60 }

// validate names every fault.
func (c Config) validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(c.Host == "", "host: must name this instance; digests are known by it")
	fault(c.Window < time.Second, "window: %v is too short; give one second or more", c.Window)
	fault(c.Budget < 1, "budget: %d mails leave no room for a digest; give 1 or more", c.Budget)
	fault(c.Notices < 0 || c.PassBudget < 0 || c.Repeat < 0 || c.DSNs < 0 || c.Rate < 0 || c.SenderRate < 0,
		"budgets and rates: must not be negative; 0 is no bound, and for notices and dsns none at all")
	fault(c.Notices > 0 && c.Notices+keptForDigests > c.Budget,
		"notices: %d first notices do not fit into a budget of %d, of which %d are kept for digests; give at most %d",
		c.Notices, c.Budget, keptForDigests, max(0, c.Budget-keptForDigests))
	fault(c.Concurrency < 1, "concurrency: %d; give 1 or more", c.Concurrency)
	fault(c.LateAfter <= 0 || c.PinnedFor <= 0 || c.SuspendAfter <= 0 || c.PassFor <= 0 || c.DelayAfter < 0 || c.Spread < 0,
		"late_after, pinned_for, suspend_after, pass_for: must be longer than nothing")
	fault(c.Probe.First <= 0 || c.Retry.First <= 0 || c.Probe.Max < c.Probe.First || c.Retry.Max < c.Retry.First,
		"probe, retry: the first wait must be longer than nothing, and not longer than the greatest")
	return errors.Join(faults...)
}
