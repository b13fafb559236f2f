package deliver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lull/store"
)

var update = flag.Bool("update", false, "write the results into the dialogues")

// TestDialogues plays every file of testdata/dialogues: what is to be sent, what
// the mail servers do, and what must come of it. testdata/dialogues/README.md
// has the notation.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			d := readDialogue(t, file)
			synctest.Test(t, d.play)
		})
	}
}

// dialogue is one file.
type dialogue struct {
	file    string
	opt     Options
	steps   []step        // what the client does
	servers []*connection // what each connection of the servers does
	want    string
}

// step is a mail to send, or a pause before the next.
type step struct {
	pause    time.Duration
	mail     store.Outgoing
	body     string
	readyErr string
	readErr  string
	cancel   time.Duration // the context ends after it
	together bool          // begins while the one before is still being sent
}

// connection is one connection as the servers serve it.
type connection struct {
	addr  string
	dial  string // "", "refused", "hang"
	lines []string
}

func readDialogue(t *testing.T, file string) *dialogue {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := &dialogue{file: file, opt: Options{
		Servers:   []Server{{Addr: "mx.test:25", TLS: TLSNone}},
		LocalName: "lull.test",
	}}
	for n, line := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if err := d.line(line); err != nil {
			t.Fatalf("%s:%d: %v", file, n+1, err)
		}
	}
	return d
}

// line adds a line of the file. Client and server lines stand under headings
// that begin with "==".
func (d *dialogue) line(line string) error {
	words := strings.Fields(line)
	switch {
	case d.want != "" || line == "== result":
		d.want += strings.TrimPrefix(line, "== result") + "\n"
	case strings.HasPrefix(line, "== connection "):
		c := &connection{addr: words[2]}
		if len(words) > 3 {
			c.dial = words[3]
		}
		d.servers = append(d.servers, c)
	case len(d.servers) > 0:
		if line != "" {
			c := d.servers[len(d.servers)-1]
			c.lines = append(c.lines, line)
		}
	case line != "":
		return d.clientLine(words[0], strings.TrimSpace(strings.TrimPrefix(line, words[0])), words[1:])
	}
	return nil
}

func (d *dialogue) clientLine(verb, rest string, words []string) (err error) {
	var last *step
	if len(d.steps) > 0 {
		last = &d.steps[len(d.steps)-1]
	}
	switch verb {
	case "option":
		return d.option(words[0], words[1:])
	case "mail":
		s := step{body: "Subject: hello\r\n\r\nhello\r\n"}
		s.mail.From, err = mailWords(&s, words)
		d.steps = append(d.steps, s)
	case "to":
		last.mail.To = append(last.mail.To, targetWords(words))
	case "body":
		last.body, err = strconv.Unquote(rest)
	case "big":
		last.body, err = bigBody(rest)
	case "ready":
		last.readyErr = rest
	case "broken":
		last.readErr = rest
	case "cancel":
		last.cancel, err = time.ParseDuration(rest)
	case "together":
		last.together = true
	case "pause":
		var pause time.Duration
		pause, err = time.ParseDuration(rest)
		d.steps = append(d.steps, step{pause: pause})
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	return err
}

func mailWords(s *step, words []string) (string, error) {
	from := strings.Trim(words[0], "<>")
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "8bit":
			s.mail.EightBit = true
		case "utf8":
			s.mail.UTF8 = true
		case "ret":
			s.mail.Ret = value
		case "envid":
			s.mail.EnvID = value
		case "size":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return "", err
			}
			s.mail.Size = n
		default:
			return "", fmt.Errorf("unknown word %q", w)
		}
	}
	return unescape(from), nil
}

// bigBody is a body of about n octets.
func bigBody(n string) (string, error) {
	size, err := strconv.Atoi(n)
	return "Subject: big\r\n\r\n" + strings.Repeat("All work and no play makes Jack a dull boy.\r\n", size/45), err
}

// unescape takes %20 for a space and the like, for addresses with blanks.
func unescape(s string) string {
	for _, p := range []struct{ from, to string }{{"%20", " "}, {"%3C", "<"}, {"%3E", ">"}, {"%0D", "\r"}, {"%0A", "\n"}, {"%00", "\x00"}} {
		s = strings.ReplaceAll(s, p.from, p.to)
	}
	return s
}

func targetWords(words []string) store.Target {
	t := store.Target{Address: unescape(strings.Trim(words[0], "<>"))}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "notify":
			t.Notify = strings.Split(value, ",")
		case "orcpt":
			t.ORcpt = value
		}
	}
	return t
}

