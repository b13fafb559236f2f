package deliver

import (
	"slices"
	"strings"
	"time"

	"lull/store"
)

// A server that could not be used, or put a mail off, is passed over for
// holdDown, longer after each further fault in a row, up to maxHoldDown, while
// another one can be used.
const (
	holdDown    = 15 * time.Second
	maxHoldDown = 5 * time.Minute
)

// Health is how the way out of lull is, for people and metrics.
type Health struct {
	LastSuccess time.Time // of a mail, zero if none
	// LastFailure is the last reply, or silence, that was about the server
	// and not about a mail or a recipient; zero if none.
	LastFailure store.Reply
	Open, Idle  int // connections; Open counts the idle ones too
	Servers     []ServerHealth
	Counts      Counts
}

// ServerHealth is the same of one server.
type ServerHealth struct {
	Addr        string
	LastSuccess time.Time
	LastFailure store.Reply
	Open, Idle  int
	Down        bool // passed over for the time being
}

// Counts are of attempts and conversions since the start.
type Counts struct {
	Delivered, Refused, Rejected, Uncertain uint64
	SlowDown                                uint64 // attempts that met one
	LineEnds                                uint64 // bare CR and LF that became CRLF
	Recoded                                 uint64 // mails converted for a server without 8BITMIME or SMTPUTF8
}

// Health reports the present state.
func (s *Smarthost) Health() Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := Health{Counts: s.counts}
	for _, server := range s.servers {
		one := server.health
		one.Addr, one.Open, one.Idle = server.Addr, server.open, len(server.idle)
		one.Down = server.down.After(time.Now())
		h.Servers = append(h.Servers, one)
		h.Open += one.Open
		h.Idle += one.Idle
		if one.LastSuccess.After(h.LastSuccess) {
			h.LastSuccess = one.LastSuccess
		}
		if one.LastFailure.At.After(h.LastFailure.At) {
			h.LastFailure = one.LastFailure
		}
	}
	return h
}

// note draws from an attempt what it says about the server; nil if none was
// reached.
func (s *Smarthost) note(server *server, a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.add(a.sent)
	if server == nil || a.ours {
		return
	}
	switch r := a.sent.Reply; {
	case a.sent.Outcome == store.Delivered:
		server.health.LastSuccess = r.At
		server.up()
	case r.Verdict == store.SlowDown:
		server.health.LastFailure = r
		server.passOver()
	case r.Verdict == store.Retry && (r.Code == 0 || r.Stage != stageRcpt), distrusted(r):
		server.fault(r)
	case r.Verdict == store.RetryLater && a.asked:
		server.passOver() // it may be about the mail: another server will tell
	}
}

// distrusted reports whether a server refused a recipient since it does not
// know that we may send: any mail will meet that, and only a person mends it.
func distrusted(r store.Reply) bool {
	text := strings.ToLower(r.Text)
	return r.Stage == stageRcpt && (r.Verdict == store.Retry && aboutUs(r.Code, text) || r.Verdict == store.RetryLater && relayDenied(text))
}

func (c *Counts) add(sent store.Sent) {
	switch sent.Outcome {
	case store.Delivered:
		c.Delivered++
	case store.Refused:
		c.Refused++
	case store.Rejected:
		c.Rejected++
	default:
		c.Uncertain++
	}
	if slices.ContainsFunc(sent.Targets, func(r store.Reply) bool { return r.SlowDown }) {
		c.SlowDown++
	}
	c.LineEnds += uint64(sent.LineEnds)
	if sent.Recoded {
		c.Recoded++
	}
}

func (s *server) up() { s.down, s.faults = time.Time{}, 0 }

func (s *server) fault(r store.Reply) {
	s.health.LastFailure = r
	s.passOver()
}

// passOver has other servers tried first for a while.
func (s *server) passOver() {
	s.down = time.Now().Add(min(holdDown<<min(s.faults, 10), maxHoldDown))
	s.faults++
}

// order lists the servers as they are to be tried: as configured, those passed
// over last.
func (s *Smarthost) order(now time.Time) []*server {
	order := slices.Clone(s.servers)
	slices.SortStableFunc(order, func(a, b *server) int { return rank(a, now) - rank(b, now) })
	return order
}

func rank(s *server, now time.Time) int {
	if s.down.After(now) {
		return 1
	}
	return 0
}
