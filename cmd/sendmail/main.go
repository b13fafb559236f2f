// Command sendmail is how programs of this machine give mail to lull: a
// drop-in for /usr/sbin/sendmail, and, called as mailq or newaliases, for
// those. It speaks SMTP to the daemon; when that does not answer, or asks to
// come again, the message is left in a spool from which the daemon takes it.
//
// It needs no privileges. Exit 0 means that the message is on stable storage,
// of the daemon or in the spool.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"lull/cmd/internal/sendmail"
)

func main() {
	c := call{in: os.Stdin, out: os.Stdout, errs: os.Stderr, now: time.Now}
	os.Exit(c.run(os.Args))
}

// call is one call of the program.
type call struct {
	in        io.Reader
	out, errs io.Writer
	now       func() time.Time
	settings
}

// run is a call from its arguments, the program's name first, to its exit code.
func (c *call) run(args []string) int {
	opt, err := parse(filepath.Base(args[0]), args[1:])
	if err != nil {
		return c.exit(usage, err)
	}
	switch opt.mode {
	case newAliases:
		return ok // aliases are the mail server's
	case help:
		fmt.Fprint(c.out, sendmail.Help())
		return ok
	}
	if c.settings, err = load(opt.config); err != nil {
		return c.exit(configuration, err)
	}
	switch opt.mode {
	case list:
		return c.list()
	case count:
		return c.count()
	case flush:
		return c.flush()
	case dialogue:
		return c.dialogue()
	}
	return c.send(opt)
}
