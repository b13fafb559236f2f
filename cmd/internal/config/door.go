package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"lull/relay"
)

// Door is one place where mail is taken in.
type Door struct {
	Network string // tcp, unix, or systemd
	Address string // HOST:PORT, the path of the socket, or the name that systemd has for it
	TLS     bool   // from the first byte
	LMTP    bool   // RFC 2033
	Proxied bool   // those named in proxies speak for others there
}

// longestSocket is how long the path of a unix socket may be in Linux.
const longestSocket = 107

// DoorOf reads an entry of listen: tls:, lmtp: and proxy: in any order, then
// HOST:PORT, unix:PATH or systemd:NAME.
func DoorOf(text string) (Door, error) {
	d := Door{Network: "tcp"}
	rest, more := text, true
	for more {
		word, after, _ := strings.Cut(rest, ":")
		switch word {
		case "tls":
			d.TLS = true
		case "lmtp":
			d.LMTP = true
		case "proxy":
			d.Proxied = true
		default:
			more = false
			continue
		}
		rest = after
	}
	if path, ok := strings.CutPrefix(rest, "unix:"); ok {
		d.Network, d.Address = "unix", path
		return d, refusedIf(path == "" || len(path) > longestSocket, "%q must have a path of at most %d bytes behind unix:", text, longestSocket)
	}
	if name, ok := strings.CutPrefix(rest, "systemd:"); ok {
		d.Network, d.Address = "systemd", name
		return d, refusedIf(name == "", "%q must have the name of a socket behind systemd:, such as lull.socket", text)
	}
	d.Address = rest
	return d, hostPort(rest)
}

func refusedIf(bad bool, format string, args ...any) error {
	if !bad {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func hostPort(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q must be HOST:PORT, such as 127.0.0.1:2525 or [::1]:2525", address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q has no port between 1 and 65535", address)
	}
	return nil
}

// Network reads an address or a CIDR.
func Network(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q must be an address or a network, such as 10.0.0.0/8", text)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func (ch *check) doors() {
	c := ch.c
	ch.fault(len(c.Listen) == 0, "listen", "must name at least one address, such as 127.0.0.1:2525")
	proxied := false
	for i, l := range c.Listen {
		key := fmt.Sprintf("listen[%d]", i)
		d, err := DoorOf(l)
		ch.err(err, key)
		ch.fault(d.TLS && c.TLS.Certificate == "", key, "%s needs a certificate: set certificate and key in [tls]", l)
		ch.fault(d.Proxied && len(c.Proxies) == 0, key, "%s needs the addresses of the proxies: name them in proxies", l)
		proxied = proxied || d.Proxied
	}
	ch.fault(len(c.Proxies) > 0 && !proxied, "proxies", "are heard on no door; write proxy: before those in listen that they come through")
	ch.networks("proxies", c.Proxies)
	ch.networks("networks", c.Networks)
	ch.fault(!isHost(c.QualifyDomain), "qualify_domain", "%q is not a domain such as example.org", c.QualifyDomain)
}

func (ch *check) networks(key string, list []string) {
	for i, n := range list {
		_, err := Network(n)
		ch.err(err, fmt.Sprintf("%s[%d]", key, i))
	}
}

func (ch *check) tls() {
	t := ch.c.TLS
	ch.fault((t.Certificate == "") != (t.Key == ""), "tls", "certificate and key belong together; set both, or none")
	ch.readable("tls.certificate", t.Certificate)
	ch.secret("tls.key", t.Key)
	if readable(t.Certificate) && readable(t.Key) {
		_, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
		ch.err(err, "tls.certificate")
	}
}

// users checks the file of those who may send after AUTH, which is offered
// over TLS alone.
func (ch *check) users() {
	if ch.c.Users == "" {
		return
	}
	_, err := relay.LoadUsers(ch.c.Users)
	for _, one := range unjoined(err) {
		ch.err(one, "users")
	}
	ch.fault(ch.c.TLS.Certificate == "", "users", "can prove who they are over TLS alone: set certificate and key in [tls]")
}

// readable reports whether a file is there to be read.
func readable(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// unjoined are the errors that errors.Join has put together.
func unjoined(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}
