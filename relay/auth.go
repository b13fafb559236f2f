package relay

import (
	"context"
	"errors"
	"runtime"
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
	if s.srv.guards.locked(s.wire.name, time.Now()) {
		return s.refuse(Event{}, say(454, enhanced{4, 7, 0}, "Too many failures from your address, try again later"))
	}
	if s.srv.guards.check(s.srv.ctx, s.srv.cfg.Users, name, password) {
		s.mu.Lock()
		s.auth = name
		s.mu.Unlock()
		return nil
	}
	s.srv.guards.failed(s.wire.name, time.Now())
	pause(s.srv.ctx, failDelay)
	if s.tries++; s.tries >= maxTries {
		s.wire.endAfterReply()
		return s.refuse(Event{Err: errAuth}, say(421, enhanced{4, 7, 0}, "Too many failures"))
	}
	return s.refuse(Event{Err: errAuth}, smtp.ErrAuthFailed)
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
	hashing chan struct{} // one for each check under way

	mu      sync.Mutex
	guesses map[string]guess
}

// guess counts the failures of one address.
type guess struct {
	failures int
	since    time.Time
}

func newGuards() *guards {
	return &guards{
		hashing: make(chan struct{}, runtime.GOMAXPROCS(0)),
		guesses: make(map[string]guess),
	}
}

// check checks a password, while no more than a few are being checked.
func (g *guards) check(ctx context.Context, users *Users, name, password string) bool {
	select {
	case g.hashing <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-g.hashing }()
	return users.check(name, password)
}

// locked reports whether an address has failed too often of late.
func (g *guards) locked(address string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.guesses[address]
	return was.failures >= maxGuesses && now.Sub(was.since) < guessTime
}

// failed counts a failure. What is over is forgotten, so that the count is
// bounded by the failures of guessTime.
func (g *guards) failed(address string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for a, was := range g.guesses {
		if now.Sub(was.since) >= guessTime {
			delete(g.guesses, a)
		}
	}
	was, known := g.guesses[address]
	if !known {
		was.since = now
	}
	was.failures++
	g.guesses[address] = was
}
