package digest

import "time"

// pace is what the mail server lets us do at the moment. It counts in gate
// time, so that a step of the clock neither hurries nor stalls it.
//
// A mail server that does not answer is probed with one mail at a time. One
// that is back, or that said "slow down", gets few mails a tick, twice as many
// in each tick that passes without trouble, and all again after surge ticks.
type pace struct {
	cfg   Config
	down  int           // faults in a row, 0 while the server answers
	since time.Duration // when the first of them was
	slow  int           // requests to slow down in a row
	until time.Duration // nothing is sent before
	allow int           // mails a tick; 0 is all
	tick  time.Duration // when the present tick began
	used  int           // mails begun in it
	tat   time.Duration // Rate: when the mail after the next would be on time
}

const (
	gentle = 10 // mails in the first tick after an outage
	surge  = 10 // times that this is doubled before there is no bound
)

// room is how many mails may be begun at gate time now, at most want; if none,
// wait is how long to.
func (p *pace) room(now time.Duration, want int) (n int, wait time.Duration) {
	if now < p.until {
		return 0, p.until - now
	}
	if p.down > 0 {
		return min(want, 1), 0
	}
	p.turn(now)
	n = want
	if p.allow > 0 {
		n = min(n, p.allow-p.used)
		wait = p.tick + p.cfg.tick() - now
	}
	if p.cfg.Rate > 0 {
		if due := p.onTime(now); due < n {
			n, wait = due, max(wait, p.gap())
		}
	}
	if n > 0 {
		wait = 0
	}
	return max(n, 0), wait
}

// turn begins a new tick when the old one is over.
func (p *pace) turn(now time.Duration) {
	if now < p.tick+p.cfg.tick() {
		return
	}
	p.tick, p.used = now, 0
	if p.allow *= 2; p.allow > gentle<<surge {
		p.allow, p.slow = 0, 0
	}
}

// gap is the time between two mails at the configured rate.
func (p *pace) gap() time.Duration { return p.cfg.Window / time.Duration(p.cfg.Rate) }

// onTime is how many mails the configured rate lets go now. What a tick was
// not used for may be made up for in the next.
func (p *pace) onTime(now time.Duration) int {
	burst := max(p.cfg.tick(), p.gap())
	return int((now + burst - max(p.tat, now)) / p.gap())
}

// began counts a mail.
func (p *pace) began(now time.Duration) {
	p.used++
	if p.cfg.Rate > 0 {
		p.tat = max(p.tat, now) + p.gap()
	}
}

// answered: the server is there. It reports whether it was not before.
func (p *pace) answered(now time.Duration) bool {
	if p.down == 0 {
		return false
	}
	p.down, p.until = 0, 0
	p.begin(now, gentle)
	return true
}

// failed: the server is not there. It reports whether it was before. Those of
// several mails under way at once count as one fault.
func (p *pace) failed(now time.Duration) bool {
	if now < p.until {
		return false
	}
	if p.down++; p.down == 1 {
		p.since = now
	}
	p.until = now + p.cfg.Probe.After(p.down)
	return p.down == 1
}

// slowed: the server asks for fewer mails.
func (p *pace) slowed(now time.Duration) bool {
	if now < p.until {
		return false
	}
	p.down = 0
	p.slow++
	p.until = now + Backoff{First: p.cfg.tick(), Max: 10 * p.cfg.tick()}.After(p.slow)
	p.begin(p.until, max(1, min(p.used, gentle)/2))
	return p.slow == 1
}

func (p *pace) begin(tick time.Duration, allow int) {
	p.tick, p.used, p.allow = tick, 0, allow
}
