package config

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"lull/digest"
	"lull/relay/deliver"
	"lull/relay/policy"
	"lull/store"
)

// check collects the faults of a configuration.
type check struct {
	c    Config
	list []Fault
}

// faults are all that is wrong, section by section, then across sections.
func (c Config) faults() []Fault {
	ch := &check{c: c}
	ch.identity()
	ch.doors()
	ch.times()
	ch.budgets()
	ch.limits()
	ch.tls()
	ch.users()
	for i, s := range c.Smarthost {
		ch.smarthost(fmt.Sprintf("smarthost[%d]", i), s)
	}
	ch.release()
	ch.digest()
	ch.readers()
	for i := range c.Rule {
		ch.rule(fmt.Sprintf("rule[%d]", i), c.Rule[i])
	}
	return ch.list
}

// fault notes one if it is there.
func (ch *check) fault(bad bool, key, format string, args ...any) {
	if bad {
		ch.list = append(ch.list, Fault{Key: key, Line: lineOf(ch.c.lines, key), Problem: fmt.Sprintf(format, args...)})
	}
}

func (ch *check) err(err error, key string) {
	if err != nil {
		ch.fault(true, key, "%v", err)
	}
}

// socketPath is the longest path that the admin socket may have.
const socketPath = 107 - len("/lull.sock")

func (ch *check) identity() {
	c := ch.c
	ch.fault(!isHost(c.Hostname), "hostname", "%q is not a host name; use letters, digits, dots and hyphens, such as relay.example.org", c.Hostname)
	ch.fault(c.State == "", "state", "must name a folder")
	ch.fault(len(c.State) > socketPath, "state", "is longer than the %d bytes that the path of its socket leaves; choose a shorter path", socketPath)
	ch.fault(c.Log != "text" && c.Log != "json", "log", "%q is not a format; use text or json", c.Log)
	ch.err(levelOf(c.Level), "log_level")
}

func levelOf(level string) error {
	switch level {
	case "debug", "info", "warn", "error":
		return nil
	}
	return fmt.Errorf("%q is not a level; use debug, info, warn or error", level)
}

func (ch *check) times() {
	c := ch.c
	ch.fault(time.Duration(c.Window) < time.Second, "window", "%s is too short; give one second or more, 1h for real use", c.Window)
	for _, d := range []struct {
		key string
		d   Duration
	}{{"late_after", c.LateAfter}, {"give_up", c.GiveUp}, {"retain", c.Retain}, {"trash", c.Trash}, {"limits.idle", c.Limits.Idle}, {"limits.session", c.Limits.Session}, {"release_check.every", c.Release.Every}, {"release_check.timeout", c.Release.Timeout}} {
		ch.fault(d.d <= 0, d.key, "must be longer than nothing")
	}
	ch.schedule("schedule", c.Schedule)
}

// schedule checks that the budget allows what a schedule needs.
func (ch *check) schedule(key, spec string) {
	s, err := digest.ParseSchedule(spec)
	if err != nil {
		ch.err(err, key)
		return
	}
	window := time.Duration(ch.c.Window)
	if window <= 0 || ch.c.Budget < 1 {
		return // told elsewhere
	}
	if most := s.Most(window); most > ch.c.Budget {
		ch.fault(true, key, "%q is due %d times in a window of %s, but the budget is %d mails; make it due less often, or raise budget", spec, most, ch.c.Window, ch.c.Budget)
	}
}

func (ch *check) budgets() {
	c := ch.c
	ch.fault(c.Budget < 1, "budget", "%d leaves no room for a digest; give 1 or more", c.Budget)
	ch.fault(c.Notices < 0, "notices", "must not be negative; 0 sends no first notices")
	ch.fault(c.Notices > 0 && c.Notices > max(0, c.Budget-2), "notices", "%d first notices do not fit into a budget of %d, of which 2 are kept for digests; give at most %d", c.Notices, c.Budget, max(0, c.Budget-2))
	ch.fault(c.PassBudget < 0, "pass_budget", "must not be negative; 0 is no bound")
}

func (ch *check) limits() {
	l := ch.c.Limits
	ch.fault(l.Message < 64<<10, "limits.message", "%s is too small for real mail; give 64kB or more", l.Message)
	ch.fault(l.Data < l.Message, "limits.data", "%s does not hold one message of limits.message (%s)", l.Data, l.Message)
	ch.fault(l.Recipients < 100, "limits.recipients", "%d is below the 100 that RFC 5321 section 4.5.3.1.8 asks for", l.Recipients)
	ch.fault(l.Connections < 1, "limits.connections", "must be 1 or more")
	ch.fault(l.PerHost < 1, "limits.per_host", "must be 1 or more")
	ch.fault(l.Hops < 10, "limits.hops", "%d would take honest mail for a loop; give 10 or more", l.Hops)
	ch.fault(ch.c.Digest.MaxBytes < 16_000, "digest.max_bytes", "%s is too small for a digest; give 16kB or more", ch.c.Digest.MaxBytes)
}

