package relay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	maxTries   = 3                // failed AUTH commands of a connection
	maxGuesses = 10               // failed AUTH commands of an address …
	guessTime  = 10 * time.Minute // … within that time
	failDelay  = time.Second      // what each of them costs
)

var errAuth = errors.New("wrong name or password")

// AuthMechanisms is asked by go-smtp, which offers AUTH over TLS only.
func (s *session) AuthMechanisms() []string {
	if s.srv.cfg.Users == nil {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth begins an authentication (RFC 4954).
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	switch {
	case s.srv.cfg.Users == nil:
		return nil, smtp.ErrAuthUnsupported
	case mechanism == sasl.Plain:
		return sasl.NewPlainServer(func(identity, name, password string) error {
			if identity != "" && identity != name {
				return s.refuse(Event{}, say(535, enhanced{5, 7, 8}, "Nobody may speak for another here"))
			}
			return s.login(name, password)
		}), nil
	case mechanism == sasl.Login:
		return &loginServer{login: s.login}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// login checks a password. Failures are slow, and few.
func (s *session) login(name, password string) error {
	guesser := s.wire.host()
	if !s.srv.guards.begin(guesser, time.Now()) {
		return s.refuse(Event{}, say(454, enhanced{4, 7, 0}, "Too many failures from your address, try again later"))
	}
	right := s.srv.check(guesser, name, password)
	s.srv.guards.end(guesser, right, time.Now())
	if right {
		s.mu.Lock()
		s.auth = name
		s.mu.Unlock()
		return nil
	}
	pause(s.srv.ctx, failDelay)
	if s.tries++; s.tries >= maxTries {
		s.wire.endAfterReply()
		return s.refuse(Event{Err: errAuth}, say(421, enhanced{4, 7, 0}, "Too many failures"))
	}
	return s.refuse(Event{Err: errAuth}, smtp.ErrAuthFailed)
}

// check checks a password when it is the host's turn.
func (s *Server) check(host, name, password string) bool {
	if !s.hashing.take(s.ctx, host) {
		return false
	}
	defer s.hashing.give()
	return s.cfg.Users.check(name, password)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// loginServer is the mechanism LOGIN (draft-murchison-sasl-login-00), which is
// all that some programs know.
type loginServer struct {
	login    func(name, password string) error
	asked    int
	username string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && l.asked == 0 {
		l.asked = 1
		return []byte("Username:"), false, nil
	}
	if l.asked < 2 {
		l.asked, l.username = 2, string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.login(l.username, string(response))
}

// guards slow down those who guess passwords.
type guards struct {
	mu      sync.Mutex
	ended   *sync.Cond // a check has ended
	guesses map[string]guess
}

// guess counts the failures of one address.
type guess struct {
	failures int
	since    time.Time
	trying   int // checks under way, each of which may be one more
}

func newGuards() *guards {
	g := &guards{guesses: make(map[string]guess)}
	g.ended = sync.NewCond(&g.mu)
	return g
}

// begin lets an address try one password, or not, if it has failed too often of
// late. While more are being checked than it may get wrong, it waits: those
// who try many at once have no more guesses than others.
func (g *guards) begin(address string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		was := g.guesses[address]
		if now.Sub(was.since) >= guessTime {
			was.failures = 0
		}
		if was.failures >= maxGuesses {
			return false
		}
		if was.failures+was.trying < maxGuesses {
			was.trying++
			g.guesses[address] = was
			return true
		}
		g.ended.Wait()
	}
}

// end counts what begin let in. What is over is forgotten, so that the count
// is bounded by the failures of guessTime.
func (g *guards) end(address string, right bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.guesses[address]
	was.trying--
	if !right {
		if was.failures == 0 {
			was.since = now
		}
		was.failures++
	}
	g.guesses[address] = was
	for a, was := range g.guesses {
		if was.trying == 0 && (was.failures == 0 || now.Sub(was.since) >= guessTime) {
			delete(g.guesses, a)
		}
	}
	g.ended.Broadcast()
}
