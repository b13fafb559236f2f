package deliver

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"time"
)

// TLS says how a connection to a mail server is protected.
type TLS string

// The policies. The zero value is opportunistic.
const (
	TLSNone          TLS = "none"          // never
	TLSOpportunistic TLS = "opportunistic" // when offered; any certificate; in the clear if it fails
	TLSRequired      TLS = "required"      // always; any certificate
	TLSVerified      TLS = "verified"      // always; the certificate must be valid for the host
)

// Server is one mail server.
type Server struct {
	// Addr is "host:port", or the path of a socket of this machine, or with MX
	// "domain:port": then the mail exchangers of the domain are tried in
	// their order (RFC 5321 section 5.1).
	Addr string
	MX   bool
	// LMTP speaks RFC 2033, with a reply for each recipient after the body.
	LMTP bool
	TLS  TLS
	// ImplicitTLS starts with the handshake (RFC 8314, port 465); TLS then
	// only says whether the certificate is verified.
	ImplicitTLS bool
	// TLSConfig is the base: own CA, client certificate, ServerName. May be nil.
	TLSConfig *tls.Config
	// Username and Password, where set, are sent with AUTH PLAIN (RFC 4616), or
	// LOGIN where that is not offered, over TLS or to this machine only.
	Username, Password string
	// Source is the IP address to connect from, "" for any.
	Source string
	// MaxConnections, where set, counts before that of Options.
	MaxConnections int
	// Timeouts, where set, count before those of Options; Mail does not.
	Timeouts Timeouts
}

// Options of a [Smarthost]. The zero value of each field has a default.
type Options struct {
	// Servers are tried in order; one that cannot be used is passed over
	// for a while.
	Servers []Server
	// LocalName is said in EHLO. Default: the name of this machine.
	LocalName string
	// Dial connects. Default: a [net.Dialer] from Server.Source.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// LookupMX resolves. Default: that of [net.DefaultResolver].
	LookupMX func(ctx context.Context, domain string) ([]*net.MX, error)
	Timeouts Timeouts
	// MaxConnections is the most connections to a server at a time, busy or
	// idle, and so the most mails under way to it. Default 5: Exim as it comes takes 20 from all clients together.
	MaxConnections int
	// MaxIdle is how long an unused connection is kept. Default 30 s.
	MaxIdle time.Duration
	// MaxPerConnection is the most mails over one connection. Default 10:
	// Exim as it comes leaves the eleventh and later ones to its next queue
	// run, half an hour later (smtp_accept_queue_per_connection).
	MaxPerConnection int
	// Now gives the time noted in replies. Deadlines do not use it. Default [time.Now].
	Now func() time.Time
}

// Timeouts are the longest waits at each stage. The zero value of each has
// the default of RFC 5321 section 4.5.3.2, where it names one.
type Timeouts struct {
	Connect  time.Duration // to connect, and for the TLS handshake. Default 30 s
	Greeting time.Duration // for the greeting. Default 5 min
	Command  time.Duration // for the reply to EHLO, STARTTLS, AUTH, MAIL, RCPT. Default 5 min
	Data     time.Duration // for the reply to DATA. Default 2 min
	Block    time.Duration // for the server to take any octet of what is written. Default 3 min
	Dot      time.Duration // for the reply to the final dot. Default 10 min
	Mail     time.Duration // for one mail, from MAIL on. Default 1 h
	Courtesy time.Duration // for the reply to RSET and QUIT, and for last words after a failed write. Default 5 s
}

func (o Options) withDefaults() Options {
	o.Timeouts = o.Timeouts.withDefaults()
	orDefault(&o.MaxConnections, 5)
	orDefault(&o.MaxIdle, 30*time.Second)
	orDefault(&o.MaxPerConnection, 10)
	if o.LocalName == "" {
		o.LocalName = hostname()
	}
	if o.LookupMX == nil {
		o.LookupMX = net.DefaultResolver.LookupMX
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (t Timeouts) withDefaults() Timeouts {
	orDefault(&t.Mail, time.Hour)
	return t.or(Timeouts{
		Connect: 30 * time.Second, Greeting: 5 * time.Minute, Command: 5 * time.Minute, Data: 2 * time.Minute,
		Block: 3 * time.Minute, Dot: 10 * time.Minute, Courtesy: 5 * time.Second,
	})
}

// or fills in what is not set.
func (t Timeouts) or(usual Timeouts) Timeouts {
	orDefault(&t.Connect, usual.Connect)
	orDefault(&t.Greeting, usual.Greeting)
	orDefault(&t.Command, usual.Command)
	orDefault(&t.Data, usual.Data)
	orDefault(&t.Block, usual.Block)
	orDefault(&t.Dot, usual.Dot)
	orDefault(&t.Courtesy, usual.Courtesy)
	return t
}

func orDefault[T ~int | ~int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
