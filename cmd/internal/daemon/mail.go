package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
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
	if err := d.loadKeys(cfg); err != nil {
		return nil, err
	}
	d.relay = relay.New(relayConfig(cfg, d.keys), relay.Deps{
		Accept: intoStore{d}, Read: signature.Read, Decide: d.decide, Reader: d.readerOf,
		NewID: newID, Event: d.heard, Returned: d.returned, Space: d.space,
	})
	doors, err := openDoors(cfg, d.opt.Sockets)
	if err != nil {
		return nil, err
	}
	in := &intake{state: openIntake}
	for _, door := range doors {
		in.doors = append(in.doors, door.Addr().String())
		go func() {
			if err := d.relay.ServeDoor(door.Listener, door.way); err != nil {
				d.fail(fmt.Errorf("taking mail in on %s: %w", door.Addr(), err))
			}
		}()
	}
	d.intake.Store(in)
	d.log.Info("taking mail in", "listen", in.doors, "state", cfg.State, "version", d.opt.Version)
	if d.opt.Ready != nil {
		d.opt.Ready(in.doors)
	}
	return d.closeDoors, nil
}

// closeDoors lets the messages on their way end.
func (d *daemon) closeDoors() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime/3)
	defer cancel()
	if err := d.relay.Shutdown(ctx); err != nil {
		d.log.Warn("clients were cut off; what got no 250 they will send again", "err", err)
	}
}

func relayConfig(cfg config.Config, k keys) relay.Config {
	l := cfg.Limits
	return relay.Config{
		Hostname: cfg.Hostname, DigestAddress: cfg.Digest.From, QualifyDomain: cfg.QualifyDomain, MaxMessage: int64(l.Message),
		MaxRecipients: l.Recipients, MaxConnections: l.Connections, MaxPerHost: l.PerHost,
		DataBudget: int64(l.Data), MaxHops: l.Hops, Idle: time.Duration(l.Idle), SessionTime: time.Duration(l.Session),
		SenderDomains: l.SenderDomains, RecipientDomains: l.RecipientDomains, TLS: k.tls(), Users: k.users, Networks: networks(cfg.Networks),
	}
}

// networks are those that a configuration names.
func networks(texts []string) []netip.Prefix {
	list := []netip.Prefix{} // not nil, which would be the relay's default
	for _, n := range texts {
		if p, err := config.Network(n); err == nil { // Validate has told of others
			list = append(list, p)
		}
	}
	return list
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
