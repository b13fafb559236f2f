package deliver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
)

// connect makes a connection to the server that is ready for MAIL, or notes
// why it cannot.
func (s *Smarthost) connect(ctx context.Context, server *server) (*conn, *refusal) {
	evicted, err := s.makeRoom(server)
	if err != nil {
		return nil, &refusal{stage: stageConnect, err: err}
	}
	if evicted != nil {
		evicted.quit()
	}
	c, why := s.reach(ctx, server)
	if why == nil {
		return c, nil
	}
	s.gone(server)
	if ctx.Err() == nil {
		s.blame(ctx, server, why)
	}
	return nil, why
}

func (s *Smarthost) blame(ctx context.Context, server *server, why *refusal) {
	a := attempt{now: s.opt.Now}
	s.mu.Lock()
	defer s.mu.Unlock()
	server.fault(a.answered(ctx, why.stage, why.reply, why.err))
}

// reach tries the hosts of the server, and without TLS where that is allowed
// and the handshake failed.
func (s *Smarthost) reach(ctx context.Context, server *server) (*conn, *refusal) {
	hosts, err := s.hosts(ctx, server)
	if err != nil {
		return nil, &refusal{stage: stageConnect, err: err}
	}
	var first *refusal
	for _, addr := range hosts {
		c, why := s.open(ctx, server, addr, false)
		var handshake *handshakeError
		if why != nil && errors.As(why.err, &handshake) && server.mayClear() && ctx.Err() == nil {
			c, why = s.open(ctx, server, addr, true)
		}
		if why == nil {
			return c, nil
		}
		if first == nil {
			first = why
		}
	}
	return nil, first
}

func (s *server) mayClear() bool {
	return !s.ImplicitTLS && (s.TLS == TLSOpportunistic || s.TLS == "")
}

// hosts lists "host:port" to try, in order.
func (s *Smarthost) hosts(ctx context.Context, server *server) ([]string, error) {
	if !server.MX {
		return []string{server.Addr}, nil
	}
	domain, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, server.Timeouts.Connect)
	defer cancel()
	found, err := s.opt.LookupMX(ctx, domain)
	var missing *net.DNSError
	if err != nil && len(found) == 0 && (!errors.As(err, &missing) || !missing.IsNotFound) {
		return nil, fmt.Errorf("mail exchangers of %s: %w", domain, err)
	}
	return exchangers(domain, port, found)
}

// exchangers orders them by preference; a domain without any is its own
// (RFC 5321 section 5.1), one with "." takes no mail (RFC 7505).
func exchangers(domain, port string, found []*net.MX) ([]string, error) {
	if len(found) == 0 {
		return []string{net.JoinHostPort(domain, port)}, nil
	}
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	var hosts []string
	for _, mx := range found {
		if host := strings.TrimSuffix(mx.Host, "."); host != "" {
			hosts = append(hosts, net.JoinHostPort(host, port))
		}
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("%s takes no mail (its MX is \".\")", domain)
	}
	return hosts, nil
}

// open dials one address and greets.
func (s *Smarthost) open(ctx context.Context, server *server, addr string, clear bool) (*conn, *refusal) {
	raw, err := s.dial(ctx, server, addr)
	if err != nil {
		return nil, &refusal{stage: stageConnect, err: waited(err, server.Timeouts.Connect)}
	}
	c := newConn(server, raw, server.Timeouts)
	c.clear = clear
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	stop := c.interruptible(ctx)
	why := c.greet(ctx, s.opt.LocalName, host)
	if stop(); why != nil {
		c.quit()
		return nil, why
	}
	return c, nil
}

func (s *Smarthost) dial(ctx context.Context, server *server, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, server.Timeouts.Connect)
	defer cancel()
	network := "tcp"
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	if s.opt.Dial != nil {
		return s.opt.Dial(ctx, network, addr)
	}
	dialer := net.Dialer{}
	if server.Source != "" && network == "tcp" {
		ip := net.ParseIP(server.Source)
		if ip == nil {
			return nil, fmt.Errorf("source address %q is no IP address", server.Source)
		}
		dialer.LocalAddr = &net.TCPAddr{IP: ip}
	}
	return dialer.DialContext(ctx, network, addr)
}
