// Package daemon puts the parts of lull together and runs them: it is the only
// place that knows of clocks that tick, signals, and log lines.
//
// The order of a start: the database is checked in a process of its own and
// opened (which takes the lock), the admin socket answers, the engine looks at
// what a former run left open, incidents of an earlier version are taken over,
// mail is taken in. A stop goes the other way: no new connections, messages on
// their way are finished, the engine ends its step, the store is closed.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"lull/cmd/internal/config"
	"lull/cmd/internal/systemd"
	"lull/digest"
	"lull/relay"
	"lull/relay/admin"
	"lull/relay/policy"
	"lull/store"
	"lull/store/bolt"
)

// Options are what the command line gives beside the configuration.
type Options struct {
	// Load reads the configuration, at the start and for each reload.
	Load func() (config.Config, error)
	// Reload asks for a reload.
	Reload <-chan struct{}
	// Log takes the log lines.
	Log *slog.Logger
	// Level of the log lines follows the configuration.
	Level *slog.LevelVar
	// Check is the command that checks a database, as arguments to this
	// program; the database's path is added.
	Check []string
	// SetAside moves a damaged database out of the way instead of refusing
	// to start.
	SetAside bool
	Version  string
	// Sockets are those that the service manager handed over.
	Sockets systemd.Sockets
	// Manager is told how the service is.
	Manager systemd.Manager
	// Ready, if set, is called when mail is taken in.
	Ready func(listening []string)
}

// daemon is one run.
type daemon struct {
	opt     Options
	log     *slog.Logger
	started time.Time
	gate    gate
	count   counters

	store  *bolt.Store
	term   uint64
	out    *way
	engine *digest.Engine
	relay  *relay.Server
	admin  *admin.Server
	keys   keys

	settings atomic.Pointer[settings]
	release  releaseCheck
	intake   atomic.Pointer[intake]
	wake     chan struct{}
	failed   chan error // what ends the run from within
}

// settings are what a reload replaces.
type settings struct {
	config  config.Config
	policy  *policy.Policy
	readers map[string]string // address, folded, to reader
	files   map[string]string // name to what is in it
}

// intake is where mail is taken in, or why it is not.
type intake struct {
	state string // openIntake, or why not
	doors []string
}

// openIntake is the state in which mail is taken in.
const openIntake = "open"

// stopTime bounds an ordered stop; each part of it has its share.
const stopTime = 30 * time.Second

// Run runs lull until ctx ends, and then stops it in order. An error says what
// is wrong and what to do.
func Run(ctx context.Context, opt Options) (err error) {
	cfg, err := opt.Load()
	if err != nil {
		return err
	}
	d := &daemon{
		opt: opt, log: opt.Log, started: time.Now(), out: &way{},
		wake: make(chan struct{}, 1), failed: make(chan error, 8),
	}
	d.intake.Store(&intake{state: "starting"})
	d.release.send, d.release.came = d.sendCanary, make(chan struct{}, 1)
	if err := d.apply(cfg); err != nil {
		return err
	}
	boundMemory(cfg)
	if err := d.open(ctx, cfg); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.makeEngine(cfg); err != nil {
		return err
	}
	stopAdmin, err := d.serveAdmin(cfg)
	if err != nil {
		return err
	}
	defer stopAdmin()
	stopEngine, err := d.runEngine(ctx)
	if err != nil {
		return err
	}
	defer stopEngine()
	if err := d.upgrade(ctx); err != nil {
		return err
	}
	stopRelay, err := d.serveMail(cfg)
	if err != nil {
		return err
	}
	defer stopRelay()
	defer d.serveSpool(cfg)()
	d.tell(d.ready())
	return d.wait(ctx)
}

// wait is the run itself: until it is told to stop, or cannot go on.
func (d *daemon) wait(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			d.closed("lull is stopping")
			d.log.Info("stopping")
			return nil
		case err := <-d.failed:
			d.closed("lull is about to end: " + err.Error())
			d.log.Error("cannot go on", "err", err)
			return err
		case <-d.store.Stopped():
			err := d.store.Err()
			d.closed("the store has stopped: " + err.Error())
			d.log.Error("the store has stopped", "err", err)
			return fmt.Errorf("%w; start lull again: it reads its state anew, and what was answered with 250 is there", err)
		case <-d.opt.Reload:
			d.tell(d.opt.Manager.Reloading())
			d.reload()
			d.tell(d.ready())
		}
	}
}

// closed tells status and the service manager why no mail is taken any more.
func (d *daemon) closed(why string) {
	d.intake.Store(&intake{state: why})
	d.tell(d.opt.Manager.Stopping(why))
}

// ready tells the service manager that mail is taken in.
func (d *daemon) ready() error {
	return d.opt.Manager.Ready("taking mail in on " + strings.Join(d.intake.Load().doors, ", "))
}

// tell notes that the service manager could not be told.
func (d *daemon) tell(err error) {
	if err != nil {
		d.log.Warn("the service manager", "err", err)
	}
}

// fail ends the run from within; only the first reason counts.
func (d *daemon) fail(err error) {
	select {
	case d.failed <- err:
	default:
	}
}

// close ends the store, last of all.
func (d *daemon) close() error {
	if err := d.store.Close(); err != nil && !errors.Is(err, store.ErrStopped) {
		return fmt.Errorf("closing the store: %w", err)
	}
	d.log.Info("stopped")
	return nil
}

// stir has the engine look at what is due; it never blocks.
func (d *daemon) stir() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// boundMemory has the collector work harder before memory that only a burst
// needed is kept. GOMEMLIMIT overrides it.
func boundMemory(cfg config.Config) {
	const base = 512 << 20
	if debug.SetMemoryLimit(-1) == 1<<63-1 {
		debug.SetMemoryLimit(base + 2*int64(cfg.Limits.Data))
	}
}
