package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"time"

	"lull/cmd/internal/config"
	"lull/digest"
	"lull/relay/policy"
)

// engineConfig is the engine's part of the configuration.
func engineConfig(cfg config.Config) digest.Config {
	c := digest.Defaults(time.Duration(cfg.Window))
	c.Host, c.From = cfg.Hostname, cfg.Digest.From
	c.Budget, c.Notices, c.PassBudget = cfg.Budget, cfg.Notices, cfg.PassBudget
	c.LateAfter, c.Schedule = time.Duration(cfg.LateAfter), cfg.Schedule
	c.SuspendAfter, c.PassFor = time.Duration(cfg.GiveUp), time.Duration(cfg.GiveUp)
	c.MaxBytes = int(cfg.Digest.MaxBytes)
	if len(cfg.Smarthost) > 0 {
		c.Concurrency = 0 // one mail for each place
	}
	for _, s := range cfg.Smarthost {
		c.Concurrency += s.MaxConnections
	}
	c.Schedules = map[string]string{}
	for _, r := range cfg.Reader {
		if spec := r.Spec(cfg.Schedule); spec != cfg.Schedule {
			c.Schedules[fold(r.Name)] = spec
		}
	}
	return c
}

// apply makes a configuration the present one, as far as a running lull can.
func (d *daemon) apply(cfg config.Config) error {
	rules, err := policy.New(cfg.Policy())
	if err != nil {
		return fmt.Errorf("the rules: %w", err)
	}
	next := &settings{config: cfg, policy: rules, readers: map[string]string{}, files: filesOf(cfg.Smarthost)}
	for _, r := range cfg.Reader {
		for _, a := range append([]string{r.Name}, r.Addresses...) {
			next.readers[fold(a)] = fold(r.Name)
		}
	}
	before := d.settings.Load()
	if before == nil || !sameWay(before, next) {
		out, err := outOf(cfg, d.readerOf)
		if err != nil {
			return err
		}
		d.out.replace(out)
	}
	if d.engine != nil {
		if err := d.engine.Reload(engineConfig(cfg)); err != nil {
			return err
		}
	}
	d.settings.Store(next)
	d.release.set(cfg.Release)
	d.opt.Level.Set(levelOf(cfg.Level))
	return nil
}

func sameWay(before, next *settings) bool {
	a, b := before.config, next.config
	return a.Outbox == b.Outbox && a.Hostname == b.Hostname && reflect.DeepEqual(a.Smarthost, b.Smarthost) && maps.Equal(before.files, next.files)
}

// filesOf are the passwords and authorities that the smarthosts' keys name: a
// reload takes new ones under the old names, too. What cannot be read is "".
func filesOf(smarthosts []config.Smarthost) map[string]string {
	files := map[string]string{}
	for _, s := range smarthosts {
		for _, name := range []string{s.Password, s.CA} {
			text, _ := os.ReadFile(name) // outOf will tell
			files[name] = string(text)
		}
	}
	return files
}

// reload takes the configuration anew; one that is wrong changes nothing.
func (d *daemon) reload() {
	cfg, err := d.opt.Load()
	if err != nil {
		d.log.Error("the new configuration is refused; the old one stays", "err", err)
		return
	}
	old := d.settings.Load().config
	for _, key := range fixed(old, cfg) {
		d.log.Warn("this key takes effect at the next start", "key", key)
	}
	cfg.Hostname, cfg.Window, cfg.State = old.Hostname, old.Window, old.State
	if err := d.apply(cfg); err != nil {
		d.log.Error("the new configuration is refused; the old one stays", "err", err)
		return
	}
	if err := d.keys.reload(); err != nil {
		d.log.Error("what has a fault stays as it was", "err", err)
	}
	if err := d.nameReaders(context.Background()); err != nil {
		d.log.Error("naming the readers", "err", err)
	}
	d.log.Info("reloaded")
	d.stir()
}

// fixed are the keys that differ and need a restart.
func fixed(a, b config.Config) []string {
	var keys []string
	for name, differs := range map[string]bool{
		"hostname": a.Hostname != b.Hostname, "state": a.State != b.State, "spool": a.Spool != b.Spool, "window": a.Window != b.Window,
		"listen": !reflect.DeepEqual(a.Listen, b.Listen), "networks": !reflect.DeepEqual(a.Networks, b.Networks),
		"proxies": !reflect.DeepEqual(a.Proxies, b.Proxies), "users": a.Users != b.Users, "qualify_domain": a.QualifyDomain != b.QualifyDomain,
		"limits": !reflect.DeepEqual(a.Limits, b.Limits), "tls": a.TLS != b.TLS,
		"retain": a.Retain != b.Retain, "trash": a.Trash != b.Trash, "reserve": a.Reserve != b.Reserve, "max_state": a.MaxState != b.MaxState,
	} {
		if differs {
			keys = append(keys, name)
		}
	}
	return keys
}

func levelOf(name string) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(name)) // Validate has told of others
	return l
}
