// Package relay takes mail in over SMTP and answers for it: 250 means that the
// message is on stable storage.
//
// The way of a message:
//
//	listener ─▶ wire (deadlines, budgets, counted) ─▶ go-smtp ─▶ session
//	session: MAIL, RCPT (strict addresses) ─▶ body ─▶ reading ─▶ policy ─▶ Acceptor ─▶ 250
//
// go-smtp speaks the protocol; what it leaves open is guarded here: limits of
// every kind, endings of a message that it misses or sees too early, replies
// that would make a sender drop its mail. docs/adr/ has the list.
package relay

import (
	"context"
	"crypto/tls"
	"net/netip"
	"sync"
	"time"

	"lull/relay/policy"
	"lull/store"
)

// Acceptor makes a message durable.
type Acceptor interface {
	// Accept returns nil only when the message is on stable storage for all
	// of its copies. It is called by many goroutines at once. The message
	// and the body are the callee's to keep, and must not be changed.
	Accept(ctx context.Context, m store.Message, body []byte) error
}

// Config holds the limits and the identity of a Server. The zero value of
// every field but Hostname is replaced by its default.
type Config struct {
	// Hostname is our name in the greeting and in Received fields.
	Hostname string
	// DigestAddress is whom digests come from, by default lull@<Hostname>.
	// Bounces to its sub-addresses (lull+<digest>@…) go to Deps.Returned.
	DigestAddress string

	// QualifyDomain is added to addresses without a domain, as local programs
	// send them in the clear; by default Hostname.
	QualifyDomain string

	// MaxMessage is the size of the largest message in bytes (50 MiB).
	MaxMessage int64
	// MaxRecipients is the number of recipients of one message (1000).
	MaxRecipients int
	// MaxConnections is the number of open connections (1000).
	MaxConnections int
	// MaxPerHost is the number of open connections of one address (200).
	MaxPerHost int
	// DataBudget bounds the memory for message bodies of all sessions
	// together, in bytes (256 MiB; at least MaxMessage).
	DataBudget int64
	// MaxHops is the number of Received fields that a message may have (50).
	MaxHops int

	// Idle is how long a client may pause inside a message (3 min).
	Idle time.Duration
	// CommandTimeout is how long a client may take for its next command
	// (5 min, RFC 5321 section 4.5.3.2.7).
	CommandTimeout time.Duration
	// SessionTime is how long a connection may last (1 h).
	SessionTime time.Duration

	// Networks are the clients that may send without authentication. By
	// default those of this machine: 127.0.0.0/8 and ::1. Clients on a
	// unix socket always may.
	Networks []netip.Prefix
	// SenderDomains and RecipientDomains, where set, are the only domains
	// that the envelope may name. The null sender is always allowed.
	SenderDomains    []string
	RecipientDomains []string

	// TLS, where set, offers STARTTLS, and serves doors with implicit TLS.
	// Certificate.Get fits its GetCertificate.
	TLS *tls.Config
	// Users, where set, may send from anywhere after AUTH over TLS.
	Users *Users
}

// Deps are what a Server works with. Accept, Read, Decide and NewID must be
// set.
type Deps struct {
	Accept Acceptor
	// Read reads the signature and all else that policy and store need from
	// the bytes of a message. It is pure.
	Read func(raw []byte) store.Reading
	// Decide gives the class of a copy. It is pure.
	Decide func(policy.Input) policy.Decision
	// Reader names the reader of a recipient's address; by default the
	// address, case-folded.
	Reader func(address string) string
	// Now is the wall time for records; by default time.Now.
	Now func() time.Time
	// NewID draws the id of a message.
	NewID func() string
	// Event, where set, is told of everything worth a log line or a count.
	// It must not block.
	Event func(Event)
	// Space, where set, says whether there is room for another message:
	// nil, or store.ErrFull.
	Space func() error
	// Returned, where set, is offered each mail with the null sender that
	// came back to the address of one digest. True takes the copy: it is
	// then not relayed, and the record of it must be durable.
	Returned func(ctx context.Context, digest string, m store.Message) (bool, error)
}

// Server takes mail in. It is safe for use by many goroutines at once.
type Server struct {
	cfg    Config
	deps   Deps
	budget *budget
	open   *roster
	guards *guards
	doors  doors

	hashing, signing *turns // for passwords, and for handshakes

	ctx    context.Context // ends when the server gives up on sessions
	cancel context.CancelFunc
}

// doors are the listeners in use.
type doors struct {
	mu      sync.Mutex
	open    map[*entrance]struct{}
	closing chan struct{} // closed by Shutdown
}

// New makes a server that listens nowhere yet.
func New(cfg Config, d Deps) *Server {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		cfg:    cfg,
		deps:   d.withDefaults(),
		budget: newBudget(cfg.DataBudget),
		open:   newRoster(cfg.MaxConnections, cfg.MaxPerHost),
		guards: newGuards(),
		doors:  doors{open: make(map[*entrance]struct{}), closing: make(chan struct{})},
		ctx:    ctx,
		cancel: cancel,

		hashing: newTurns(),
		signing: newTurns(),
	}
	s.cfg.TLS = s.handshakes(cfg.TLS)
	return s
}
