package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"lull/relay/spool"
)

// A program that sends mail waits for us, so we do not wait as long as RFC
// 5321 allows: the spool takes what the daemon takes too long for. The daemon
// knows it again by its key; another server may send it twice, which does less
// harm than a program that hangs.
const (
	dialTime    = 5 * time.Second
	commandTime = 30 * time.Second
	messageTime = 2 * time.Minute // for the answer to a whole message
)

// answers are what a server said to a message.
type answers struct {
	later   []string // recipients to try again
	unsure  []string // the same, when the server may have the message for them
	why     error    // for what reason
	refused []error  // the others that it did not take
}

// A refusal is for ever.
type refusal struct {
	to  string // "" if it is the message that is refused
	err error
}

func (r refusal) Error() string {
	if r.to == "" {
		return fmt.Sprintf("the mail is refused: %v", r.err)
	}
	return fmt.Sprintf("%s is refused: %v", r.to, r.err)
}

// codeOf is the exit code that tells of refusals.
func codeOf(refused []error) int {
	for _, err := range refused {
		var r refusal
		if errors.As(err, &r) && r.to != "" {
			return noUser
		}
	}
	return unavailable
}

// forEver reports whether an error is a refusal that no later try can change.
func forEver(err error) bool {
	var said *smtp.SMTPError
	return errors.As(err, &said) && said.Code >= 500
}

// submit gives a message to the server, under a key by which the daemon knows
// it if it comes again.
func (c *call) submit(e spool.Envelope, key string, text []byte) (a answers) {
	s, err := c.connect(e, key, len(text))
	switch {
	case forEver(err):
		a.refused = []error{refusal{"", err}}
		return a
	case err != nil:
		a.later, a.why = e.To, err
		return a
	}
	defer s.Close()
	taken := a.name(s, e)
	if e.Once != "" && len(a.later) > 0 {
		a.later = append(a.later, taken...) // all that were offered under the key, or none
	} else if len(taken) > 0 {
		a.give(s, taken, text)
	}
	_ = s.Quit() // the message is safe, or will be tried again
	return a
}

// name names the recipients, and returns those whom the server takes.
func (a *answers) name(s *smtp.Client, e spool.Envelope) (taken []string) {
	for _, to := range e.To {
		switch err := s.Rcpt(to, recipientOptions(e)); {
		case err == nil:
			taken = append(taken, to)
		case forEver(err):
			a.refused = append(a.refused, refusal{to, err})
		default:
			a.later, a.why = append(a.later, to), err
		}
	}
	return taken
}

// give sends the message itself. When no answer comes, or 4xx, the server may
// have it all the same.
func (a *answers) give(s *smtp.Client, taken []string, text []byte) {
	switch err := give(s, text); {
	case err == nil:
	case forEver(err):
		a.refused = append(a.refused, refusal{"", err})
	default:
		a.unsure, a.why = taken, err
	}
}

// connect begins a transaction.
func (c *call) connect(e spool.Envelope, key string, size int) (*smtp.Client, error) {
	conn, err := dial(c.Server)
	if err != nil {
		return nil, err
	}
	s := smtp.NewClient(bounded{conn})
	s.CommandTimeout, s.SubmissionTimeout = commandTime, messageTime
	err = s.Hello(c.Hostname)
	if err == nil {
		err = s.Mail(e.From, senderOptions(e, key, size))
	}
	if err != nil {
		_ = s.Close() // nothing was said that counts
		return nil, fmt.Errorf("the mail server at %s: %w", c.Server, err)
	}
	return s, nil
}

// dial connects to HOST:PORT or unix:PATH.
func dial(server string) (net.Conn, error) {
	network, address := "tcp", server
	if path, found := strings.CutPrefix(server, "unix:"); found {
		network, address = "unix", path
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("no mail server answers at %s: %w", server, err)
	}
	return conn, nil
}

// bounded ends a connection whose other side stops reading.
type bounded struct{ net.Conn }

func (b bounded) Write(p []byte) (int, error) {
	if err := b.SetWriteDeadline(time.Now().Add(commandTime)); err != nil {
		return 0, err
	}
	return b.Conn.Write(p)
}

// give sends the message itself. An end of unknown outcome is one to try again.
func give(s *smtp.Client, text []byte) error {
	w, err := s.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		_ = s.Close() // any further command would end the message as if it were whole
		return err
	}
	return w.Close()
}

func senderOptions(e spool.Envelope, key string, size int) *smtp.MailOptions {
	return &smtp.MailOptions{
		Size: int64(size), UTF8: !ascii(e.From + strings.Join(e.To, "")),
		Return: smtp.DSNReturn(e.Ret), EnvelopeID: spool.WithKey(key, e.EnvID),
	}
}

func recipientOptions(e spool.Envelope) *smtp.RcptOptions {
	opt := &smtp.RcptOptions{}
	for _, word := range e.Notify {
		opt.Notify = append(opt.Notify, smtp.DSNNotify(word))
	}
	return opt
}

func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) }
