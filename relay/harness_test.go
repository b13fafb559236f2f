package relay

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lull/relay/policy"
	"lull/store"
)

// start is the time at which a synctest bubble begins.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// box is an Acceptor that remembers, or fails as told.
type box struct {
	mu       sync.Mutex
	err      error
	hold     chan struct{} // Accept waits for it to be closed
	messages []store.Message
	bodies   [][]byte
}

func (b *box) Accept(ctx context.Context, m store.Message, body []byte) error {
	b.mu.Lock()
	hold, err := b.hold, b.err
	b.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages = append(b.messages, m)
	b.bodies = append(b.bodies, body)
	return nil
}

func (b *box) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.messages)
}

// events remembers what a server told.
type events struct {
	mu   sync.Mutex
	list []Event
}

func (e *events) tell(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

func (e *events) of(kind Kind) []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(e.list), func(ev Event) bool { return ev.Kind != kind })
}

// testRead is a reading that needs no signature package: hops, digest marks
// and the subject.
func testRead(raw []byte) store.Reading {
	r := store.Reading{Signature: store.Signature{Format: "generic"}, Reports: []store.Report{{State: store.Notice}}}
	for field := range fields(raw) {
		name, value, _ := strings.Cut(string(field), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "received":
			r.Hops++
		case "subject":
			r.Subject = value
		case "x-lull-digest":
			r.Digest, r.DigestHost, _ = strings.Cut(value, "@")
		}
	}
	return r
}

func testDeps(t testing.TB, b Acceptor, e *events) Deps {
	p, err := policy.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	n := 0
	return Deps{
		Accept: b,
		Read:   testRead,
		Decide: p.Decide,
		Event:  e.tell,
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("ID%d", n)
		},
	}
}

// pipes is a listener whose connections are pipes from addresses of choice.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }

// from is one end of a pipe that claims to be a TCP connection.
type from struct {
	net.Conn
	remote net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.remote }

// dial connects from an address, "unix" for a socket.
func (p *pipes) dial(t testing.TB, address string) net.Conn {
	client, server := net.Pipe()
	var remote net.Addr = &net.UnixAddr{Net: "unix"}
	if address != "unix" {
		remote = &net.TCPAddr{IP: net.ParseIP(address), Port: 4000}
	}
	select {
	case p.conns <- from{Conn: server, remote: remote}:
	case <-p.closed:
		t.Fatal("the listener is closed")
	}
	return client
}

// client is the other side of a dialogue. A goroutine of its own reads what
// the server says, since pipes have no buffer.
type client struct {
	t     testing.TB
	conn  net.Conn
	lines chan string
}

func newClient(t testing.TB, conn net.Conn) *client {
	c := &client{t: t}
	c.listen(conn)
	return c
}

// listen reads from conn until it ends or TLS begins.
func (c *client) listen(conn net.Conn) {
	c.conn, c.lines = conn, make(chan string, 10000)
	go func(lines chan<- string) {
		defer close(lines)
		r := bufio.NewReader(conn)
		for {
			line, err := r.ReadString('\n')
			if line != "" {
				lines <- strings.TrimSuffix(line, "\r\n")
			}
			if err != nil || strings.HasPrefix(line, "220 2.0.0 Ready") {
				return
			}
		}
	}(c.lines)
}

// secure upgrades the connection, which the server has agreed to.
func (c *client) secure() {
	c.t.Helper()
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		c.t.Fatalf("handshake: %v", err)
	}
	c.listen(conn)
}

// send writes raw octets. A server that hung up is no fault here: what it
// said is what counts.
func (c *client) send(raw string) { c.conn.Write([]byte(raw)) } //nolint:errcheck // see above

// reply is the next line of the server.
func (c *client) reply() string {
	c.t.Helper()
	select {
	case line, open := <-c.lines:
		if !open {
			return "closed"
		}
		return line
	case <-time.After(time.Hour):
		return "silence"
	}
}

// want fails unless the next line is as the pattern says; a final * stands
// for any rest.
func (c *client) want(pattern string) {
	c.t.Helper()
	if got := c.reply(); !matches(pattern, got) {
		c.t.Fatalf("server said %q, want %q", got, pattern)
	}
}

// say sends a line and wants an answer.
func (c *client) say(line, pattern string) {
	c.t.Helper()
	c.send(line + "\r\n")
	c.want(pattern)
}

func matches(pattern, line string) bool {
	if prefix, cut := strings.CutSuffix(pattern, "*"); cut {
		return strings.HasPrefix(line, prefix)
	}
	return pattern == line
}

// hello brings a session to where MAIL may come.
func (c *client) hello() {
	c.t.Helper()
	c.want("220 *")
	c.send("HELO client.test\r\n")
	c.want("250 *")
}

// post sends a whole mail and wants it accepted.
func (c *client) post(text string) {
	c.t.Helper()
	c.say("MAIL FROM:<a@client.test>", "250 *")
	c.say("RCPT TO:<r@reader.test>", "250 *")
	c.say("DATA", "354 *")
	c.send(text + "\r\n.\r\n")
	c.want("250 *")
}

// bubble runs a test with a server inside of a synctest bubble, and shuts the
// server down after it.
func bubble(t *testing.T, cfg Config, change func(*Deps), test func(t *testing.T, h *house)) {
	t.Helper()
	bubbleAt(t, Door{}, cfg, change, test)
}

// bubbleAt is bubble for clients that come in through another door.
func bubbleAt(t *testing.T, door Door, cfg Config, change func(*Deps), test func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{box: &box{}, events: &events{}, pipes: newPipes()}
		d := testDeps(t, h.box, h.events)
		if change != nil {
			change(&d)
		}
		cfg.Hostname = orDefault(cfg.Hostname, "lull.test")
		h.server = New(cfg, d)
		served := make(chan error)
		go func() { served <- h.server.ServeDoor(h.pipes, door) }()
		defer h.close(t, served)
		test(t, h)
	})
}

func (h *house) close(t *testing.T, served <-chan error) {
	for _, c := range h.clients {
		c.conn.Close() //nolint:errcheck // the test is over
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// house is a server with everything around it.
type house struct {
	server  *Server
	box     *box
	events  *events
	pipes   *pipes
	clients []*client
}

func (h *house) connect(t testing.TB, address string) *client {
	c := newClient(t, h.pipes.dial(t, address))
	h.clients = append(h.clients, c)
	return c
}
