package daemon

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"lull/cmd/internal/config"
	"lull/relay"
	"lull/relay/importer"
	"lull/relay/spool"
	"lull/store"
)

// serveSpool takes in, now and each minute, what our sendmail left while
// nobody answered. The function that it returns ends that. A spool that cannot
// be read (a full disk may have no room for its folders) keeps no mail out.
func (d *daemon) serveSpool(cfg config.Config) (stop func()) {
	over, finish := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			d.empty(over, spool.Folder(cfg.Spool), int64(cfg.Limits.Message))
			if !pause(over, time.Minute) {
				return
			}
		}
	}()
	return func() {
		finish()
		<-done
	}
}

// empty takes in what is in the spool. It ends at the first message that
// cannot be taken now: the next ones would fare no better.
func (d *daemon) empty(over context.Context, folder spool.Folder, largest int64) {
	if err := errors.Join(folder.Make(), folder.Sweep(time.Now())); err != nil {
		d.spoolFault("", err)
		return
	}
	for m, err := range importer.Spool(folder, largest) {
		if over.Err() != nil {
			return
		}
		if err == nil {
			err = d.submit(m)
		}
		if !d.settle(folder, m.Name, err) {
			return
		}
	}
}

// submit takes an entry in, each of its parts under its own key, until one
// cannot be taken now.
func (d *daemon) submit(m importer.Message) error {
	var refused []error
	for _, part := range spool.Parts(m.Key, m.To, m.Whole) {
		err := d.relay.Submit(relay.Submission{
			Key: part.Key, From: m.From, To: part.To,
			Notify: m.Notify, Ret: m.Ret, EnvID: m.EnvID, Host: m.Host, Body: m.Body,
		})
		switch {
		case errors.Is(err, relay.ErrRefused):
			refused = append(refused, err)
		case err != nil && !errors.Is(err, store.ErrKnown):
			return err
		}
	}
	return errors.Join(refused...)
}

// settle ends an entry of the spool, unless the fault may pass.
func (d *daemon) settle(folder spool.Folder, name string, err error) (goOn bool) {
	var bad *spool.Bad
	switch {
	case errors.As(err, &bad):
		d.spoolFault(bad.Name, errors.Join(err, folder.SetAside(bad.Name)))
		return true
	case errors.Is(err, relay.ErrRefused):
		d.spoolFault(name, errors.Join(err, folder.SetAside(name)))
		return true
	case err != nil:
		d.spoolFault(name, err)
		return false
	}
	if err := folder.Remove(name); err != nil {
		d.spoolFault(name, err) // the key keeps it from coming in twice
	}
	d.count.add("spool imported", 1)
	return true
}

func (d *daemon) spoolFault(name string, err error) {
	d.note(event{slog.LevelError, "spool", attrs("entry", name, "err", text(err))})
}
