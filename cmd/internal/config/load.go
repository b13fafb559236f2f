package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/BurntSushi/toml"

	"lull/relay/policy"
)

// Flags are what the command line says; it counts before the file.
type Flags struct {
	Listen    []string
	Smarthost string
	Outbox    string
	State     string
	Schedule  string
	Window    time.Duration
}

// Load reads a configuration: the defaults, over them the file ("" is none),
// over that the flags. All that is wrong is told at once, as *Faults.
func Load(file string, flags Flags) (Config, error) {
	values, text, err := read(file)
	if err != nil {
		return Config{}, err
	}
	faults := &Faults{File: file}
	c := Defaults(window(values, flags))
	c.file, c.lines = file, linesOf(text)
	decode(values, &c, faults)
	flags.over(&c)
	c.complete()
	faults.List = append(faults.List, c.faults()...)
	return c, faults.or()
}

// Validate tells all that is wrong with a configuration, as *Faults.
func (c Config) Validate() error {
	return (&Faults{File: c.file, List: c.faults()}).or()
}

func read(file string) (values map[string]any, text string, err error) {
	if file == "" {
		return nil, "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("reading the configuration: %w; name it with --config", err)
	}
	if _, err := toml.Decode(string(b), &values); err != nil {
		return nil, "", syntax(file, err)
	}
	return values, string(b), nil
}

// syntax is the fault of a file that is not TOML.
func syntax(file string, err error) error {
	f := Fault{Problem: err.Error()}
	if p := (toml.ParseError{}); errors.As(err, &p) {
		f = Fault{Key: p.LastKey, Line: p.Position.Line, Problem: p.Message}
	}
	return &Faults{File: file, List: []Fault{f}}
}

// window is needed before all else, since the defaults scale with it. A wrong
// one is told when the file is decoded.
func window(values map[string]any, flags Flags) time.Duration {
	if flags.Window > 0 {
		return flags.Window
	}
	text, _ := values["window"].(string)
	var d Duration
	if d.UnmarshalText([]byte(text)) == nil && d > 0 {
		return time.Duration(d)
	}
	return time.Hour
}

func (f Flags) over(c *Config) {
	if len(f.Listen) > 0 {
		c.Listen = f.Listen
	}
	if f.Smarthost != "" {
		c.Smarthost = []Smarthost{{Addr: f.Smarthost}}
	}
	if f.Outbox != "" {
		c.Outbox, c.Smarthost = f.Outbox, nil
	}
	if f.State != "" {
		c.State = f.State
	}
	if f.Schedule != "" {
		c.Schedule = f.Schedule
	}
	if f.Window > 0 {
		c.Window = Duration(f.Window)
	}
}

// complete fills in the defaults that depend on other values.
func (c *Config) complete() {
	if c.Schedule == "" {
		c.Schedule = scheduleOf(time.Duration(c.Window))
	}
	if c.Outbox == "" && len(c.Smarthost) == 0 {
		c.Outbox = filepath.Join(c.State, "outbox")
	}
	if c.Spool == "" {
		c.Spool = filepath.Join(c.State, "spool")
	}
	if c.QualifyDomain == "" {
		c.QualifyDomain = c.Hostname
	}
	if c.Digest.From == "" {
		c.Digest.From = "lull@" + c.Hostname
	}
	if c.lines["notices"] == 0 {
		c.Notices = min(c.Notices, max(0, c.Budget-2)) // two are kept for digests
	}
	for i := range c.Smarthost {
		if c.Smarthost[i].TLS == "" {
			c.Smarthost[i].TLS = "opportunistic"
		}
		if c.Smarthost[i].MaxConnections == 0 {
			c.Smarthost[i].MaxConnections = usualConnections
		}
		orUsual(&c.Smarthost[i].Timeout, 5*time.Minute)
		orUsual(&c.Smarthost[i].DotTimeout, 10*time.Minute)
	}
}

// usualConnections is how many a mail server is sure to take: Exim as it comes
// takes 20, from all clients together.
const usualConnections = 5

func orUsual(d *Duration, usual time.Duration) {
	if *d == 0 {
		*d = Duration(usual)
	}
}

// scheduleOf is a schedule of one digest a window.
func scheduleOf(window time.Duration) string {
	if window == time.Hour {
		return "@hourly"
	}
	return "@every " + window.String()
}

// State is the state folder that a file names, or the default; nothing else of
// the file is looked at, since the commands of an operator need nothing else.
func State(file string) (string, error) {
	values, _, err := read(file)
	if err != nil {
		return "", err
	}
	if text, ok := values["state"].(string); ok && text != "" {
		return text, nil
	}
	return Defaults(time.Hour).State, nil
}

// Policy are the rules as the policy reads them.
func (c Config) Policy() []policy.Rule {
	rules := make([]policy.Rule, len(c.Rule))
	for i, r := range c.Rule {
		rules[i] = r.Policy()
	}
	return rules
}
