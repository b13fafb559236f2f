package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lull/store"
)

// ErrRefused is returned for what no later try can bring in.
var ErrRefused = errors.New("refused")

// Submission is a message that comes from a file instead of a connection.
type Submission struct {
	// Key is unique; see [store.Message.Key].
	Key  string
	From string // reverse-path without brackets, "" for the null sender
	To   []string
	// Notify, Ret and EnvID are DSN parameters (RFC 3461), decoded.
	Notify []string
	Ret    string
	EnvID  string
	Host   string // what its machine calls itself
	Body   []byte
}

// Submit takes a message in as if it had come over a unix socket: addresses
// and limits are those of a session. When it returns nil, the message is on
// stable storage for all recipients; store.ErrKnown says that it was before.
// With ErrRefused some recipients, or all, are refused for ever, and it is on
// stable storage for the others. Any other error may pass.
func (s *Server) Submit(sub Submission) error {
	began := time.Now()
	tx, refused := s.submission(sub)
	if len(tx.copies) == 0 {
		return refused
	}
	m, err := s.process(tx, sub.Body)
	if err != nil && !errors.Is(err, store.ErrKnown) {
		return s.turnDown(Event{Kind: Failed, From: sub.From, Size: m.Size}, err)
	}
	if err == nil {
		s.deps.Event(Event{
			Kind: Accepted, Client: "unix", Helo: m.Envelope.Helo, Message: m.ID,
			From: m.Envelope.From, Copies: len(m.Copies), Size: m.Size, Took: time.Since(began),
		})
	}
	return errors.Join(err, refused)
}

// submission is the transaction with the recipients that are taken, and why
// not all are.
func (s *Server) submission(sub Submission) (*transaction, error) {
	tx := &transaction{key: sub.Key, protocol: "local", envelope: store.Envelope{
		Client: "unix", Helo: sanitiseHelo(sub.Host), Ret: sub.Ret, EnvID: sub.EnvID, EightBit: true,
	}}
	if err := s.room(sub); err != nil {
		return tx, s.turnDown(Event{Kind: Refused, From: sub.From}, err)
	}
	if sub.From != "" {
		from, err := s.reversePath(parseAddress(sub.From, true))
		if err != nil {
			return tx, s.turnDown(Event{Kind: Refused, From: sub.From}, err)
		}
		tx.envelope.From = from
	}
	var refused []error
	for _, to := range sub.To {
		address, err := s.forwardPath(parseAddress(to, true))
		if err != nil {
			refused = append(refused, s.turnDown(Event{Kind: Refused, To: to}, err))
			continue
		}
		tx.add(store.Copy{To: address, Notify: sub.Notify, Reader: s.deps.Reader(address)})
	}
	return tx, errors.Join(refused...)
}

// room says why there is none for a message.
func (s *Server) room(sub Submission) error {
	if int64(len(sub.Body)) > s.cfg.MaxMessage {
		return errTooLarge
	}
	return s.deps.Space()
}

// turnDown tells of a refusal. The error that it returns says whether it is
// for ever.
func (s *Server) turnDown(e Event, err error) error {
	said := reply(err)
	e.Client, e.Reply, e.Err = "unix", line(said), err
	s.deps.Event(e)
	if said.Code >= 500 {
		return fmt.Errorf("%w: %s", ErrRefused, line(said))
	}
	return err
}

// add adds a copy, unless its recipient is there already.
func (tx *transaction) add(c store.Copy) {
	if slices.ContainsFunc(tx.copies, func(other store.Copy) bool { return other.To == c.To }) {
		return // named twice, sent once
	}
	c.Index = len(tx.copies) + 1
	tx.copies = append(tx.copies, c)
}

// wide reports whether an address needs SMTPUTF8.
func (tx *transaction) wide() bool {
	above := func(s string) bool { return strings.ContainsFunc(s, wide) }
	return above(tx.envelope.From) || slices.ContainsFunc(tx.copies, func(c store.Copy) bool { return above(c.To) })
}
