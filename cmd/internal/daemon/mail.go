package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"

	"lull/cmd/internal/config"
	"lull/digest/signature"
	"lull/relay"
	"lull/relay/policy"
	"lull/store"
)

// newID draws an id that sorts by time.
func newID() string { return ulid.Make().String() }

// fold is an address as readers are named by it.
func fold(address string) string { return strings.ToLower(address) }

// intoStore accepts mail, and has the engine look at it.
type intoStore struct{ *daemon }

// Accept makes a message durable; see [relay.Acceptor].
func (s intoStore) Accept(ctx context.Context, m store.Message, body []byte) error {
	if err := s.store.Accept(ctx, m, body); err != nil {
		return err
	}
	s.stir()
	return nil
}

// space says whether there is room for another message.
func (d *daemon) space() error { return d.store.Room(context.Background()) }

// serveMail opens the doors. The function that it returns closes them, when
// the messages on their way are safe.
func (d *daemon) serveMail(cfg config.Config) (stop func(), err error) {
	secure, err := certificate(cfg.TLS)
	if err != nil {
		return nil, err
	}
	d.relay = relay.New(relayConfig(cfg, secure), relay.Deps{
		Accept: intoStore{d}, Read: signature.Read, Decide: d.decide, Reader: d.readerOf,
		NewID: newID, Event: d.heard, Returned: d.returned, Space: d.space,
	})
	doors, err := openDoors(cfg.Listen, secure)
	if err != nil {
		return nil, err
	}
	in := &intake{state: "open"}
	for _, l := range doors {
		in.doors = append(in.doors, l.Addr().String())
		go func() {
			if err := d.relay.Serve(l); err != nil {
				d.fail(fmt.Errorf("taking mail in on %s: %w", l.Addr(), err))
			}
		}()
	}
	d.intake.Store(in)
	d.log.Info("taking mail in", "listen", in.doors, "state", cfg.State, "version", d.opt.Version)
	if d.opt.Ready != nil {
		d.opt.Ready(in.doors)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime/3)
		defer cancel()
		if err := d.relay.Shutdown(ctx); err != nil {
			d.log.Warn("clients were cut off; what got no 250 they will send again", "err", err)
		}
	}, nil
}

// openDoors opens all doors, or none.
func openDoors(listenOn []string, secure *tls.Config) ([]net.Listener, error) {
	var doors []net.Listener
	for _, text := range listenOn {
		l, err := listen(text, secure)
		if err != nil {
			for _, open := range doors {
				_ = open.Close()
			}
			return nil, err
		}
		doors = append(doors, l)
	}
	return doors, nil
}

// listen opens one door.
func listen(text string, secure *tls.Config) (net.Listener, error) {
	door, err := config.DoorOf(text)
	if err != nil {
		return nil, err
	}
	if door.Network == "unix" {
		if info, err := os.Lstat(door.Address); err == nil && info.Mode().Type() == os.ModeSocket {
			_ = os.Remove(door.Address) // of a former run; a live one fails to bind below all the same
		}
	}
	l, err := net.Listen(door.Network, door.Address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another address with --listen", door.Address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be opened by this user; choose a port above 1023 with --listen, or give lull CAP_NET_BIND_SERVICE", door.Address)
	case err != nil:
		return nil, fmt.Errorf("%w; choose an address of this machine with --listen", err)
	}
	if door.TLS {
		return tls.NewListener(l, secure), nil
	}
	return l, nil
}

// certificate is the TLS of our doors, nil without one. The files are read
// anew when they changed, so that a renewed certificate needs no restart.
func certificate(t config.TLS) (*tls.Config, error) {
	if t.Certificate == "" {
		return nil, nil
	}
	pair := &keyPair{cert: t.Certificate, key: t.Key}
	if _, err := pair.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: pair.get, MinVersion: tls.VersionTLS12}, nil
}

func relayConfig(cfg config.Config, secure *tls.Config) relay.Config {
	l := cfg.Limits
	c := relay.Config{
		Hostname: cfg.Hostname, DigestAddress: cfg.Digest.From, MaxMessage: int64(l.Message),
		MaxRecipients: l.Recipients, MaxConnections: l.Connections, MaxPerHost: l.PerHost,
		DataBudget: int64(l.Data), MaxHops: l.Hops, Idle: time.Duration(l.Idle), SessionTime: time.Duration(l.Session),
		SenderDomains: l.SenderDomains, RecipientDomains: l.RecipientDomains, TLS: secure,
	}
	for _, n := range cfg.Networks {
		if p, err := config.Network(n); err == nil { // Validate has told of others
			c.Networks = append(c.Networks, p)
		}
	}
	return c
}

// decide asks the present policy.
func (d *daemon) decide(in policy.Input) policy.Decision { return d.settings.Load().policy.Decide(in) }

// readerOf is whom a recipient's digest is for.
func (d *daemon) readerOf(address string) string {
	folded := fold(address)
	if reader, ok := d.settings.Load().readers[folded]; ok {
		return reader
	}
	return folded
}
