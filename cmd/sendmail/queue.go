package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/emersion/go-smtp"

	"lull/relay/spool"
)

// flush tries what is in the spool over SMTP. The daemon does the same by
// itself if it is of this machine, so this is for machines that have none.
func (c *call) flush() int {
	folder := spool.Folder(c.Spool)
	var refused []error
	for e, err := range folder.All(largest) {
		var bad *spool.Bad
		switch {
		case errors.As(err, &bad):
			refused = append(refused, err)
			err = folder.SetAside(bad.Name)
		case err == nil:
			var said []error
			said, err = c.retry(folder, e)
			refused = append(refused, said...)
		}
		if err != nil {
			return c.exit(spoolCode(err), err)
		}
	}
	if len(refused) > 0 {
		return c.exit(codeOf(refused), fmt.Errorf("%w\nwhat is refused is kept in %s/failed", errors.Join(refused...), c.Spool))
	}
	return ok
}

// retry tries one entry, each of its parts under its key: what the daemon took
// from somebody who did not live to hear it, it does not take again. So an entry
// stays as it is until it ends. The error says why the next one would fare no
// better.
func (c *call) retry(folder spool.Folder, e spool.Entry) (refused []error, err error) {
	later := 0
	for _, part := range spool.Parts(e.Key(), e.To, e.Whole()) {
		one := e.Envelope
		one.To = part.To
		got := c.submit(one, part.Key, e.Message)
		refused = append(refused, got.refused...)
		wait := len(got.later) + len(got.unsure)
		if later += wait; wait > 0 && (later == len(e.To) || silent(got.why)) {
			return refused, got.why
		}
	}
	switch {
	case later > 0:
		return refused, nil
	case len(refused) > 0:
		return refused, folder.SetAside(e.Name)
	}
	return nil, folder.Remove(e.Name)
}

// silent reports whether a server did not say why it takes nothing.
func silent(why error) bool {
	var said *smtp.SMTPError
	return !errors.As(why, &said)
}

func spoolCode(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		return noPermission
	}
	return tempFail
}
