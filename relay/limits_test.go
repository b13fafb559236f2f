package relay

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lull/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnectionsAreCapped(t *testing.T) {
	bubble(t, Config{MaxConnections: 3, MaxPerHost: 2}, nil, func(t *testing.T, h *house) {
		first := h.connect(t, "127.0.0.1")
		first.hello()
		h.connect(t, "127.0.0.1").hello()

		c := h.connect(t, "127.0.0.1")
		c.want("421 4.7.0 Too many connections from your address, try again later")
		c.want("closed")

		h.connect(t, "127.0.0.2").hello()
		c = h.connect(t, "127.0.0.3")
		c.want("421 4.3.2 Too many connections, try again later")
		c.want("closed")
		c = h.connect(t, "unix")
		c.want("421 4.3.2 Too many connections, try again later")
		c.want("closed")

		first.say("QUIT", "221 *")
		first.want("closed")
		h.connect(t, "127.0.0.1").hello()
		if n := len(h.events.of(TurnedAway)); n != 3 {
			t.Errorf("%d clients turned away, want 3", n)
		}
	})
}

func TestUselessCommandsAreCapped(t *testing.T) {
	for name, line := range map[string]string{
		"NOOP": "NOOP\r\n", "RSET": "RSET\r\n", "VRFY": "VRFY x\r\n", "bad sequence": "DATA\r\n", "EHLO": "HELO c.test\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{MaxRecipients: 10}, nil, func(t *testing.T, h *house) {
				c := h.connect(t, "127.0.0.1")
				c.hello()
				n := 0
				for ; n < 10000; n++ {
					c.send(line)
					if strings.HasPrefix(c.reply(), "421 4.7.0") {
						break
					}
				}
				c.want("closed")
				if n < 200 || n > 250 {
					t.Errorf("ended after %d commands, want about 210", n)
				}
			})
		})
	}
}

func TestMessagesEarnCommands(t *testing.T) {
	bubble(t, Config{MaxRecipients: 10}, nil, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		for range 500 {
			c.post("x")
		}
		c.say("QUIT", "221 *")
	})
}

func TestRefusedRecipientsAreCapped(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		c.say("MAIL FROM:<a@b.test>", "250 *")
		for range maxFaults {
			c.say("RCPT TO:<a@b@c.test>", "553 5.1.3 *")
		}
		c.say("RCPT TO:<a@b@c.test>", "421 4.7.0 Too many refused commands")
		c.want("closed")
		if n := len(h.events.of(Refused)); n != maxFaults+1 {
			t.Errorf("%d refusals told, want %d", n, maxFaults+1)
		}
	})
}

func TestEndlessCommand(t *testing.T) {
	for name, cfg := range map[string]Config{"plain": {}, "tls": {TLS: testTLS(t, "lull.test")}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cfg, nil, func(t *testing.T, h *house) {
				c := h.connect(t, "127.0.0.1")
				c.hello()
				if cfg.TLS != nil {
					c.say("STARTTLS", "220 *")
					c.secure()
					c.say("HELO c.test", "250 *")
				}
				sent := 0
				for ; sent < 1000; sent++ {
					if _, err := c.conn.Write([]byte(strings.Repeat("x", 1024))); err != nil || len(c.lines) > 0 {
						break
					}
					synctest.Wait()
				}
				c.want("421 4.7.0 Too much input without a command")
				if sent > 70 {
					t.Errorf("read %d kB of a command", sent)
				}
			})
		})
	}
}

// TestEndlessCommandBetweenChunks: a message under way does not lift the limit.
func TestEndlessCommandBetweenChunks(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		c.say("MAIL FROM:<a@b.test>", "250 *")
		c.say("RCPT TO:<r@d.test>", "250 *")
		c.send("BDAT 3\r\nabc")
		c.want("250 *")
		go c.send(strings.Repeat("x", 200<<10))
		c.want("421 4.7.0 Too much input without a command")
	})
}

// TestLongLines: inside a message a line may be as long as the message.
func TestLongLines(t *testing.T) {
	text := strings.Repeat("x", 3<<20) + "\r\n"
	for name, body := range map[string]string{
		"DATA": "DATA\r\n" + text + ".\r\n",
		"BDAT": fmt.Sprintf("BDAT %d LAST\r\n%s", len(text), text),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, nil, func(t *testing.T, h *house) {
				c := h.connect(t, "127.0.0.1")
				c.hello()
				c.send("MAIL FROM:<a@b.test>\r\nRCPT TO:<r@d.test>\r\n" + body)
				for _, want := range []string{"250 *", "250 *"} {
					c.want(want)
				}
				if name == "DATA" {
					c.want("354 *")
				}
				c.want("250 2.0.0 queued as ID1")
				if got := string(h.box.bodies[0]); got != text {
					t.Errorf("%d octets arrived, want %d", len(got), len(text))
				}
			})
		})
	}
}

