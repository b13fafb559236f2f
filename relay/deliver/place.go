package deliver

import (
	"context"
	"errors"
	"slices"
	"time"
)

// placeTime is how long a mail waits for a place at a server before one of the
// next server will do.
const placeTime = 30 * time.Second

var errNoServer = errors.New("no mail server is configured")

// place takes a place at a server that was not tried, for one mail: at the first
// of those that can be used, which it waits for if all of its places are taken,
// and after placeTime at any. It returns nil when there is none to try, or ctx
// has ended. What is taken is given back with leave.
func (s *Smarthost) place(ctx context.Context, tried []*server) *server {
	late := time.NewTimer(placeTime)
	defer late.Stop()
	for anywhere := false; ; {
		found, freed := s.tryPlace(tried, anywhere)
		if found != nil || freed == nil {
			return found
		}
		select {
		case <-freed:
		case <-late.C:
			anywhere = true
		case <-ctx.Done():
			return nil
		}
	}
}

// tryPlace takes a place, or returns what is closed when there may be one; nil
// if all servers were tried.
func (s *Smarthost) tryPlace(tried []*server, anywhere bool) (found *server, freed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	order := slices.DeleteFunc(s.order(now), func(one *server) bool { return slices.Contains(tried, one) })
	if len(order) == 0 {
		return nil, nil
	}
	if found = choose(order, now, anywhere); found == nil {
		return nil, s.freed
	}
	found.busy++
	return found, nil
}

// choose is a server that has a place. One that comes back after faults, or
// after it asked to slow down, gets one mail at a time until it has taken one,
// as long as another has a place.
func choose(order []*server, now time.Time, anywhere bool) *server {
	for _, one := range order {
		switch {
		case one.down.After(now):
		case one.full():
			if one.faults == 0 && !anywhere {
				return nil // it is worth waiting for
			}
		case one.faults == 0 || one.busy == 0:
			return one
		}
	}
	if i := slices.IndexFunc(order, func(one *server) bool { return !one.full() }); i >= 0 {
		return order[i]
	}
	return nil
}

func (s *server) full() bool { return s.busy >= s.MaxConnections }

// leave gives a place back.
func (s *Smarthost) leave(server *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server.busy--
	close(s.freed)
	s.freed = make(chan struct{})
}
