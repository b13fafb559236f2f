package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"

	"lull/digest"
	"lull/digest/signature"
	"lull/relay"
	"lull/relay/deliver"
	"lull/relay/policy"
	"lull/store"
	"lull/store/bolt"

	"github.com/oklog/ulid/v2"
)

// tick is how far the day's clock moves at a time.
const tick = 30 * time.Second

// Options of a replay.
type Options struct {
	Dir      string // where the state and the digests go; must exist
	Variant  Variant
	Seed     uint64
	Tools    int                                 // tools with failing jobs; 0 is the 420 of the day
	Progress func(done, total int, at time.Time) // may be nil
}

// replay is lull with its surroundings, on a clock of its own.
type replay struct {
	day     day
	clock   atomic.Pointer[time.Time]
	store   *bolt.Store
	server  *mailServer
	out     *deliver.Smarthost
	engine  *digest.Engine
	relay   *relay.Server
	clients *clients
}

func (r *replay) now() time.Time { return *r.clock.Load() }

func (r *replay) set(t time.Time) { r.clock.Store(&t) }

// Run replays the day once and reports what came of it.
func Run(ctx context.Context, o Options) (Report, error) {
	d := october7()
	letters := script(d, o.Seed, cmp.Or(o.Tools, 420))
	r, err := assemble(d, o)
	if err != nil {
		return Report{}, err
	}
	defer r.close()
	if err := r.play(ctx, letters, o.Progress); err != nil {
		return Report{}, err
	}
	return r.report(ctx, o, letters)
}

// assemble wires the real parts as the daemon does.
func assemble(d day, o Options) (*replay, error) {
	r := &replay{day: d}
	r.set(d.begin)
	var err error
	if r.store, err = bolt.Open(filepath.Join(o.Dir, "state"), bolt.Options{}); err != nil {
		return nil, err
	}
	if r.server, err = newMailServer(d, o.Variant, r.now); err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	r.out = deliver.NewSmarthost(deliver.Options{
		Servers: []deliver.Server{{Addr: r.server.addr, TLS: deliver.TLSNone}}, LocalName: "lull.tools.wmflabs.org", Now: r.now,
	})
	if err := r.wire(o.Variant); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *replay) wire(v Variant) error {
	newID := func() string { return ulid.MustNewDefault(r.now()).String() }
	cfg := digest.Defaults(time.Hour)
	cfg.Host, cfg.From = "lull.tools.wmflabs.org", "lull@tools.wmflabs.org"
	deps := digest.Deps{NewID: newID, Gate: func() time.Duration { return r.now().Sub(r.day.begin) }}
	if v == Watched {
		deps.Healthy = r.canary
	}
	var err error
	if r.engine, err = digest.New(cfg, r.store, r.out, deps); err != nil {
		return err
	}
	decider, err := policy.New(nil)
	if err != nil {
		return err
	}
	r.relay = relay.New(relay.Config{Hostname: cfg.Host}, relay.Deps{
		Accept: r.store, Read: signature.Read, Decide: decider.Decide, Now: r.now, NewID: newID,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go r.relay.Serve(l)
	r.clients, err = dialClients(l.Addr().String(), 16)
	return err
}

// canary plays release_check: a mail that must come back does not while the
// mail server sits on what it accepts.
func (r *replay) canary(context.Context) error {
	if r.server.hangs() {
		return errors.New("the canary mail did not come back")
	}
	return nil
}

// play drives the day: at each tick the letters of that moment are handed in,
// and the engine does what is due.
func (r *replay) play(ctx context.Context, letters []letter, progress func(int, int, time.Time)) error {
	if err := r.engine.Start(ctx, r.day.begin); err != nil {
		return err
	}
	sent := 0
	for at := r.day.begin; at.Before(r.day.end); at = at.Add(tick) {
		r.set(at)
		n := sent
		for n < len(letters) && letters[n].at.Before(at) {
			n++
		}
		if err := r.clients.send(letters[sent:n]); err != nil {
			return err
		}
		sent = n
		if _, err := r.engine.Step(ctx, at); err != nil {
			return fmt.Errorf("at %s: %w", at.Format(time.TimeOnly), err)
		}
		if progress != nil {
			progress(sent, len(letters), at)
		}
	}
	return nil
}

func (r *replay) close() {
	if r.clients != nil {
		r.clients.close()
	}
	if r.relay != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		r.relay.Shutdown(ctx)
	}
	r.out.Close()
	r.server.close()
	r.store.Close()
}

var _ relay.Acceptor = store.Store(nil)
