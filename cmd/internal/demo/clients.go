package demo

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/emersion/go-smtp"
)

// clients are the day's senders: a handful of SMTP connections to lull that are
// kept open, since a storm comes from mail servers that keep theirs.
type clients struct{ conns []*smtp.Client }

func dialClients(addr string, n int) (*clients, error) {
	c := &clients{}
	for range n {
		conn, err := smtp.Dial(addr)
		if err != nil {
			c.close()
			return nil, fmt.Errorf("connect to lull: %w", err)
		}
		c.conns = append(c.conns, conn)
	}
	return c, nil
}

// send hands in letters side by side and returns when each has its 250.
func (c *clients) send(letters []letter) error {
	errs := make([]error, len(c.conns))
	var wg sync.WaitGroup
	for i, conn := range c.conns {
		wg.Go(func() {
			for j := i; j < len(letters) && errs[i] == nil; j += len(c.conns) {
				l := letters[j]
				if err := conn.SendMail(l.from, l.to, bytes.NewReader(l.data)); err != nil {
					errs[i] = fmt.Errorf("lull refused a mail to %v: %w", l.to, err)
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (c *clients) close() {
	for _, conn := range c.conns {
		conn.Close()
	}
}