func (d *dialogue) option(name string, words []string) (err error) {
	server := &d.opt.Servers[0]
	switch name {
	case "tls":
		for i := range d.opt.Servers {
			d.opt.Servers[i].TLS = TLS(words[0])
		}
	case "implicit":
		server.ImplicitTLS = true
	case "auth":
		server.Username, server.Password = words[0], words[1]
	case "servers":
		d.opt.Servers = nil
		for _, addr := range words {
			d.opt.Servers = append(d.opt.Servers, Server{Addr: addr, TLS: TLSNone})
		}
	case "mx":
		server.MX = true
		d.opt.LookupMX = func(context.Context, string) (found []*net.MX, err error) {
			for i, host := range words {
				found = append([]*net.MX{{Host: host, Pref: uint16(10 * (i + 1))}}, found...)
			}
			return found, nil
		}
	case "maxperconnection":
		d.opt.MaxPerConnection, err = strconv.Atoi(words[0])
	case "maxconnections":
		d.opt.MaxConnections, err = strconv.Atoi(words[0])
	default:
		err = fmt.Errorf("unknown option %q", name)
	}
	return err
}

// play sends the mails and compares what came of them.
func (d *dialogue) play(t *testing.T) {
	p := &player{t: t, script: d.servers}
	roots, certificate := testCertificate(t)
	p.certificate = certificate
	for i := range d.opt.Servers {
		d.opt.Servers[i].TLSConfig = &tls.Config{RootCAs: roots}
	}
	d.opt.Dial = p.dial
	s := NewSmarthost(d.opt)
	results := make([]string, len(d.steps))
	var sending sync.WaitGroup
	for i, step := range d.steps {
		if !step.together {
			sending.Wait()
		}
		if step.pause > 0 {
			time.Sleep(step.pause)
			continue
		}
		sending.Go(func() { results[i] = "\n" + step.send(t.Context(), s) })
		synctest.Wait()
	}
	sending.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	p.serving.Wait()
	if len(p.script) > 0 {
		t.Errorf("%d connections of the file were never made", len(p.script))
	}
	got := strings.Join(results, "")
	if *update && !t.Failed() {
		d.rewrite(t, got)
		return
	}
	if diff := cmp.Diff(d.want, got); diff != "" {
		t.Errorf("result (- the file, + now):\n%s", diff)
	}
	if h := s.Health(); h.Open != 0 || h.Idle != 0 {
		t.Errorf("after Close there are %d connections, %d idle", h.Open, h.Idle)
	}
}

// rewrite puts a new result into the file, for a person to read.
func (d *dialogue) rewrite(t *testing.T, result string) {
	raw, err := os.ReadFile(d.file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(raw), "== result\n")
	if err := os.WriteFile(d.file, []byte(head+"== result"+result), 0o644); err != nil {
		t.Fatal(err)
	}
}

// send makes the attempt and describes how it ended.
func (s step) send(ctx context.Context, sender Sender) string {
	if s.cancel > 0 {
		limited, cancel := context.WithTimeout(ctx, s.cancel)
		defer cancel()
		ctx = limited
	}
	var b strings.Builder
	begun := time.Now()
	sent := sender.Send(ctx, s.mail, func(_ context.Context, accepted []int) (io.Reader, error) {
		fmt.Fprintf(&b, "accepted %s\n", strings.Trim(fmt.Sprint(accepted), "[]"))
		if s.readyErr != "" {
			return nil, errors.New(s.readyErr)
		}
		if s.readErr != "" {
			return io.MultiReader(strings.NewReader(s.body), failingReader{s.readErr}), nil
		}
		return strings.NewReader(s.body), nil
	})
	describe(&b, sent, time.Since(begun))
	return b.String()
}

func describe(b *strings.Builder, sent store.Sent, took time.Duration) {
	fmt.Fprintf(b, "%s%s\n", sent.Outcome, replyWords(sent.Reply))
	for i, r := range sent.Targets {
		if r.String() != sent.Reply.String() {
			fmt.Fprintf(b, "to %d%s\n", i, replyWords(r))
		}
	}
	if sent.LineEnds > 0 {
		fmt.Fprintf(b, "line ends %d\n", sent.LineEnds)
	}
	if sent.Recoded {
		fmt.Fprintln(b, "recoded")
	}
	if took >= time.Second {
		fmt.Fprintf(b, "took %v\n", took.Round(time.Second))
	}
}

func replyWords(r store.Reply) string {
	v := string(r.Verdict)
	if v == "" {
		v = "ok"
	}
	return fmt.Sprintf(" (%s) %v", v, r)
}

type failingReader struct{ why string }

func (f failingReader) Read([]byte) (int, error) { return 0, errors.New(f.why) }

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
