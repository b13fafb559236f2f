package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
)

// usualFile is read if neither -C nor $LULL_SENDMAIL names another.
const usualFile = "/etc/lull/sendmail.conf"

// settings are what an administrator may set. All keys are optional.
type settings struct {
	// Server is where the daemon takes mail in: HOST:PORT, or unix:PATH.
	Server string `toml:"server"`
	// Spool is the daemon's folder for mail that it could not take at once.
	Spool string `toml:"spool"`
	// State is the daemon's state folder, for mailq.
	State string `toml:"state"`
	// Domain is added to addresses that have none.
	Domain string `toml:"domain"`
	// Hostname is our name in SMTP, Received and Message-ID.
	Hostname string `toml:"hostname"`
}

// load reads the settings. A file that is named must be there, the usual one
// need not.
func load(named string) (settings, error) {
	s := settings{Server: "127.0.0.1:2525", Spool: "/var/spool/lull", State: "/var/lib/lull"}
	file := named
	if file == "" {
		file = os.Getenv("LULL_SENDMAIL")
	}
	must := file != ""
	if !must {
		file = usualFile
	}
	known, err := toml.DecodeFile(file, &s)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
	case err != nil:
		return s, fmt.Errorf("reading the settings in %s: %w", file, err)
	case len(known.Undecoded()) > 0:
		return s, fmt.Errorf("%s: there is no key %s; the keys are server, spool, state, domain and hostname", file, known.Undecoded()[0])
	}
	return s, s.complete()
}

// complete fills in what depends on this machine.
func (s *settings) complete() error {
	if s.Hostname == "" {
		name, err := os.Hostname()
		if err != nil || name == "" {
			name = "localhost"
		}
		s.Hostname = name
	}
	if s.Domain == "" {
		s.Domain = mailName(s.Hostname)
	}
	for key, value := range map[string]string{"hostname": s.Hostname, "domain": s.Domain} {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`<>@,;:"()\`, r) }) {
			return fmt.Errorf("the %s %q is not a name such as example.org", key, value)
		}
	}
	return nil
}

// mailName is the domain that local mail comes from: where a machine has one
// for all of its mail programs, as on Debian, it is that.
func mailName(otherwise string) string {
	text, err := os.ReadFile("/etc/mailname")
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name
	}
	return otherwise
}
