package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// conn is one connection to a mail server, greeted and ready for MAIL.
type conn struct {
	server  *server
	net     net.Conn // the guard, or TLS over it
	guard   *guard
	r       *bufio.Reader
	wait    Timeouts
	ext     extensions
	secure  bool   // under TLS
	clear   bool   // no TLS, for it failed on the connection before
	mails   int    // mails sent over it
	reused  bool   // it has been idle in the pool
	broken  bool   // out of step or lost: must not be used again
	block   []byte // what is read of a body at a time, and
	out     []byte // how it is written: kept for the next
	retired *time.Timer
}

// extensions are what EHLO offered: keyword in upper case → parameters.
type extensions map[string]string

func (e extensions) has(keyword string) bool { _, ok := e[keyword]; return ok }

func newConn(s *server, c net.Conn, wait Timeouts) *conn {
	g := &guard{Conn: c, block: wait.Block}
	return &conn{server: s, net: g, guard: g, r: bufio.NewReader(g), wait: wait}
}

// over makes t, a TLS connection over the present one, the connection.
func (c *conn) over(t *tls.Conn) {
	c.net, c.r, c.secure = t, bufio.NewReader(t), true
}

// command says line and returns the reply to it, which is awaited for d. An
// error leaves the connection broken.
func (c *conn) command(d time.Duration, line string) (reply, error) {
	if err := c.say(line); err != nil {
		return c.lastWords(err)
	}
	return c.hear(d)
}

// say writes lines, each with its CRLF, at once. Replies that nobody asked for
// mean that the two sides are out of step.
func (c *conn) say(lines ...string) error {
	if c.r.Buffered() > 0 {
		c.broken = true
		return fmt.Errorf("%w: the server spoke unasked", errReply)
	}
	_, err := io.WriteString(c.net, strings.Join(lines, "\r\n")+"\r\n")
	if err != nil {
		c.broken = true
	}
	return err
}

func (c *conn) hear(d time.Duration) (reply, error) {
	err := c.net.SetReadDeadline(time.Now().Add(d))
	var got reply
	if err == nil {
		got, err = readReply(c.r)
	}
	if err != nil {
		c.broken = true
		return reply{}, waited(err, d)
	}
	if got.code == 421 {
		c.broken = true // RFC 5321 section 3.8: it closes after it
	}
	return got, nil
}

// lastWords is the reply that a server sent before it closed, which a failed
// write must not hide; otherwise err.
func (c *conn) lastWords(err error) (reply, error) {
	got, readErr := c.hear(c.wait.Courtesy)
	c.broken = true
	if readErr != nil || !got.failed() {
		return reply{}, err
	}
	return got, nil
}

// reset gives up the open transaction and keeps the connection if it can.
func (c *conn) reset() {
	if c.broken {
		return
	}
	got, err := c.command(c.wait.Courtesy, "RSET")
	if err != nil || !got.ok() {
		c.broken = true
	}
}

// quit parts as RFC 5321 section 4.1.1.10 wants it, and closes.
func (c *conn) quit() {
	if !c.broken {
		_, _ = c.command(c.wait.Courtesy, "QUIT") // nothing hangs on the answer
	}
	if c.broken {
		c.close()
		return
	}
	_ = c.net.Close()
}

// close closes at once, from any goroutine: TLS would wait to say goodbye to a
// server that does not read.
func (c *conn) close() {
	c.guard.cutWrites()
	_ = c.net.Close()
}

// interruptible closes the connection when ctx ends before stop is called.
func (c *conn) interruptible(ctx context.Context) (stop func()) {
	cancel := context.AfterFunc(ctx, c.close)
	return func() {
		if !cancel() {
			c.broken = true
		}
	}
}

// waited says of a time-out how long the wait was.
func waited(err error, d time.Duration) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", d)
	}
	return err
}

// guard is a connection on which a write may take long, as long as the peer
// takes octets: when it took none for a whole block, the write fails. It lies
// under TLS, where a write that timed out could not be taken up again.
type guard struct {
	net.Conn
	block time.Duration
	cut   atomic.Bool
}

var errCut = errors.New("the write was cut short")

// cutWrites makes the write under way, if any, and those that follow fail:
// what it would write is not wanted any more. It may be called at any time.
func (g *guard) cutWrites() {
	g.cut.Store(true)
	_ = g.SetWriteDeadline(time.Unix(1, 0)) // fails on closed connections only
}

func (g *guard) Write(p []byte) (int, error) {
	done := 0
	for {
		if err := g.SetWriteDeadline(time.Now().Add(g.block)); err != nil {
			return done, err
		}
		if g.cut.Load() { // after the deadline was set, or it could undo that of cutWrites
			return done, errCut
		}
		n, err := g.Conn.Write(p[done:])
		done += n
		if err == nil || n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return done, waited(err, g.block)
		}
	}
}
