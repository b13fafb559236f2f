package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lull/cmd/internal/config"
	"lull/digest"
	"lull/store"
)

// makeEngine makes the engine; nothing runs yet.
func (d *daemon) makeEngine(cfg config.Config) error {
	engine, err := digest.New(engineConfig(cfg), d.store, d.out, digest.Deps{
		NewID: newID, Gate: d.gate.now, Healthy: d.release.healthy, Bounce: d.bounce, Event: d.told, Term: d.term,
	})
	if err != nil {
		return fmt.Errorf("the engine: %w", err)
	}
	d.engine = engine
	return nil
}

// runEngine looks at what a former run left open, and starts the loops. The
// function that it returns ends them: a step under way may finish its mails.
func (d *daemon) runEngine(ctx context.Context) (stop func(), err error) {
	if err := d.engine.Start(ctx, time.Now()); err != nil {
		return nil, fmt.Errorf("what a former run left open: %w", err)
	}
	if err := d.nameReaders(ctx); err != nil {
		return nil, err
	}
	over, finish := context.WithCancel(context.Background()) // no step begins after it
	cut, cutOff := context.WithCancel(context.Background())  // ends a step under way
	loops := []func(over, cut context.Context){d.steps, d.watch, d.alive, d.release.loop}
	done := make(chan struct{}, len(loops))
	for _, loop := range loops {
		go func() {
			loop(over, cut)
			done <- struct{}{}
		}()
	}
	return func() {
		finish()
		patience := time.AfterFunc(stopTime/3, cutOff)
		defer patience.Stop()
		defer cutOff()
		for range loops {
			<-done
		}
		d.engine.Wait()
		d.out.close()
	}, nil
}

// steps is the engine's loop, and the only one: it calls Step when something
// is due or mail has come in, at most a few times a second.
func (d *daemon) steps(over, cut context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-over.Done():
			return
		case <-next.C:
		case <-d.wake:
		}
		now := time.Now()
		at, err := d.engine.Step(cut, now)
		if err != nil && cut.Err() == nil {
			d.stepFailed(err)
		}
		if !pause(over, d.breath()) {
			return
		}
		next.Reset(max(time.Until(at), 0))
	}
}

// breath is the shortest time between two steps: mail that arrives meanwhile
// is looked at together.
func (d *daemon) breath() time.Duration {
	return min(200*time.Millisecond, time.Duration(d.settings.Load().config.Window)/100)
}

func pause(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (d *daemon) stepFailed(err error) {
	if errors.Is(err, store.ErrStopped) || errors.Is(err, store.ErrStaleTerm) {
		d.fail(err)
		return
	}
	d.log.Error("the engine", "err", err)
}

// watch looks each minute whether the database is still the file that was
// opened: writing into one that was removed succeeds, and is lost.
func (d *daemon) watch(over, _ context.Context) {
	for pause(over, time.Minute) {
		if err := d.store.Watch(); err != nil {
			d.fail(err)
			return
		}
	}
}

// alive feeds the service manager's watchdog, as long as the store answers.
func (d *daemon) alive(over, _ context.Context) {
	patience := d.opt.Manager.Watchdog()
	if patience == 0 {
		return
	}
	for pause(over, patience/3) {
		if _, err := d.store.Status(over, time.Now()); err == nil {
			d.tell(d.opt.Manager.Alive())
		}
	}
}

// nameReaders tells the store the addresses of the readers that the
// configuration names.
func (d *daemon) nameReaders(ctx context.Context) error {
	for _, r := range d.settings.Load().config.Reader {
		name := fold(r.Name)
		known, err := d.store.Reader(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if known.To == r.Name {
			continue
		}
		if err := d.store.Plan(ctx, store.Plan{Reader: name, To: r.Name, Next: known.Next}); err != nil {
			return fmt.Errorf("naming reader %s: %w", r.Name, err)
		}
	}
	return nil
}
