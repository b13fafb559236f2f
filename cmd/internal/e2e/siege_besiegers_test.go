package e2e

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	besieged  = "LULL_BESIEGED" // the address, for a process that is to besiege it
	guessFrom = "LULL_GUESSER"  // and where it guesses passwords from
	maxLooked = 10              // guesses of one address that may cost a check
)

// TestMain lets this program be the besiegers, too: in a process of their own,
// and a nice one, what they burn on two processors is not taken for time that
// the daemon needs.
func TestMain(m *testing.M) {
	if addr := os.Getenv(besieged); addr != "" {
		storm(addr, os.Getenv(guessFrom))
		return
	}
	os.Exit(m.Run())
}

// besiegers are that process, as the test sees it.
type besiegers struct {
	cmd              *exec.Cmd
	arrived, guessed chan struct{}
	guesses          guessed
	died             bool // before it had told of all
}

// besiege starts them.
func besiege(t *testing.T, addr, guesser string) *besiegers {
	t.Helper()
	b := &besiegers{arrived: make(chan struct{}), guessed: make(chan struct{})}
	b.cmd = exec.Command("nice", "-n", "19", os.Args[0])
	b.cmd.Env = append(os.Environ(), besieged+"="+addr, guessFrom+"="+guesser)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.cmd.Stderr = os.Stderr
	said, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.withdraw)
	go b.follow(bufio.NewReader(said))
	return b
}

// follow reads two lines: that all have come, and what came of guessing.
func (b *besiegers) follow(said *bufio.Reader) {
	_, err := said.ReadString('\n')
	close(b.arrived)
	var line []byte
	if err == nil {
		line, err = said.ReadBytes('\n')
	}
	b.died = err != nil || json.Unmarshal(line, &b.guesses) != nil
	close(b.guessed)
}

// withdraw ends the siege; a second call does nothing.
func (b *besiegers) withdraw() {
	b.cmd.Process.Kill()
	b.cmd.Wait()
}

// storm is what that process does until it is killed.
func storm(addr, guesser string) {
	c := &crowds{addr: addr}
	for host := range 20 {
		c.crowd(100, fmt.Sprintf("127.0.1.%d", host+1), func(net.Conn) {})
	}
	c.crowd(50, "127.0.2.1", drip("NOOP"))
	c.crowd(20, "127.0.2.2", drip("EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: "))
	c.crowd(20, "127.0.2.3", endless)
	guesses := make(chan guessed)
	go func() { guesses <- guessAll(addr, guesser, 1000, 40) }()
	c.opened.Wait()
	fmt.Println("arrived")
	json.NewEncoder(os.Stdout).Encode(<-guesses)
	select {}
}

// crowds are many bad clients.
type crowds struct {
	addr   string
	opened sync.WaitGroup
}

// crowd opens connections, each of which behaves badly until it is cut off,
// and comes again a second later.
func (s *crowds) crowd(n int, host string, behave func(net.Conn)) {
	s.opened.Add(n)
	for range n {
		go func() {
			again := time.NewTicker(time.Second)
			for came := false; ; <-again.C {
				c, err := from(host, s.addr)
				if !came {
					s.opened.Done()
					came = true
				}
				if err != nil {
					continue
				}
				behave(c)
				io.Copy(io.Discard, c)
				c.Close()
			}
		}()
	}
}

func from(host, addr string) (net.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}, Timeout: 20 * time.Second}
	return dialer.Dial("tcp", addr)
}

// drip sends an octet now and then.
func drip(begin string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, begin)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
		}
	}
}

func endless(c net.Conn) {
	for range 4096 {
		if _, err := io.WriteString(c, strings.Repeat("x", 4096)); err != nil {
			return
		}
	}
}

// guessed is what came of guessing.
type guessed struct {
	Tries, Looked, Locked, Let int
}

// guessAll tries n wrong passwords over as many connections at once as wide.
func guessAll(addr, host string, n, wide int) guessed {
	var tries, looked, locked, let atomic.Int64
	var all sync.WaitGroup
	for range wide {
		all.Go(func() {
			for {
				c, err := secured(addr, host)
				if err != nil {
					continue // too many of them for the moment
				}
				for err == nil {
					try := tries.Add(1)
					if try > int64(n) {
						tries.Add(-1)
						c.Close()
						return
					}
					var said string
					said, err = auth(c, fmt.Sprintf("guess%d", try))
					switch {
					case strings.HasPrefix(said, "454"):
						locked.Add(1)
					case strings.HasPrefix(said, "235"):
						let.Add(1)
					case strings.HasPrefix(said, "535"), strings.HasPrefix(said, "421 4.7.0 Too many failures"):
						looked.Add(1)
					default:
						tries.Add(-1) // cut off: it was not tried
					}
					if !strings.HasPrefix(said, "454") && !strings.HasPrefix(said, "535") {
						break
					}
				}
				c.Close()
			}
		})
	}
	all.Wait()
	return guessed{int(tries.Load()), int(looked.Load()), int(locked.Load()), int(let.Load())}
}

// login tries one password for ada.
func login(addr, host, password string) (said string, err error) {
	c, err := secured(addr, host)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return auth(c, password)
}

func auth(c *textproto.Conn, password string) (said string, err error) {
	secret := base64.StdEncoding.EncodeToString([]byte("\x00ada\x00" + password))
	if err := c.PrintfLine("AUTH PLAIN %s", secret); err != nil {
		return "", err
	}
	return c.ReadLine()
}

// secured is a connection on which AUTH may come.
func secured(addr, host string) (*textproto.Conn, error) {
	raw, err := from(host, addr)
	if err != nil {
		return nil, err
	}
	raw.SetDeadline(time.Now().Add(time.Minute))
	if err := talk(textproto.NewConn(raw), "", "EHLO client.test", "STARTTLS"); err != nil {
		raw.Close()
		return nil, err
	}
	c := textproto.NewConn(tls.Client(raw, &tls.Config{InsecureSkipVerify: true}))
	if err := talk(c, "EHLO client.test"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// talk says lines, "" for nothing, and wants each accepted.
func talk(c *textproto.Conn, lines ...string) error {
	for _, line := range lines {
		if line != "" {
			if err := c.PrintfLine("%s", line); err != nil {
				return err
			}
		}
		if code, said, err := c.ReadResponse(0); err != nil || code >= 400 {
			return fmt.Errorf("%q is answered %d %s, %v", line, code, said, err)
		}
	}
	return nil
}