func TestSessionTime(t *testing.T) {
	bubble(t, Config{SessionTime: 10 * time.Minute}, nil, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		for range 4 {
			<-time.After(2 * time.Minute)
			c.say("NOOP", "250 *")
		}
		began := time.Now()
		c.want("421 4.7.0 This connection has lasted long enough")
		if waited := time.Since(began); waited != 2*time.Minute {
			t.Errorf("ended %v after the eighth minute, want two", waited)
		}
	})
}

// TestDataBudget: messages over the budget wait for those before them, and are
// put off when that takes too long.
func TestDataBudget(t *testing.T) {
	const size = 600 << 10
	cfg := Config{MaxMessage: 1 << 20, DataBudget: 1 << 20}
	bubble(t, cfg, nil, func(t *testing.T, h *house) {
		hold := make(chan struct{})
		h.box.hold = hold
		open := func() *client {
			c := h.connect(t, "127.0.0.1")
			c.hello()
			c.say(fmt.Sprintf("MAIL FROM:<a@b.test> SIZE=%d", size), "250 *")
			c.say("RCPT TO:<r@d.test>", "250 *")
			c.say("DATA", "354 *")
			return c
		}
		text := strings.Repeat("x", size-2) + "\r\n.\r\n"
		first := open()
		first.send(text)
		second := open()
		second.send(text)
		second.want("452 4.3.1 Too many messages at once, try again later")
		second.say("NOOP", "250 *")
		third := open()
		go third.send(text)
		<-time.After(time.Second)
		close(hold)
		first.want("250 *")
		third.want("250 *")
		if h.server.budget.left != cfg.DataBudget {
			t.Errorf("%d of the budget is left, want all", h.server.budget.left)
		}
	})
}

// TestBudgetFitsTheLargestMessage: a budget below the message limit would
// refuse some mail for ever.
func TestBudgetFitsTheLargestMessage(t *testing.T) {
	if c := (Config{MaxMessage: 100, DataBudget: 10}).withDefaults(); c.DataBudget != 100 {
		t.Errorf("the budget is %d", c.DataBudget)
	}
}

func TestSpaceIsAskedBeforeEachMessage(t *testing.T) {
	full := false
	change := func(d *Deps) {
		d.Space = func() error {
			if full {
				return store.ErrFull
			}
			return nil
		}
	}
	bubble(t, Config{}, change, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		c.post("x")
		full = true
		c.say("MAIL FROM:<a@b.test>", "452 4.3.1 *")
		full = false
		c.post("x")
	})
}

// exhausted is a listener that is out of descriptors for a while.
type exhausted struct {
	net.Listener
	mu    sync.Mutex
	fails int
	err   error
}

func (e *exhausted) Accept() (net.Conn, error) {
	e.mu.Lock()
	failing := e.fails > 0
	e.fails--
	e.mu.Unlock()
	if failing {
		return nil, &net.OpError{Op: "accept", Err: e.err}
	}
	return e.Listener.Accept()
}

func TestRunningOutOfDescriptorsIsWaitedOut(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		inner := newPipes()
		l := &exhausted{Listener: inner, fails: 10, err: syscall.EMFILE}
		served := make(chan error)
		go func() { served <- h.server.Serve(l) }()
		began := time.Now()
		c := newClient(t, inner.dial(t, "127.0.0.1"))
		h.clients = append(h.clients, c)
		c.hello()
		if waited := time.Since(began); waited < time.Second || waited > 10*time.Second {
			t.Errorf("came back after %v", waited)
		}
		if n := len(h.events.of(Trouble)); n != 10 {
			t.Errorf("%d troubles told, want 10", n)
		}
		l.Close() //nolint:errcheck // the server must notice
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestBrokenListenerEndsServe(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		l := &exhausted{Listener: newPipes(), fails: 1, err: syscall.EINVAL}
		if err := h.server.Serve(l); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("Serve: %v, want the listener's error", err)
		}
	})
}

// TestLastWordsArrive: over real TCP the client sees why it was cut off, and
// not a reset, although it is still sending.
func TestLastWordsArrive(t *testing.T) {
	s := New(Config{Hostname: "lull.test", MaxMessage: 1000}, testDeps(t, &box{}, &events{}))
	l := listen(t)
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test is over
	fmt.Fprintf(conn, "HELO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<r@d.test>\r\nDATA\r\n")
	io.WriteString(conn, strings.Repeat(strings.Repeat("x", 998)+"\r\n", 1000)) //nolint:errcheck // cut off
	said, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(said), "552 5.3.4 Message is too large\r\n") {
		t.Errorf("server said %q, %v", said, err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
