package main

import (
	"errors"
	"fmt"
	"io/fs"

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

// retry tries one entry. It ends with an error if the next one would fare no
// better.
func (c *call) retry(folder spool.Folder, e spool.Entry) (refused []error, err error) {
	got := c.submit(e.Envelope, e.Message)
	switch {
	case len(got.later) == len(e.To):
		return nil, got.why
	case len(got.later) > 0:
		rest := e.Envelope
		rest.To = got.later
		if err := folder.Put(rest, e.Message); err != nil {
			return nil, err
		}
	}
	if len(got.refused) > 0 {
		return got.refused, folder.SetAside(e.Name)
	}
	return nil, folder.Remove(e.Name)
}

func spoolCode(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		return noPermission
	}
	return tempFail
}
