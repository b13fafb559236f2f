package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/emersion/go-smtp"
)

// Serve takes mail in from l until Shutdown is called, and returns nil then.
// It closes l. Several listeners may be served at once.
func (s *Server) Serve(l net.Listener) error {
	e := &entrance{Listener: l, srv: s}
	if !s.doors.add(e) {
		l.Close() //nolint:errcheck // it was never used
		return nil
	}
	defer s.doors.remove(e)
	err := s.protocol().Serve(e)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// protocol is go-smtp, set up for one listener.
func (s *Server) protocol() *smtp.Server {
	p := smtp.NewServer(smtp.BackendFunc(s.newSession))
	p.Domain = s.cfg.Hostname
	p.MaxMessageBytes = s.cfg.MaxMessage
	p.MaxRecipients = s.cfg.MaxRecipients
	p.MaxLineLength = 0 // no limit inside a message; wire bounds the rest
	p.ReadTimeout = s.cfg.CommandTimeout
	p.WriteTimeout = writeTimeout
	p.EnableSMTPUTF8 = true
	p.EnableDSN = true
	p.TLSConfig = s.cfg.TLS
	p.ErrorLog = troubles(s.deps.Event)
	return p
}

// Shutdown ends the server: no connection is taken any more, idle clients get
// 421, and a message on its way is finished. What is not done when ctx is
// about to end gets 421 or is cut off. All connections are closed when
// Shutdown returns; the error is that of ctx, if something was cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	s.doors.close()
	defer s.cancel()
	empty := s.open.stop()
	for _, w := range s.open.all() {
		w.stop(false)
	}
	patient, cancel := allBut(ctx, time.Second)
	defer cancel()
	if await(patient, empty) == nil {
		return nil
	}
	s.cancel()
	for _, w := range s.open.all() {
		w.stop(true)
	}
	err := await(ctx, empty)
	for _, w := range s.open.all() {
		w.kill()
	}
	return err
}

// allBut is a context that ends so much before ctx does.
func allBut(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-min(d, time.Until(end)/2)))
	}
	return context.WithCancel(ctx)
}

func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// entrance is a listener whose connections are counted and guarded.
type entrance struct {
	net.Listener
	srv *Server
}

// Accept waits for the next client. Running out of descriptors or memory is
// waited out: the connections that are open need them.
func (e *entrance) Accept() (net.Conn, error) {
	const shortest, longest = 5 * time.Millisecond, time.Second
	for delay := shortest; ; delay = min(2*delay, longest) {
		c, err := e.Listener.Accept()
		if err == nil {
			return e.admit(c), nil
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

// admit guards a connection, and has it turned away if there are too many.
func (e *entrance) admit(c net.Conn) net.Conn {
	client, name := clientOf(c)
	w := &wire{
		Conn: c, client: client, name: name,
		times: e.srv.cfg.times(),
		leave: e.srv.open.leave,
		tell:  e.srv.deps.Event,
		born:  time.Now(),
	}
	w.upper = w
	if w.refusal = e.srv.open.enter(w); w.refusal != nil {
		e.srv.deps.Event(Event{Kind: TurnedAway, Client: name, Reply: line(w.refusal)})
		return w
	}
	e.srv.deps.Event(Event{Kind: Connected, Client: name})
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
