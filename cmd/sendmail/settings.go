package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"

	"lull/cmd/internal/sendmail"
)

// settings are what an administrator may set.
type settings sendmail.Settings

// load reads the settings. A file that is named must be there, the usual one
// need not.
func load(named string) (settings, error) {
	s := settings(sendmail.Defaults())
	file := named
	if file == "" {
		file = os.Getenv("LULL_SENDMAIL")
	}
	must := file != ""
	if !must {
		file = sendmail.UsualFile
	}
	known, err := toml.DecodeFile(file, &s)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
	case err != nil:
		return s, fmt.Errorf("reading the settings in %s: %w", file, err)
	case len(known.Undecoded()) > 0:
		return s, fmt.Errorf("%s: there is no key %s; the keys are %s", file, known.Undecoded()[0], keyNames())
	}
	return s, s.complete()
}

func keyNames() string {
	var names []string
	for _, k := range sendmail.Keys() {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
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
