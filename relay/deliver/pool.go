package deliver

import (
	"slices"
	"time"
)

// server is one mail server and its connections; Smarthost.mu guards it.
type server struct {
	Server
	idle   []*conn // the last used one last
	open   int     // connections, busy or idle
	busy   int     // places taken, each by one mail
	down   time.Time
	faults int // in a row
	health ServerHealth
}

// takeIdle takes the connection of the server that was used last, if any.
func (s *Smarthost) takeIdle(server *server) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(server.idle) - 1
	if n < 0 {
		return nil
	}
	c := server.idle[n]
	server.idle = server.idle[:n]
	c.retired.Stop()
	c.reused = true
	return c
}

// putBack keeps a connection for the next mail, or ends it.
func (s *Smarthost) putBack(c *conn) {
	s.mu.Lock()
	keep := !c.broken && !s.closed && c.mails < s.opt.MaxPerConnection
	if keep {
		c.server.idle = append(c.server.idle, c)
		c.retired = time.AfterFunc(s.opt.MaxIdle, func() { s.retire(c) })
	} else {
		c.server.open--
	}
	s.mu.Unlock()
	if !keep {
		c.quit()
	}
}

// retire ends a connection that was idle for long, unless it was just taken.
func (s *Smarthost) retire(c *conn) {
	s.mu.Lock()
	i := slices.Index(c.server.idle, c)
	if i >= 0 {
		c.server.idle = slices.Delete(c.server.idle, i, i+1)
		c.server.open--
	}
	s.mu.Unlock()
	if i >= 0 {
		c.quit()
	}
}

// makeRoom counts a connection that is about to be made, and takes an idle one
// away where it would be one too many. As each mail has a place there is one.
func (s *Smarthost) makeRoom(server *server) (evicted *conn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errShut
	}
	server.open++
	if server.open <= server.MaxConnections || len(server.idle) == 0 {
		return nil, nil
	}
	evicted, server.idle = server.idle[0], server.idle[1:]
	evicted.retired.Stop()
	server.open--
	return evicted, nil
}

func (s *Smarthost) gone(server *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	server.open--
}
