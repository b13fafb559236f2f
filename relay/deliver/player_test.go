package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// player is the mail servers.
type player struct {
	t           *testing.T
	certificate tls.Certificate
	serving     sync.WaitGroup
	mu          sync.Mutex
	script      []*connection
}

func (p *player) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.script) == 0 {
		p.t.Errorf("a connection to %s that the file does not have", addr)
		return nil, errors.New("no such connection in the file")
	}
	c := p.script[0]
	p.script = p.script[1:]
	if c.addr != addr {
		p.t.Errorf("connection to %s, want %s", addr, c.addr)
	}
	switch c.dial {
	case "refused":
		return nil, errors.New("connection refused")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ours, theirs := net.Pipe()
	client := &clientSide{Conn: ours, r: bufio.NewReaderSize(ours, 64<<10), closed: make(chan struct{})}
	p.serving.Go(func() { p.serve(theirs, client.closed, c) })
	return client, nil
}

// clientSide tells when the client closed. It reads ahead as a kernel does:
// else a TLS alert would wait for a server that is still writing.
type clientSide struct {
	net.Conn
	r      *bufio.Reader
	once   sync.Once
	closed chan struct{}
}

func (c *clientSide) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *clientSide) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// serve does what the file says. Connections that the file does not close
// must be closed by the client.
func (p *player) serve(raw net.Conn, closed <-chan struct{}, c *connection) {
	s := &scripted{net: raw, r: bufio.NewReader(raw), certificate: p.certificate, closed: closed}
	defer func() { _ = raw.Close() }() // without the goodbye of TLS, which the client may not read
	for _, line := range c.lines {
		if err := s.do(line); err != nil {
			p.t.Errorf("%s: at %q: %v", c.addr, line, err)
			return
		}
		if line == "close" || line == "deaf" {
			return
		}
	}
	if rest, _ := io.ReadAll(s.r); len(rest) > 0 {
		p.t.Errorf("%s: after the end of the file the client said %.200q", c.addr, rest)
	}
}

// scripted is one connection, seen from the server.
type scripted struct {
	net         net.Conn
	r           *bufio.Reader
	certificate tls.Certificate
	closed      <-chan struct{}
}

func (s *scripted) do(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "S:":
		_, err := io.WriteString(s.net, rest+"\r\n")
		return err
	case "C:":
		return s.expect(rest)
	case "close":
		return nil
	case "hang": // until the client gives up
		_, err := io.Copy(io.Discard, s.r)
		return err
	case "deaf": // does not even read, until the client gives up
		<-s.closed
		return nil
	case "wait":
		d, err := time.ParseDuration(rest)
		time.Sleep(d)
		return err
	case "read":
		return s.readSlowly(rest)
	case "endless":
		for {
			if _, err := io.WriteString(s.net, rest+"\r\n"); err != nil {
				return nil
			}
		}
	case "raw":
		text, err := strconv.Unquote(rest)
		if err == nil {
			_, err = io.WriteString(s.net, text)
		}
		return err
	case "tls":
		t := tls.Server(s.net, &tls.Config{Certificates: []tls.Certificate{s.certificate}})
		if err := t.Handshake(); err != nil {
			if rest == "refused" {
				return nil
			}
			return err
		}
		s.net, s.r = t, bufio.NewReader(t)
		return nil
	}
	return fmt.Errorf("unknown word %q", verb)
}

// expect wants the line, ended by CRLF, with no CR in it.
func (s *scripted) expect(want string) error {
	got, err := s.r.ReadString('\n')
	if err != nil {
		return fmt.Errorf("the client said %q and %w", got, err)
	}
	if got != want+"\r\n" {
		return fmt.Errorf("the client said %q", got)
	}
	return nil
}

// readSlowly reads "N octets every D", past what is in the buffer.
func (s *scripted) readSlowly(rest string) error {
	var n int
	var every string
	if _, err := fmt.Sscanf(rest, "%d octets every %s", &n, &every); err != nil {
		return err
	}
	d, err := time.ParseDuration(every)
	for range n {
		time.Sleep(d)
		if _, err := s.net.Read(make([]byte, 1)); err != nil {
			return err
		}
	}
	return err
}
