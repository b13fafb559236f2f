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
// 5321 allows: the spool takes what the daemon takes too long for. A mail may
// then go out twice, which does less harm than a program that hangs.
const (
	dialTime    = 5 * time.Second
	commandTime = 30 * time.Second
	messageTime = 2 * time.Minute // for the answer to a whole message
)

// answers are what a server said to a message.
type answers struct {
	later   []string // recipients to try again
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

// add notes what a server said, if it is that it takes a message later or never.
func (a *answers) add(to []string, whole bool, err error) {
	var said *smtp.SMTPError
	switch {
	case err == nil:
	case !errors.As(err, &said) || said.Code < 500:
		a.later, a.why = append(a.later, to...), err
	case whole:
		a.refused = append(a.refused, refusal{"", err})
	default:
		a.refused = append(a.refused, refusal{to[0], err})
	}
}

// submit gives a message to the server.
func (c *call) submit(e spool.Envelope, text []byte) (a answers) {
	s, err := c.connect(e, len(text))
	if err != nil {
		a.add(e.To, true, err)
		return a
	}
	defer s.Close()
	var taken []string
	for _, to := range e.To {
		if err := s.Rcpt(to, recipientOptions(e)); err != nil {
			a.add([]string{to}, false, err)
			continue
		}
		taken = append(taken, to)
	}
	if len(taken) > 0 {
		a.add(taken, true, give(s, text))
	}
	_ = s.Quit() // the message is safe, or will be tried again
	return a
}

// connect begins a transaction.
func (c *call) connect(e spool.Envelope, size int) (*smtp.Client, error) {
	conn, err := dial(c.Server)
	if err != nil {
		return nil, err
	}
	s := smtp.NewClient(bounded{conn})
	s.CommandTimeout, s.SubmissionTimeout = commandTime, messageTime
	err = s.Hello(c.Hostname)
	if err == nil {
		err = s.Mail(e.From, senderOptions(e, size))
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

func senderOptions(e spool.Envelope, size int) *smtp.MailOptions {
	return &smtp.MailOptions{
		Size: int64(size), UTF8: !ascii(e.From + strings.Join(e.To, "")),
		Return: smtp.DSNReturn(e.Ret), EnvelopeID: e.EnvID,
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
