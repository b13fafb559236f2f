package daemon

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"lull/cmd/internal/config"
	"lull/digest/compose"
	"lull/digest/signature"
	"lull/relay/admin"
	"lull/relay/spool"
	"lull/store"
)

// serveAdmin opens the operators' door. The function that it returns closes it.
func (d *daemon) serveAdmin(cfg config.Config) (stop func(), err error) {
	l, err := admin.Listen(cfg.State)
	if err != nil {
		return nil, err
	}
	d.admin = admin.New(admin.Config{
		Store: d.store, Previewer: d, Forecaster: d, Sender: d, Importer: d,
		Explain: explain, Live: d.live, Wake: d.stir, Event: d.operated, Term: d.term,
	})
	go func() {
		if err := d.admin.Serve(l); err != nil {
			d.fail(err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime/6)
		defer cancel()
		_ = d.admin.Shutdown(ctx) // requests that are cut off can be made again
	}, nil
}

// explain tells the steps of a signature as lines.
func explain(body []byte) []string {
	_, steps := signature.Explain(body)
	lines := make([]string, len(steps))
	for i, s := range steps {
		lines[i] = s.Name + ": " + s.Detail
	}
	return lines
}

// live is what only the running daemon knows.
func (d *daemon) live() admin.Live {
	cfg := d.settings.Load().config
	in := d.intake.Load()
	l := admin.Live{
		Intake: in.state, Listen: in.doors, Storms: d.engine.Storms(), Started: d.started, Free: free(cfg.State), Version: d.opt.Version,
		Budget: cfg.Budget, Window: time.Duration(cfg.Window), Counters: d.count.all(),
	}
	if err := d.space(); in.state == openIntake && errors.Is(err, store.ErrFull) {
		l.Intake = "answering 452, free space or lower reserve (" + err.Error() + "),"
	}
	l.Smarthost, l.Note = d.smarthost(cfg)
	l.Spool = cfg.Spool
	l.SpoolFailed, _ = spool.Folder(cfg.Spool).CountFailed() // a spool that is not there holds nothing
	return l
}

// smarthost is how the way out is: one word, and more.
func (d *daemon) smarthost(cfg config.Config) (word, note string) {
	if err := d.release.healthy(context.Background()); err != nil {
		return "holding", err.Error()
	}
	h, ok := d.out.health()
	switch {
	case !ok:
		return "outbox", cfg.Outbox
	case h.LastFailure.At.After(h.LastSuccess):
		return "unreachable", h.LastFailure.String()
	case h.LastSuccess.IsZero():
		return "untried", cfg.Smarthost[0].Addr
	}
	return "ok", cfg.Smarthost[0].Addr
}

// free is the space that the file system of a folder has, 0 if that cannot be
// learnt.
func free(folder string) int64 {
	var fs unix.Statfs_t
	if unix.Statfs(folder, &fs) != nil {
		return 0
	}
	return int64(fs.Bavail) * fs.Bsize
}

// Preview composes what a reader's digest would be now.
func (d *daemon) Preview(ctx context.Context, reader string, now time.Time) ([]byte, error) {
	in, err := d.engine.Preview(ctx, now, d.readerOf(reader))
	if err != nil {
		return nil, err
	}
	mail, _, err := compose.Mail(in)
	return mail, err
}

// Forecast tells what each reader gets if nothing changes.
func (d *daemon) Forecast(ctx context.Context, reader string, now time.Time) ([]admin.Forecast, error) {
	if reader != "" {
		reader = d.readerOf(reader)
	}
	list, err := d.engine.Forecast(ctx, now, reader)
	if err != nil {
		return nil, err
	}
	out := make([]admin.Forecast, len(list))
	for i, f := range list {
		out[i] = admin.Forecast{Reader: f.Reader, Mails: f.Mails, Copies: f.Copies, At: f.At.UTC(), Kind: string(f.Kind), Note: f.Note}
	}
	return out, nil
}

// SendNow sends a reader's digest now.
func (d *daemon) SendNow(ctx context.Context, reader string, now time.Time) (admin.Sent, error) {
	reader = d.readerOf(reader)
	id, err := d.engine.SendNow(ctx, now, reader)
	if err != nil {
		return admin.Sent{}, err
	}
	b, _, err := d.store.Batch(ctx, id)
	if err != nil {
		return admin.Sent{}, err
	}
	sent := admin.Sent{Reader: reader, Digest: id, Copies: b.Copies, Outcome: string(b.Outcome)}
	if b.Reply != (store.Reply{}) { // a notice that told everything leaves no mail to send
		sent.Reply = b.Reply.String()
	}
	return sent, nil
}
