package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// tap is a wire between a client and a server that notes every mail that
// travels over it, as octets. It knows no more of SMTP than where a message
// begins and ends, and shares no code with lull or its libraries.
type tap struct {
	addr, server string

	mu    sync.Mutex
	moved int // mails and refusals seen
	mails []*tapped
	nos   []string // refused commands with their replies
}

// tapped is one transaction.
type tapped struct {
	from string   // the argument of MAIL, with its parameters
	to   []string // those of the RCPTs that were accepted
	body []byte   // without the dots of RFC 5321 section 4.5.2
	said string   // the reply to the message
}

// newTap opens a wire to the server.
func newTap(t *testing.T, server string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tap{addr: l.Addr().String(), server: server}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go w.join(client)
		}
	})
	t.Cleanup(func() { l.Close(); open.Wait() })
	return w
}

// seen is a copy of what was noted so far.
func (w *tap) seen() (mails []*tapped, refused []string, moved int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(mails, w.mails...), append(refused, w.nos...), w.moved
}

func (w *tap) note(m *tapped, refused string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved++
	if m != nil {
		w.mails = append(w.mails, m)
	}
	if refused != "" {
		w.nos = append(w.nos, refused)
	}
}

// join carries one connection. What the client says is passed on before it is
// read here, and what the server says after it: so a reply is known here
// before the client can go on because of it.
func (w *tap) join(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	d := &dialogue{tap: w, replies: make(chan string, 4096)}
	copied, copy := io.Pipe()
	go func() {
		io.Copy(io.MultiWriter(server, copy), prompt{client})
		server.(*net.TCPConn).CloseWrite()
		copy.Close()
	}()
	go func() {
		d.follow(bufio.NewReaderSize(copied, 64<<10))
		io.Copy(io.Discard, copied)
	}()
	defer server.Close()
	defer close(d.replies)
	for r := bufio.NewReader(server); ; {
		text, err := reply(r)
		if err != nil {
			return
		}
		d.replies <- text
		if _, err := io.WriteString(client, text); err != nil {
			return
		}
	}
}

// prompt acknowledges at once what it reads: ssmtp writes each line in two
// pieces, and the second would wait for a late acknowledgement of the first.
type prompt struct{ net.Conn }

func (p prompt) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if raw, _ := p.Conn.(*net.TCPConn).SyscallConn(); raw != nil {
		raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
	}
	return n, err
}

// reply reads the lines of one reply.
func reply(r *bufio.Reader) (string, error) {
	var text strings.Builder
	for {
		line, err := r.ReadString('\n')
		text.WriteString(line)
		if err != nil || len(line) < 4 || line[3] != '-' {
			return text.String(), err
		}
	}
}

// dialogue is what the client of one connection says.
type dialogue struct {
	*tap
	replies chan string
	asked   []string // commands whose replies are not known yet
	mail    *tapped
	chunks  bytes.Buffer
}

// follow reads commands and messages until the connection ends.
func (d *dialogue) follow(r *bufio.Reader) {
	if <-d.replies == "" { // the greeting
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			d.settle()
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		d.asked = append(d.asked, line)
		switch strings.ToUpper(verb) {
		case "DATA":
			err = d.text(r)
		case "BDAT":
			err = d.chunk(r, rest)
		case "STARTTLS", "AUTH":
			err = fmt.Errorf("a tap cannot follow %s", verb)
		}
		if err != nil {
			return
		}
	}
}

// settle hears the replies to all commands so far, and returns the last.
func (d *dialogue) settle() string {
	last := ""
	for _, line := range d.asked {
		last = <-d.replies
		d.answered(line, last)
	}
	d.asked = d.asked[:0]
	return last
}

func (d *dialogue) answered(line, said string) {
	verb, rest, _ := strings.Cut(line, ":")
	no := said == "" || said[0] > '3'
	switch verb = strings.ToUpper(verb); {
	case no && said != "" && !strings.HasPrefix(verb, "EHLO "):
		d.note(nil, fmt.Sprintf("%.200q: %s", line, strings.TrimSpace(said)))
	case no:
	case verb == "MAIL FROM":
		d.mail = &tapped{from: strings.TrimSpace(rest)}
	case verb == "RCPT TO" && d.mail != nil:
		d.mail.to = append(d.mail.to, strings.TrimSpace(rest))
	case verb == "RSET":
		d.mail = nil
		d.chunks.Reset()
	}
}

// text reads what follows DATA: CRLF.CRLF ends it, and nothing else.
func (d *dialogue) text(r *bufio.Reader) error {
	if !strings.HasPrefix(d.settle(), "354") {
		return nil
	}
	var body []byte
	for start := true; ; {
		piece, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		if start && string(piece) == ".\r\n" {
			return d.end(body)
		}
		if start && piece[0] == '.' {
			piece = piece[1:]
		}
		body = append(body, piece...)
		start = bytes.HasSuffix(body, []byte("\r\n"))
	}
}

// chunk reads what follows BDAT (RFC 3030).
func (d *dialogue) chunk(r *bufio.Reader, args string) error {
	size, last, _ := strings.Cut(args, " ")
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(&d.chunks, r, n); err != nil {
		return err
	}
	if !strings.EqualFold(last, "LAST") {
		return nil
	}
	body := bytes.Clone(d.chunks.Bytes())
	d.chunks.Reset()
	ask := d.asked[len(d.asked)-1]
	d.asked = d.asked[:len(d.asked)-1]
	d.settle()
	if d.mail == nil {
		d.answered(ask, <-d.replies)
		return nil
	}
	return d.end(body)
}

// end hears the reply to a message and notes it.
func (d *dialogue) end(body []byte) error {
	said, ok := <-d.replies
	if !ok {
		return io.ErrUnexpectedEOF
	}
	m := d.mail
	if m == nil {
		return fmt.Errorf("a message without MAIL was answered %q", said)
	}
	m.body, m.said, d.mail = body, strings.TrimSpace(said), nil
	refused := ""
	if said[0] != '2' {
		refused = fmt.Sprintf("message of %d octets: %s", len(body), m.said)
	}
	d.note(m, refused)
	return nil
}