// readable checks that a file that is named is there.
func (ch *check) readable(key, file string) {
	if file == "" {
		return
	}
	f, err := os.Open(file)
	if err != nil {
		ch.err(err, key)
		return
	}
	_ = f.Close()
}

// secret is a file that only its owner may read.
func (ch *check) secret(key, file string) {
	ch.readable(key, file)
	if info, err := os.Stat(file); err == nil {
		ch.fault(info.Mode().Perm()&0o077 != 0, key, "%s can be read by others (mode %04o); run chmod 600 %s", file, info.Mode().Perm(), file)
	}
}

func (ch *check) smarthost(key string, s Smarthost) {
	if !strings.HasPrefix(s.Addr, "/") { // a socket of this machine
		ch.err(hostPort(s.Addr), key+".addr")
	}
	switch deliver.TLS(s.TLS) {
	case deliver.TLSNone, deliver.TLSOpportunistic, deliver.TLSRequired, deliver.TLSVerified:
	default:
		ch.fault(true, key+".tls", "%q is none of none, opportunistic, required, verified", s.TLS)
	}
	ch.readable(key+".ca", s.CA)
	ch.secret(key+".password_file", s.Password)
	ch.fault((s.Username == "") != (s.Password == ""), key, "username and password_file belong together; set both, or none")
	ch.fault(s.MaxConnections < 1 || s.MaxConnections > 1000, key+".max_connections", "must be 1 to 1000")
	ch.fault(s.Timeout < Duration(time.Second), key+".timeout", "must be 1s or more")
	ch.fault(s.DotTimeout < Duration(time.Second), key+".dot_timeout", "must be 1s or more")
	if s.Source != "" {
		_, err := netip.ParseAddr(s.Source)
		ch.fault(err != nil, key+".source", "%q is not an address", s.Source)
	}
}

func (ch *check) release() {
	r := ch.c.Release
	ways := 0
	for _, set := range []bool{r.Command != "", r.URL != "", r.Canary} {
		if set {
			ways++
		}
	}
	ch.fault(ways > 1, "release_check", "command, url and canary exclude one another; set one")
	ch.fault(r.Canary && len(ch.c.Smarthost) == 0, "release_check.canary", "needs a mail server to send through: set [[smarthost]]")
	if r.URL != "" {
		u, err := url.Parse(r.URL)
		ch.fault(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "release_check.url", "%q is not an http or https address", r.URL)
	}
}

func (ch *check) digest() {
	ch.err(address(ch.c.Digest.From), "digest.from")
}

// address checks a plain address: local@domain, nothing else.
func address(text string) error {
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text {
		return fmt.Errorf("%q is not an address such as lull@example.org", text)
	}
	return nil
}

func (ch *check) readers() {
	owner := map[string]string{}
	for i, r := range ch.c.Reader {
		key := fmt.Sprintf("reader[%d]", i)
		ch.err(address(r.Name), key+".name")
		for j, a := range append([]string{r.Name}, r.Addresses...) {
			where := key + ".name"
			if j > 0 {
				where = fmt.Sprintf("%s.addresses[%d]", key, j-1)
				ch.err(address(a), where)
			}
			folded := strings.ToLower(a)
			other, taken := owner[folded]
			ch.fault(taken, where, "%s belongs to reader %s already; an address has one reader", a, other)
			owner[folded] = r.Name
		}
		if spec := r.Spec(ch.c.Schedule); spec != ch.c.Schedule {
			ch.schedule(key+".schedule", spec)
		}
		if _, err := time.LoadLocation(r.Zone); err != nil {
			ch.fault(true, key+".zone", "%q is not a time zone such as Europe/Berlin", r.Zone)
		}
	}
}

// Spec is the reader's schedule with its zone.
func (r Reader) Spec(otherwise string) string {
	spec := otherwise
	if r.Schedule != "" {
		spec = r.Schedule
	}
	if r.Zone == "" || strings.Contains(spec, "TZ=") || strings.HasPrefix(spec, "@every") {
		return spec
	}
	return "CRON_TZ=" + r.Zone + " " + spec
}

func (ch *check) rule(key string, r Rule) {
	if _, err := policy.New([]policy.Rule{r.Policy()}); err != nil {
		for _, one := range unjoined(err) {
			ch.err(one, key)
		}
	}
}

// Policy is the rule as the policy reads it.
func (r Rule) Policy() policy.Rule {
	return policy.Rule{
		Name: r.Name, Class: store.Class(r.Class), Sender: r.Sender, Recipient: r.Recipient,
		From: r.From, Subject: r.Subject, Mark: r.Mark, Format: r.Format, Client: r.Client,
	}
}

func isHost(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return true
}
