package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"lull/cmd/internal/config"
	"lull/cmd/internal/daemon"
	"lull/cmd/internal/systemd"
	"lull/store"
	"lull/store/bolt"
)

// checkCommand is the hidden command that checks a database for the daemon.
const checkCommand = "check-database"

func (s *session) serve() *cobra.Command {
	var flags config.Flags
	var window string
	var setAside bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "run the daemon: take mail in, and send digests",
		Long: `run the daemon in the foreground, until SIGTERM or SIGINT; SIGHUP reads the
configuration anew. Without a configuration and flags it listens on
127.0.0.1:2525, keeps its state in ./lull-state, and writes what it would send
into Maildirs under lull-state/outbox.`,
		Args: none,
	}
	f := c.Flags()
	f.StringArrayVar(&flags.Listen, "listen", nil, "where to take mail in: `DOOR` as in lull.toml(5), such as 127.0.0.1:25 or unix:PATH; may be repeated")
	f.StringVar(&flags.Smarthost, "smarthost", "", "`HOST:PORT` of the mail server to hand mail to")
	f.StringVar(&flags.Outbox, "outbox", "", "in place of a mail server: `FOLDER` for a Maildir a reader")
	f.StringVar(&flags.Schedule, "schedule", "", "when digests leave: `SPEC`, as a cron line in UTC, or @every 1h")
	f.StringVar(&window, "window", "", "length of the window, as `AGE` (1h); scales every default that is a time, for trials")
	f.BoolVar(&setAside, "set-aside-damaged", false, "start with an empty queue if the database is damaged, and keep that beside it")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if flags.Smarthost != "" && flags.Outbox != "" {
			return wrong("--smarthost and --outbox say two things about where mail goes; give one of them")
		}
		var err error
		if flags.Window, err = age("--window", window); err != nil {
			return err
		}
		flags.State = s.state
		load := func() (config.Config, error) { return config.Load(s.config, flags) }
		return s.run(c.Context(), load, setAside)
	}
	return c
}

func (s *session) run(ctx context.Context, load func() (config.Config, error), setAside bool) error {
	cfg, err := load()
	if err != nil {
		return err
	}
	sockets, err := systemd.Receive()
	if err != nil {
		return err
	}
	level := &slog.LevelVar{}
	return daemon.Run(ctx, daemon.Options{
		Load: load, Reload: hangups(ctx), Log: logger(s.screen.errs, cfg.Log, level), Level: level,
		Check: []string{"lull", checkCommand}, SetAside: setAside, Version: version(),
		Sockets: sockets, Manager: systemd.Find(),
	})
}

// hangups tells of each SIGHUP.
func hangups(ctx context.Context) <-chan struct{} {
	signals, told := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				told <- struct{}{}
			}
		}
	}()
	return told
}

func logger(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level, ReplaceAttr: inUTC}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

func inUTC(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		a.Value = slog.StringValue(a.Value.Time().UTC().Format(time.RFC3339Nano))
	}
	return a
}

// checkDatabase is run by the daemon, in a process of its own.
func (s *session) checkDatabase() *cobra.Command {
	return &cobra.Command{
		Use:    checkCommand + " FILE",
		Short:  "read a whole database and tell what is damaged",
		Hidden: true,
		Args:   exactly(1, "the FILE of a database"),
		RunE:   func(_ *cobra.Command, args []string) error { return checked(bolt.Check(args[0])) },
	}
}

// checked gives an error of a check the exit code that the daemon reads.
func checked(err error) error {
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return exitWith{err, daemon.CheckLocked}
	case err != nil && !errors.Is(err, store.ErrCorrupt):
		return exitWith{err, daemon.CheckUnreadable}
	}
	return err
}

// exitWith is an error with an exit code of its own.
type exitWith struct {
	error
	code int
}
