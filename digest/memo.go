package digest

import (
	"maps"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// memo is what an engine remembers without the store. All of it may be lost:
// it is there to be gentle, not to be right.
type memo struct {
	pending []store.Mark // outcomes that the store could not take yet
	cramped bool         // for want of space
	replan  bool         // the configuration has changed
	wall    time.Time    // of the last Step
	gate    time.Duration
	tended  time.Duration
	pruned  time.Duration
	began   bool // tended and pruned are set
	// rest is the gate time before which a Step has nothing to do but what it
	// foresaw for due.
	rest time.Duration
	due  time.Time
	// first is the highest number that waited at the start: what it and
	// those below announce is old.
	first uint64
	// quiet holds back the open digests of a former run until then.
	quiet map[string]time.Time
	// busy are the readers that something is being sent to, and the messages
	// that are being passed on.
	busy map[string]bool
	// level is how much less than everything a reader's next digest shows,
	// faults how often in a row it could not be sent.
	level  map[string]compose.Level
	faults map[string]int
	// overdue are the readers whose digest was due and could not be sent: until
	// it is, they get no notices.
	overdue map[string]bool
	// hold leaves a reader alone until that gate time: the store could not
	// take what became of the last attempt. mute holds back first notices, skip
	// the notices of one incident, which was refused.
	hold map[string]time.Duration
	mute map[string]time.Duration
	skip map[string]time.Duration
	// looked is the gate time before which a reader's news, of which there are
	// many, are not looked at again.
	looked map[string]time.Duration
	// storms are those that go on, by reader.
	storms map[string]*weathered
	// unwell is set while the release check fails.
	unwell bool
	// tail is when the last pass copy that waits for a reader's budget is
	// planned to go, rate when a sender's next mail is on time.
	tail map[string]time.Time
	rate map[string]time.Duration
	// held are the readers told to wait for a slot, so that it is said once.
	held map[string]bool
}

func newMemo() memo {
	return memo{
		quiet: map[string]time.Time{}, busy: map[string]bool{},
		level: map[string]compose.Level{}, faults: map[string]int{}, overdue: map[string]bool{},
		hold: map[string]time.Duration{}, mute: map[string]time.Duration{}, skip: map[string]time.Duration{}, looked: map[string]time.Duration{},
		storms: map[string]*weathered{},
		tail:   map[string]time.Time{}, rate: map[string]time.Duration{},
		held: map[string]bool{},
	}
}

// takePending hands over the outcomes that are still to be recorded.
func (e *Engine) takePending() []store.Mark {
	e.mu.Lock()
	defer e.mu.Unlock()
	pending := e.memo.pending
	e.memo.pending, e.memo.cramped = nil, false
	return pending
}

func (e *Engine) keepPending(m store.Mark, full bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.pending = append(e.memo.pending, m)
	e.memo.cramped = e.memo.cramped || full
}

// cramped reports whether the store has no room for outcomes.
func (e *Engine) cramped() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memo.cramped
}

// takeReplan reports whether times to come must be planned anew: the
// configuration has changed, or the clock was set back and left them too far
// ahead.
func (e *Engine) takeReplan(now time.Time, gate time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := &e.memo
	back := !m.wall.IsZero() && m.wall.Add(gate-m.gate).Sub(now) > time.Second
	replan := m.replan || back
	m.replan, m.wall, m.gate = false, now, gate
	return replan
}

// counted remembers how many readers there are.
func (e *Engine) counted(readers int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readers = readers
}

// tendDue reports whether it is time for the housekeeping, and for removing
// what is past retention.
func (e *Engine) tendDue(gate time.Duration) (due, prune bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := &e.memo
	if m.began && gate < m.tended+e.plan.tick() {
		return false, false
	}
	prune = !m.began || gate >= m.pruned+e.plan.Window
	m.began, m.tended = true, gate
	if prune {
		m.pruned = gate
	}
	return true, prune
}

// tire lets the next Step rest after a census: ten times as long as that took,
// at most a few seconds.
func (e *Engine) tire(began, ended time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.rest = ended + min(10*(ended-began), e.plan.tick()/12)
}

// rests remembers when something is due.
func (e *Engine) rests(due time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.due = due
}

