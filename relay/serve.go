package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/emersion/go-smtp"
)

// Door says how clients come in through a listener.
type Door struct {
	// TLS: the connection begins with a handshake (RFC 8314); needs
	// Config.TLS.
	TLS bool
	// LMTP: the protocol is that of RFC 2033.
	LMTP bool
	// Proxies are those who name the client that they speak for, by the
	// PROXY protocol. All others are clients themselves.
	Proxies []netip.Prefix
}

// Serve takes mail in from l over SMTP, with STARTTLS if there is a
// certificate, until Shutdown is called, and returns nil then. It closes l.
// Several listeners may be served at once.
func (s *Server) Serve(l net.Listener) error { return s.ServeDoor(l, Door{}) }

// ServeDoor is like Serve, for clients that come in another way.
func (s *Server) ServeDoor(l net.Listener, d Door) error {
	if d.TLS && s.cfg.TLS == nil {
		return errors.New("implicit TLS needs a certificate")
	}
	e := &entrance{Listener: l, srv: s, door: d}
	if !s.doors.add(e) {
		l.Close() //nolint:errcheck // it was never used
		return nil
	}
	defer s.doors.remove(e)
	err := s.protocol(d).Serve(e)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// protocol is go-smtp, set up for one listener.
func (s *Server) protocol(d Door) *smtp.Server {
	p := smtp.NewServer(smtp.BackendFunc(s.newSession))
	p.Domain = s.cfg.Hostname
	p.LMTP = d.LMTP
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
