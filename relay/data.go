package relay

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"lull/relay/policy"
	"lull/store"
)

// Data takes the body of a message, and answers for it.
func (s *session) Data(r io.Reader) error {
	s.wire.receive(true)
	defer s.wire.receive(false)
	began := time.Now()
	tx := s.reading(r)
	m, err := s.take(tx, r)
	if errors.Is(err, store.ErrKnown) {
		s.thrive()
		return say(250, enhanced{2, 0, 0}, "taken before") // sendmail did not live to hear it, or to wait for it
	}
	return s.answer(m, err, time.Since(began))
}

// reading is the transaction whose body r is.
func (s *session) reading(r io.Reader) *transaction {
	if chunks, ok := r.(*io.PipeReader); ok {
		s.chunked <- chunks
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tx
}

// take receives the body and has the message accepted.
func (s *session) take(tx *transaction, r io.Reader) (store.Message, error) {
	if tx == nil || len(tx.copies) == 0 {
		return store.Message{}, say(503, enhanced{5, 5, 1}, "Send MAIL and RCPT first")
	}
	in := &intake{ctx: s.srv.ctx, max: s.srv.cfg.MaxMessage, budget: s.srv.budget, took: s.wire.progress}
	defer in.release()
	in.expect(tx.size)
	if err := s.receive(r, in); err != nil {
		return store.Message{Envelope: tx.envelope}, err
	}
	return s.srv.process(tx, in.buf)
}

// receive reads the body into in. A body that is not wanted is read to its
// end all the same, so that the client hears why.
func (s *session) receive(r io.Reader, in *intake) error {
	var err error
	if chunks, ok := r.(*io.PipeReader); ok {
		err = s.receiveChunks(chunks, in)
	} else {
		err = s.receiveText(r, in)
	}
	switch {
	case err == nil, errors.Is(err, errTooLarge), errors.Is(err, errBusy):
		return err
	}
	return fmt.Errorf("%w: %w", errCutShort, err)
}

// receiveText reads what follows DATA.
func (s *session) receiveText(r io.Reader, in *intake) error {
	s.text = true
	defer func() { s.text = false }()
	buffered := below(r)
	if buffered == nil {
		_, err := in.ReadFrom(r)
		return err
	}
	text := dotted{r: buffered}
	err := text.each(in.take)
	if errors.Is(err, errTooLarge) || errors.Is(err, errBusy) {
		if text.each(s.waste()) != nil {
			s.wire.endAfterReply()
		}
	}
	return err
}

// receiveChunks reads what BDAT commands bring. go-smtp takes a chunk that the
// connection cut short for a whole one.
func (s *session) receiveChunks(r *io.PipeReader, in *intake) error {
	n, err := in.ReadFrom(r)
	if errors.Is(err, errBusy) {
		io.Copy(waster(s.waste()), r) //nolint:errcheck // the first error counts
	}
	if err != nil {
		return err
	}
	if want := announced(s.conn); n != want {
		return fmt.Errorf("%d octets of %d in chunks", n, want)
	}
	return nil
}

// waste takes what is not wanted, up to the size of a message.
func (s *session) waste() waster {
	left := s.srv.cfg.MaxMessage
	return func(piece []byte) error {
		s.wire.progress()
		if left -= int64(len(piece)); left < 0 {
			return errTooLarge
		}
		return nil
	}
}

type waster func([]byte) error

func (w waster) Write(p []byte) (int, error) { return len(p), w(p) }

// process makes a message of a transaction and a body, and has it accepted.
func (s *Server) process(tx *transaction, body []byte) (store.Message, error) {
	// Clients that know nothing of SMTPUTF8 use such addresses all the same,
	// and Postfix takes them. They leave with the parameter that they need.
	tx.envelope.UTF8 = tx.envelope.UTF8 || tx.wide()
	m := store.Message{
		ID:       s.deps.NewID(),
		Key:      tx.key,
		Accepted: s.deps.Now(),
		Envelope: tx.envelope,
		Size:     int64(len(body)),
		Reading:  s.deps.Read(body),
		Copies:   tx.copies,
	}
	if s.loops(&m.Reading, body) {
		return m, errLoop
	}
	if err := s.returned(&m); err != nil {
		return m, err
	}
	if len(m.Copies) == 0 {
		return m, nil // all of it was ours
	}
	m.Trace = s.trace(&m, tx.protocol)
	s.decide(&m)
	return m, s.deps.Accept.Accept(s.ctx, m, body)
}

// loops reports whether a message has been on its way for too long: by its
// hops, or because it is a digest of ours that passed us before.
func (s *Server) loops(r *store.Reading, body []byte) bool {
	if r.Hops > s.cfg.MaxHops {
		return true
	}
	return r.Digest != "" && strings.EqualFold(r.DigestHost, s.cfg.Hostname) && s.passages(body) > 0
}

// decide sets the class of each copy.
func (s *Server) decide(m *store.Message) {
	for i := range m.Copies {
		c := &m.Copies[i]
		d := s.deps.Decide(policy.Input{Envelope: m.Envelope, To: c.To, Reading: &m.Reading})
		c.Class, c.Reason = d.Class, d.Reason
	}
}

// returned gives away the copies that are digests come back.
func (s *Server) returned(m *store.Message) error {
	if s.deps.Returned == nil || m.Envelope.From != "" {
		return nil
	}
	var kept []store.Copy
	for _, c := range m.Copies {
		taken, err := s.takeBack(c.To, *m)
		if err != nil {
			return err
		}
		if !taken {
			c.Index = len(kept) + 1
			kept = append(kept, c)
		}
	}
	m.Copies = kept
	return nil
}

// takeBack reports whether a recipient is the address of a digest whose return
// was recorded.
func (s *Server) takeBack(to string, m store.Message) (bool, error) {
	digest := s.digestOf(to)
	if digest == "" {
		return false, nil
	}
	return s.deps.Returned(s.ctx, digest, m)
}

// digestOf is the digest that an address answers for, "" if it is no address
// of ours.
func (s *Server) digestOf(to string) string {
	name, domain, _ := strings.Cut(s.cfg.DigestAddress, "@")
	local, found := cutSuffixFold(to, "@"+domain)
	if !found {
		return ""
	}
	digest, found := cutPrefixFold(local, name+"+")
	if !found {
		return ""
	}
	return digest
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}

// answer is the reply to a message. nil would make go-smtp say 250 too, but
// without the id, by which people find a mail again.
func (s *session) answer(m store.Message, err error, took time.Duration) error {
	e := Event{
		Kind: Accepted, Client: s.wire.name, Helo: m.Envelope.Helo, Message: m.ID,
		From: m.Envelope.From, Copies: len(m.Copies), Size: m.Size, Took: took,
	}
	said := say(250, enhanced{2, 0, 0}, "queued as "+m.ID)
	if err != nil {
		e.Kind, e.Err = Failed, err
		said = reply(err)
	} else {
		s.thrive()
	}
	e.Reply = line(said)
	s.srv.deps.Event(e)
	return said
}

// thrive forgives the faults of a client that brought a message.
func (s *session) thrive() {
	s.wire.accepted()
	s.mu.Lock()
	s.faults = 0
	s.mu.Unlock()
}
