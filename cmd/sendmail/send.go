package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"lull/relay/spool"
)

// batch is how many recipients a server must take at once (RFC 5321 section
// 4.5.3.1.8).
const batch = 100

// send takes a message on standard input, and gives it to the daemon or, if
// that cannot take it now, to the spool.
func (c *call) send(opt options) int {
	raw, err := read(c.in, opt.dots)
	switch {
	case errors.Is(err, errLarge):
		return c.exit(data, err)
	case err != nil:
		return c.exit(inputOutput, err)
	}
	m := split(raw)
	to, err := c.recipients(opt, m)
	switch {
	case err != nil:
		return c.exit(data, err)
	case len(to) == 0 && opt.headers:
		return c.exit(data, errors.New("neither the header nor the command line names a recipient"))
	case len(to) == 0:
		return c.exit(usage, errors.New("name recipients on the command line, or let -t take them from the header"))
	}
	by := whoami(opt.name)
	e := spool.Envelope{
		From: c.sender(opt, by), Notify: opt.notify, Ret: opt.ret, EnvID: opt.envID,
		Host: c.Hostname, UID: os.Getuid(), At: c.now(),
	}
	m.complete(c.settings, by, e.From, c.now())
	return c.hand(e, to, m.bytes())
}

// recipients are those of the command line and, with -t, of the header; each
// once, with a domain.
func (c *call) recipients(opt options, m message) ([]string, error) {
	var all []string
	for _, word := range opt.recipients {
		list, err := mailboxes(word)
		if err != nil {
			return nil, err
		}
		for _, box := range list {
			all = append(all, box.address)
		}
	}
	if opt.headers {
		found, err := m.recipients()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	var each []string
	for _, address := range all {
		if address = qualified(address, c.Domain); !slices.Contains(each, address) {
			each = append(each, address)
		}
	}
	return each, nil
}

// sender is the reverse-path: -f, else the user.
func (c *call) sender(opt options, by author) string {
	if opt.from != nil {
		return qualified(*opt.from, c.Domain)
	}
	return qualified(by.login, c.Domain)
}

// hand gives the message away, at most a batch of recipients at a time. What
// the daemon does not take now is left in the spool.
func (c *call) hand(e spool.Envelope, to []string, text []byte) int {
	var refused []error
	for part := range slices.Chunk(to, batch) {
		e.To = part
		key := spool.NewKey(text)
		got := c.submit(e, key, text)
		refused = append(refused, got.refused...)
		if err := c.leave(e, key, got, text); err != nil {
			return c.exit(tempFail, fmt.Errorf("%w; and the mail cannot be left for later: %w; send it again", got.why, err))
		}
	}
	if len(refused) == 0 {
		return ok
	}
	return c.exit(codeOf(refused), errors.Join(refused...))
}

// leave leaves in the spool what a server did not take now, and apart from it
// what it may have taken under the key.
func (c *call) leave(e spool.Envelope, key string, got answers, text []byte) error {
	folder := spool.Folder(c.Spool)
	if e.To = got.later; len(e.To) > 0 {
		if err := folder.Put(e, text); err != nil {
			return err
		}
	}
	if e.To, e.Once = got.unsure, key; len(e.To) > 0 {
		return folder.Put(e, text)
	}
	return nil
}