// resting reports whether a Step may be left out, and when to call again.
func (e *Engine) resting(now time.Time, gate time.Duration) (next time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if gate >= e.memo.rest || !now.Before(e.memo.due) {
		return time.Time{}, false
	}
	next = now.Add(e.memo.rest - gate)
	if e.memo.due.Before(next) {
		next = e.memo.due
	}
	return next, true
}

// claim keeps others from sending to a reader until release is called.
func (e *Engine) claim(reader string) (release func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.memo.busy[reader] {
		return nil, false
	}
	e.memo.busy[reader] = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.memo.busy, reader)
	}, true
}

func (e *Engine) isBusy(reader string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memo.busy[reader]
}

// fault counts another fault in a row with a reader.
func (e *Engine) fault(reader string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.faults[reader]++
	return e.memo.faults[reader]
}

// setOverdue remembers whether a reader's digest could not be sent when it was
// due.
func (e *Engine) setOverdue(reader string, overdue bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.memo.overdue[reader] = overdue; !overdue {
		delete(e.memo.overdue, reader)
	}
}

func (e *Engine) isOverdue(reader string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memo.overdue[reader]
}

// told forgets a reader's faults.
func (e *Engine) told(reader string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.memo.faults, reader)
	delete(e.memo.level, reader)
	delete(e.memo.mute, reader)
	delete(e.memo.overdue, reader)
}

// levelOf is how much a reader's next digest shows.
func (e *Engine) levelOf(r store.Reader) compose.Level {
	e.mu.Lock()
	defer e.mu.Unlock()
	return min(max(e.memo.level[r.Name], compose.Level(r.Rejected)), compose.TitlesOnly)
}

func (e *Engine) setLevel(reader string, level compose.Level) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.level[reader] = level
}

// noteHeld remembers that a reader waits for a slot, and reports whether that
// is new.
func (e *Engine) noteHeld(reader string, held bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.memo.held[reader]
	if e.memo.held[reader] = held; !held {
		delete(e.memo.held, reader)
	}
	return was != held
}

// noteHealth remembers the release check, and reports whether it changed.
func (e *Engine) noteHealth(well bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed := e.memo.unwell == well
	e.memo.unwell = !well
	return changed
}

// firstNumber is the highest number that waited at the start.
func (e *Engine) firstNumber() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memo.first
}

// quietUntil holds back a digest that a former run left open.
func (e *Engine) quietUntil(reader string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.memo.quiet[reader]
}

// mute holds back a reader's first notices for a while: the address was refused.
func (e *Engine) mute(reader string) {
	gate := e.deps.Gate()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.mute[reader] = gate + e.plan.Window
}

// hold leaves a reader alone for a minute.
func (e *Engine) hold(reader string) {
	gate := e.deps.Gate()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.hold[reader] = gate + e.plan.tick()
}

func (e *Engine) isHeld(reader string, gate time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return gate < e.memo.hold[reader]
}

func (e *Engine) muted(reader string, gate time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return gate < e.memo.mute[reader]
}

// look reports whether a reader's news may be looked at now. Many of them are
// looked at every few seconds only.
func (e *Engine) look(r store.Reader, gate time.Duration) (wait time.Duration, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if next := e.memo.looked[r.Name]; gate < next {
		return next - gate, false
	}
	if r.News > manyNews {
		e.memo.looked[r.Name] = gate + e.plan.tick()/12
	}
	return 0, true
}

// skip leaves an incident to the digest: its first mail was refused.
func (e *Engine) skip(incident string) {
	gate := e.deps.Gate()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memo.skip[incident] = gate + e.plan.LateAfter + e.plan.Window
}

func (e *Engine) skipped(incident string, gate time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return gate < e.memo.skip[incident]
}

// forget drops what does not count any more.
func (e *Engine) forget(now time.Time, gate time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	over := func(_ string, until time.Duration) bool { return until <= gate }
	maps.DeleteFunc(e.memo.hold, over)
	maps.DeleteFunc(e.memo.looked, over)
	maps.DeleteFunc(e.memo.mute, over)
	maps.DeleteFunc(e.memo.skip, over)
	maps.DeleteFunc(e.memo.rate, over)
	past := func(_ string, until time.Time) bool { return until.Before(now) }
	maps.DeleteFunc(e.memo.tail, past)
	maps.DeleteFunc(e.memo.quiet, past)
}
