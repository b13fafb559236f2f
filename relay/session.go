package relay

import (
	"bufio"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"

	"lull/relay/spool"
	"lull/store"
)

// maxFaults is how many refusals a connection survives between two messages.
const maxFaults = 50

// session is the dialogue with one client, from its greeting on.
type session struct {
	srv  *Server
	conn *smtp.Conn
	wire *wire

	settled uintptr             // the last transfer that go-smtp is done with
	chunked chan *io.PipeReader // the body of the transfer after it
	text    bool                // what follows DATA is being read, by the goroutine that reads commands

	// mu guards what follows: with BDAT, go-smtp calls Data on a goroutine
	// of its own.
	mu     sync.Mutex
	tx     *transaction
	auth   string // who the client has proved to be
	faults int
	tries  int // failed AUTH commands
}

// transaction is one message in the making.
type transaction struct {
	envelope store.Envelope
	copies   []store.Copy
	size     int64  // as declared, 0 if not
	key      string // of an import, or of our sendmail
	protocol string // for the Received field
}

func (s *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	w := wireOf(c.Conn())
	w.upper = c.Conn()
	opened := &session{
		srv: s, conn: c, wire: w,
		settled: transfer(c),
		chunked: make(chan *io.PipeReader, 1),
	}
	between(c, func(r *bufio.Reader) io.Reader { return &commands{src: r, session: opened} })
	return opened, nil
}

// Mail begins a transaction.
func (s *session) Mail(from string, opts *smtp.MailOptions) error {
	s.settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.begin(from, opts)
	if err != nil {
		return s.refuse(Event{From: from}, err)
	}
	s.tx = tx
	return nil
}

func (s *session) begin(from string, opts *smtp.MailOptions) (*transaction, error) {
	if s.wire.shut.Load() {
		return nil, errHungUp
	}
	if s.tx != nil {
		return nil, say(503, enhanced{5, 5, 1}, "A transaction is open already, end it or send RSET")
	}
	if !s.allowed() {
		return nil, say(550, enhanced{5, 7, 1}, "Clients at "+s.wire.name+" may not send here; the setting 'networks' of this relay names those that may")
	}
	sender := ""
	if from != "" {
		var err error
		if sender, err = s.srv.reversePath(fromProtocol(from, true)); err != nil {
			return nil, err
		}
	}
	if err := s.srv.deps.Space(); err != nil {
		return nil, err
	}
	envelope := s.envelope(sender, opts)
	key, envID := spool.WithoutKey(envelope.EnvID)
	envelope.EnvID = envID
	return &transaction{key: key, envelope: envelope, size: opts.Size, protocol: protocolOf(envelope, s.conn.Server().LMTP)}, nil
}

// allowed reports whether this client may send at all.
func (s *session) allowed() bool {
	return s.auth != "" || s.wire.name == "unix" ||
		slices.ContainsFunc(s.srv.cfg.Networks, func(p netip.Prefix) bool { return p.Contains(s.wire.client) })
}

func (s *session) envelope(from string, opts *smtp.MailOptions) store.Envelope {
	_, secure := s.conn.TLSConnectionState()
	return store.Envelope{
		From:     from,
		Client:   s.wire.name,
		Helo:     sanitiseHelo(s.conn.Hostname()),
		Auth:     s.auth,
		TLS:      secure,
		Ret:      string(opts.Return),
		EnvID:    opts.EnvelopeID,
		UTF8:     opts.UTF8,
		EightBit: opts.Body == smtp.Body8BitMIME,
	}
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, opts *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.add(to, opts); err != nil {
		return s.refuse(Event{To: to}, err)
	}
	return nil
}

func (s *session) add(to string, opts *smtp.RcptOptions) error {
	switch {
	case s.wire.shut.Load():
		return errHungUp
	case s.tx == nil:
		return say(503, enhanced{5, 5, 1}, "Send MAIL first")
	case len(s.tx.copies) >= s.srv.cfg.MaxRecipients:
		return say(452, enhanced{4, 5, 3}, "Too many recipients, send the rest in another message")
	}
	address, err := s.srv.forwardPath(fromProtocol(to, true))
	if err != nil {
		return err
	}
	s.tx.add(store.Copy{
		To:     address,
		Notify: notify(opts.Notify),
		ORcpt:  originalRecipient(opts),
		Reader: s.srv.deps.Reader(address),
	})
	return nil
}

func notify(values []smtp.DSNNotify) []string {
	var words []string
	for _, v := range values {
		words = append(words, string(v))
	}
	return words
}

func originalRecipient(opts *smtp.RcptOptions) string {
	if opts.OriginalRecipient == "" {
		return ""
	}
	return strings.ToLower(string(opts.OriginalRecipientType)) + ";" + opts.OriginalRecipient
}

// Reset forgets the transaction.
func (s *session) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tx = nil
}

// settle waits until go-smtp is done with the last body that came in chunks,
// if it was dropped half-way. It reads such a body, and sends its result, on a
// goroutine that it does not wait for; before the next transaction begins that
// has to be over, or the result would be taken for that of the next body. The
// last thing it does is to close the pipe from the reading side.
func (s *session) settle() {
	now := transfer(s.conn)
	if now == s.settled {
		return
	}
	s.settled = now
	chunks := <-s.chunked
	for {
		if _, err := chunks.Read(nil); errors.Is(err, io.ErrClosedPipe) {
			return
		}
		runtime.Gosched()
	}
}

// Logout ends the session.
func (s *session) Logout() error { return nil }

// refuse answers a command with an error. A client that does nothing else is
// sent away.
func (s *session) refuse(e Event, err error) error {
	said := reply(err)
	if s.faults++; s.faults > maxFaults {
		said = say(421, enhanced{4, 7, 0}, "Too many refused commands")
		s.wire.endAfterReply()
	}
	e.Kind, e.Client, e.Helo = Refused, s.wire.name, sanitiseHelo(s.conn.Hostname())
	e.Reply, e.Err = line(said), err
	s.srv.deps.Event(e)
	return said
}
