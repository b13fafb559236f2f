package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"lull/cmd/internal/config"
	"lull/relay/deliver"
	"lull/store"
)

// way is the way out: the mail server, or Maildirs. A reload may replace it
// between two mails.
type way struct {
	mu    sync.RWMutex
	to    deliver.Sender
	smart *deliver.Smarthost // nil for Maildirs
}

// Send makes one attempt; see [deliver.Sender].
func (w *way) Send(ctx context.Context, mail store.Outgoing, ready deliver.Ready) store.Sent {
	w.mu.RLock()
	to := w.to
	w.mu.RUnlock()
	return to.Send(ctx, mail, ready)
}

// replace lets mails under way end over the old way.
func (w *way) replace(to deliver.Sender) {
	w.mu.Lock()
	old := w.smart
	w.to = to
	w.smart, _ = to.(*deliver.Smarthost)
	w.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
}

func (w *way) close() { w.replace(nil) }

// health is that of the mail server; false for Maildirs.
func (w *way) health() (deliver.Health, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.smart == nil {
		return deliver.Health{}, false
	}
	return w.smart.Health(), true
}

// outOf makes the way out that a configuration names.
func outOf(cfg config.Config, readerOf func(string) string) (deliver.Sender, error) {
	if len(cfg.Smarthost) == 0 {
		out := deliver.NewOutbox(cfg.Outbox, time.Now)
		out.ReaderOf = readerOf
		return out, nil
	}
	opt := deliver.Options{LocalName: cfg.Hostname}
	for _, s := range cfg.Smarthost {
		server, err := serverOf(s)
		if err != nil {
			return nil, fmt.Errorf("smarthost %s: %w", s.Addr, err)
		}
		opt.Servers = append(opt.Servers, server)
	}
	return deliver.NewSmarthost(opt), nil
}

// timeoutsOf leaves what RFC 5321 lets be shorter as short as it comes.
func timeoutsOf(s config.Smarthost) deliver.Timeouts {
	wait := time.Duration(s.Timeout)
	return deliver.Timeouts{
		Connect: min(wait, 30*time.Second), Greeting: wait, Command: wait, Data: min(wait, 2*time.Minute),
		Block: min(wait, 3*time.Minute), Dot: time.Duration(s.DotTimeout),
	}
}

func serverOf(s config.Smarthost) (deliver.Server, error) {
	server := deliver.Server{Addr: s.Addr, MX: s.MX, LMTP: s.LMTP, TLS: deliver.TLS(s.TLS), ImplicitTLS: s.Implicit, Username: s.Username, Source: s.Source, MaxConnections: s.MaxConnections, Timeouts: timeoutsOf(s)}
	if s.Password != "" {
		secret, err := os.ReadFile(s.Password)
		if err != nil {
			return server, err
		}
		server.Password = strings.TrimRight(string(secret), "\r\n")
	}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return server, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return server, fmt.Errorf("%s holds no certificate in PEM", s.CA)
		}
		server.TLSConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return server, nil
}
