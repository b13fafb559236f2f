package relay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// entrance is a listener whose connections are counted and guarded.
type entrance struct {
	net.Listener
	srv  *Server
	door Door
}

// Accept waits for the next client that is let in.
func (e *entrance) Accept() (net.Conn, error) {
	for {
		c, err := e.next()
		if err != nil {
			return nil, err
		}
		if guarded := e.admit(c); guarded != nil {
			return guarded, nil
		}
	}
}

// next waits for the next client. Running out of descriptors or memory is
// waited out: the connections that are open need them.
func (e *entrance) next() (net.Conn, error) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	for delay := shortest; ; delay = min(2*delay, longest) {
		c, err := e.Listener.Accept()
		if err == nil {
			return c, nil
		}
		if e.srv.doors.closed() {
			return nil, net.ErrClosed
		}
		if !passing(err) {
			return nil, err
		}
		e.srv.deps.Event(Event{Kind: Trouble, Err: fmt.Errorf("taking a connection: %w", err)})
		e.srv.doors.pause(delay)
	}
}

// passing reports whether an error of Accept can go away by itself.
func passing(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// admit guards a connection, or turns it away if there are too many: at once,
// before anything is made for it. It then returns nil.
func (e *entrance) admit(c net.Conn) net.Conn {
	client, name := clientOf(c)
	w := &wire{
		Conn: c, client: client, name: name,
		times:   e.srv.cfg.times(),
		roster:  e.srv.open,
		tell:    e.srv.deps.Event,
		born:    time.Now(),
		secured: e.door.TLS,
	}
	w.proxied = slices.ContainsFunc(e.door.Proxies, func(p netip.Prefix) bool { return p.Contains(client) })
	w.refusal = e.srv.open.enter(w)
	if !w.proxied {
		w.welcome()
	}
	if w.refusal != nil && !w.proxied {
		go w.turnAway()
		return nil
	}
	if e.door.TLS {
		return tls.Server(w, e.srv.cfg.TLS)
	}
	w.upper = w
	return w
}

func (c Config) times() times {
	return times{
		idle:    c.Idle,
		command: c.CommandTimeout,
		session: c.SessionTime,
		replies: int64(c.MaxRecipients) + 200,
	}
}

// clientOf is who is at the other end: an address, or "unix".
func clientOf(c net.Conn) (netip.Addr, string) {
	remote := c.RemoteAddr()
	if remote.Network() == "unix" {
		return netip.Addr{}, "unix"
	}
	at, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return netip.Addr{}, "unknown"
	}
	client := at.Addr().Unmap().WithZone("")
	return client, client.String()
}

// wireOf finds the guard of a connection below its TLS.
func wireOf(c net.Conn) *wire {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*wire)
}

// troubles makes events of what go-smtp logs.
type troubles func(Event)

// Printf is called by go-smtp.
func (t troubles) Printf(format string, v ...any) {
	t(Event{Kind: Trouble, Err: fmt.Errorf(format, v...)})
}

// Println is called by go-smtp.
func (t troubles) Println(v ...any) {
	t(Event{Kind: Trouble, Err: errors.New(fmt.Sprint(v...))})
}
