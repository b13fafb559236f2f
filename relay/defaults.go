package relay

import (
	"net/netip"
	"strings"
	"time"
)

// MiB is 2^20 bytes.
const miB = 1 << 20

func (c Config) withDefaults() Config {
	c.Hostname = orDefault(c.Hostname, "localhost")
	c.DigestAddress = orDefault(c.DigestAddress, "lull@"+c.Hostname)
	c.QualifyDomain = orDefault(c.QualifyDomain, c.Hostname)
	c.MaxMessage = orDefault(c.MaxMessage, 50*miB)
	c.MaxRecipients = orDefault(c.MaxRecipients, 1000)
	c.MaxConnections = orDefault(c.MaxConnections, 1000)
	c.MaxPerHost = orDefault(c.MaxPerHost, 200)
	c.DataBudget = max(orDefault(c.DataBudget, 256*miB), c.MaxMessage)
	c.MaxHops = orDefault(c.MaxHops, 50)
	c.Idle = orDefault(c.Idle, 3*time.Minute)
	c.CommandTimeout = orDefault(c.CommandTimeout, 5*time.Minute)
	c.SessionTime = orDefault(c.SessionTime, time.Hour)
	if c.Networks == nil {
		c.Networks = []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"),
			netip.MustParsePrefix("::1/128"),
		}
	}
	return c
}

func (d Deps) withDefaults() Deps {
	if d.Reader == nil {
		d.Reader = strings.ToLower
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Event == nil {
		d.Event = func(Event) {}
	}
	if d.Space == nil {
		d.Space = func() error { return nil }
	}
	return d
}

func orDefault[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}
