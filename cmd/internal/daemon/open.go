package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"lull/cmd/internal/config"
	"lull/store"
	"lull/store/bolt"
)

// open checks the database in a process of its own, and opens it: then the
// state folder is ours.
func (d *daemon) open(ctx context.Context, cfg config.Config) error {
	if err := folder(cfg.State); err != nil {
		return err
	}
	path := bolt.Path(cfg.State)
	if err := d.check(ctx, path); err != nil {
		if !d.opt.SetAside || !errors.Is(err, store.ErrCorrupt) {
			return err
		}
		to, err := bolt.Quarantine(path, time.Now())
		if err != nil {
			return err
		}
		d.log.Error("the database was damaged; an empty one takes its place", "set_aside", to)
	}
	limits := store.DefaultLimits(time.Duration(cfg.Window))
	limits.Retain, limits.Trash = time.Duration(cfg.Retain), time.Duration(cfg.Trash)
	s, err := bolt.Open(cfg.State, bolt.Options{
		Limits: limits, MaxSize: int64(cfg.MaxState), Reserve: reserve(cfg), MaxMessage: int64(cfg.Limits.Message),
		OnCommit: d.committed,
	})
	if errors.Is(err, bolt.ErrLocked) {
		return err // says who has it, and what to do
	}
	if err != nil {
		return fmt.Errorf("opening the queue in %s: %w", cfg.State, err)
	}
	for _, damage := range s.Damaged() {
		d.log.Error("a damaged record is left out", "err", damage)
	}
	return d.resume(ctx, s)
}

// resume takes up where the last run ended: gate time and term.
func (d *daemon) resume(ctx context.Context, s *bolt.Store) error {
	st, err := s.Status(ctx, time.Now())
	if err != nil {
		return errors.Join(fmt.Errorf("reading the queue: %w", err), s.Close())
	}
	d.store, d.term = s, st.Term
	d.gate.start(st.Gate)
	return nil
}

// reserve is the space left alone, where 0 means none.
func reserve(cfg config.Config) int64 {
	if cfg.Reserve == 0 {
		return -1
	}
	return int64(cfg.Reserve)
}

// folder makes the state folder, for its owner alone.
func folder(path string) error {
	err := os.MkdirAll(path, 0o700)
	var info os.FileInfo
	if err == nil {
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		return fmt.Errorf("the state folder cannot be made: %w; name a folder that you may write to with --state", err)
	case !info.IsDir():
		return fmt.Errorf("the state folder %s is a file; name a folder with --state", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may enter the state folder %s (mode %04o), and so read mail and act as operators; run chmod 700 %[1]s", path, info.Mode().Perm())
	}
	return nil
}

// check runs the check of the database as a child process: some damage ends
// the process that meets it.
func (d *daemon) check(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, to check the database: %w", err)
	}
	var said bytes.Buffer
	child := exec.CommandContext(ctx, self, append(d.opt.Check[1:len(d.opt.Check):len(d.opt.Check)], path)...)
	child.Args[0] = d.opt.Check[0]
	child.Stderr = &said
	began := time.Now()
	err = child.Run()
	d.log.Debug("checked the database", "took", time.Since(began), "err", err)
	return verdictOf(ctx, path, err, said.String())
}

// The exit codes of the command that checks a database. Any other end but a
// success means damage.
const (
	CheckLocked     = 3 // another process has it
	CheckUnreadable = 4 // it cannot be read, for a reason that is no damage
)

func verdictOf(ctx context.Context, path string, err error, said string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &exit):
		return fmt.Errorf("checking the database: %w", err)
	case exit.ExitCode() == CheckLocked:
		return fmt.Errorf("another lull uses %s; stop it, or give this one another folder with --state", path)
	case exit.ExitCode() == CheckUnreadable:
		return fmt.Errorf("checking the database: %s", strings.TrimSpace(said))
	}
	first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
	return fmt.Errorf("%w: the database %s is damaged (%s); put back a copy of it, or start with --set-aside-damaged to go on with an empty queue and keep the damaged one beside it", store.ErrCorrupt, path, first)
}
