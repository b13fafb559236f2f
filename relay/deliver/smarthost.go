package deliver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"lull/store"
)

// Smarthost sends mail over SMTP to the first of its servers that can be used.
// It keeps connections open between mails, and is safe for concurrent use.
type Smarthost struct {
	opt Options

	mu      sync.Mutex
	servers []*server
	freed   chan struct{} // closed when a place has become free
	closed  bool
	counts  Counts
}

var _ Sender = (*Smarthost)(nil)

// NewSmarthost makes a Smarthost. It connects when there is something to send.
func NewSmarthost(opt Options) *Smarthost {
	opt = opt.withDefaults()
	s := &Smarthost{opt: opt, freed: make(chan struct{})}
	for _, one := range opt.Servers {
		one.Timeouts = one.Timeouts.or(opt.Timeouts)
		orDefault(&one.MaxConnections, opt.MaxConnections)
		s.servers = append(s.servers, &server{Server: one})
	}
	return s
}

var errShut = errors.New("this way out is closed: lull is shutting down, or has been given another one")

// Send implements [Sender]. It waits while MaxConnections others are sending to
// the server. A connection from the pool that turns out dead at MAIL costs no
// attempt: the mail goes over a new one. A server that puts the mail off at MAIL,
// or at RCPT for all recipients, costs none while another can be used; that goes
// for one that asks to slow down, too: it gets fewer, as it asked, and nobody
// need slow down for it who has another.
func (s *Smarthost) Send(ctx context.Context, mail store.Outgoing, ready Ready) store.Sent {
	a := newAttempt(mail, ready, s.opt.Now)
	if a.ended() {
		return a.sent
	}
	s.send(ctx, a)
	return a.sent
}

// send makes the attempt at one server after another, as long as they only put
// it off before they were given the body.
func (s *Smarthost) send(ctx context.Context, a *attempt) {
	var tried []*server
	for fresh := false; ; {
		c, why := s.connection(ctx, fresh, tried)
		if c == nil && len(tried) > 0 {
			return // what was said before counts
		}
		a.begin()
		if c == nil {
			a.refuse(a.answered(ctx, why.stage, why.reply, why.err))
			s.note(nil, a)
			return
		}
		server := c.server
		c.runFor(ctx, s.opt.Timeouts.Mail, a)
		fresh = c.stale(a) && ctx.Err() == nil
		s.putBack(c) // from here on it may be another's
		s.leave(server)
		if fresh {
			continue
		}
		s.note(server, a)
		if !a.putOff() || ctx.Err() != nil {
			return
		}
		tried = append(tried, server)
	}
}

// runFor makes the attempt over the connection, which takes so long at most.
func (c *conn) runFor(ctx context.Context, d time.Duration, a *attempt) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	stop := c.interruptible(ctx)
	c.run(ctx, a)
	stop()
}

// stale reports whether a connection from the pool turned out dead at MAIL.
func (c *conn) stale(a *attempt) bool {
	return c.reused && c.broken && !a.asked && a.sent.Reply.Stage == stageMail
}

// connection is one that is ready for MAIL, from the pool unless fresh, and a
// place at its server: of the first that can be used and was not tried. Otherwise
// it is why the first could not.
func (s *Smarthost) connection(ctx context.Context, fresh bool, tried []*server) (*conn, *refusal) {
	var first *refusal
	for tried = slices.Clone(tried); ; {
		server := s.place(ctx, tried)
		if server == nil {
			return nil, cmp.Or(first, &refusal{stage: stageConnect, err: cmp.Or(ctx.Err(), errNoServer)})
		}
		c, why := s.connectionTo(ctx, server, fresh)
		if why == nil {
			return c, nil
		}
		s.leave(server)
		if first = cmp.Or(first, why); ctx.Err() != nil {
			return nil, first
		}
		tried = append(tried, server)
	}
}

func (s *Smarthost) connectionTo(ctx context.Context, server *server, fresh bool) (*conn, *refusal) {
	if !fresh {
		if c := s.takeIdle(server); c != nil {
			return c, nil
		}
	}
	return s.connect(ctx, server)
}

// Close ends the idle connections, and the busy ones after their mail. A Send
// that begins after it is refused.
func (s *Smarthost) Close() error {
	s.mu.Lock()
	s.closed = true
	var idle []*conn
	for _, server := range s.servers {
		idle = append(idle, server.idle...)
		server.open -= len(server.idle)
		server.idle = nil
	}
	s.mu.Unlock()
	var parting sync.WaitGroup
	for _, c := range idle {
		c.retired.Stop()
		parting.Go(c.quit)
	}
	parting.Wait()
	return nil
}
