package relay

import (
	"context"
	"crypto"
	"crypto/tls"
	"io"
	"runtime"
	"slices"
	"sync"
)

// turns lets only a few do at a time what takes a processor for long, so that
// the others are there for mail. Hosts take turns: one with a crowd of
// connections waits for others, not they for all of its crowd.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting map[string][]chan struct{} // of each host, those who came first first
	hosts   []string                   // those that wait, the next one first
}

// newTurns leaves one processor to others, where there is more than one.
func newTurns() *turns {
	return &turns{free: max(1, runtime.GOMAXPROCS(0)-1), waiting: make(map[string][]chan struct{})}
}

// take waits for the host's turn, which ends with give. It reports false if ctx
// ended before.
func (t *turns) take(ctx context.Context, host string) bool {
	granted := t.line(host)
	select {
	case <-granted:
		return true
	case <-ctx.Done():
	}
	if !t.abandon(host, granted) {
		t.give() // it came just now
	}
	return false
}

// line puts one more of a host into the line, and returns what is closed when
// its turn has come.
func (t *turns) line(host string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	granted := make(chan struct{})
	if t.free > 0 {
		t.free--
		close(granted)
		return granted
	}
	if len(t.waiting[host]) == 0 {
		t.hosts = append(t.hosts, host)
	}
	t.waiting[host] = append(t.waiting[host], granted)
	return granted
}

// abandon leaves the line, if the turn has not come.
func (t *turns) abandon(host string, granted chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting[host], granted)
	if i < 0 {
		return false
	}
	t.waiting[host] = slices.Delete(t.waiting[host], i, i+1)
	t.forget(host)
	return true
}

// forget takes a host out of the line that has nobody there any more.
func (t *turns) forget(host string) {
	if len(t.waiting[host]) > 0 {
		return
	}
	delete(t.waiting, host)
	t.hosts = slices.DeleteFunc(t.hosts, func(h string) bool { return h == host })
}

// give ends a turn. The next is that of the host that has waited the longest
// since it had one.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.hosts) == 0 {
		t.free++
		return
	}
	host := t.hosts[0]
	line := t.waiting[host]
	close(line[0])
	t.hosts, t.waiting[host] = append(t.hosts[1:], host), line[1:]
	t.forget(host)
}

// handshakes is how clients are greeted over TLS: as in cfg, but the signature
// of a handshake, which with RSA takes a processor for a millisecond and more,
// waits for its turn.
func (s *Server) handshakes(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		return nil
	}
	cfg = cfg.Clone()
	get := cfg.GetCertificate
	if get == nil {
		get = suitable(cfg.Certificates)
	}
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := get(hello)
		if err != nil || c == nil {
			return c, err
		}
		key, ok := c.PrivateKey.(crypto.Signer)
		if !ok {
			return c, nil
		}
		slow := *c
		slow.PrivateKey = signer{Signer: key, turns: s.signing, ctx: s.ctx, host: wireOf(hello.Conn).host()}
		return &slow, nil
	}
	return cfg
}

// suitable chooses among certificates as crypto/tls does.
func suitable(list []tls.Certificate) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		for i := range list {
			if hello.SupportsCertificate(&list[i]) == nil {
				return &list[i], nil
			}
		}
		if len(list) == 0 {
			return nil, nil // which crypto/tls has an error for
		}
		return &list[0], nil
	}
}

// signer signs when its host's turn has come.
type signer struct {
	crypto.Signer
	turns *turns
	ctx   context.Context
	host  string
}

// Sign implements [crypto.Signer].
func (s signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if !s.turns.take(s.ctx, s.host) {
		return nil, context.Cause(s.ctx)
	}
	defer s.turns.give()
	return s.Signer.Sign(random, digest, opts)
}
