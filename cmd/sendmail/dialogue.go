package main

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// dialogue lets a program speak SMTP with the daemon on our standard input and
// output. While the daemon is away nothing is taken: the program is told to
// come again.
func (c *call) dialogue() int {
	conn, err := dial(c.Server)
	if err != nil {
		fmt.Fprintf(c.out, "421 4.3.2 %s The mail server is away, try again later\r\n", c.Hostname)
		return c.exit(tempFail, err)
	}
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, c.in) // what does not arrive is not answered
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}()
	if _, err := io.Copy(c.out, conn); err != nil && !errors.Is(err, net.ErrClosed) {
		return c.exit(tempFail, err)
	}
	return ok
}
