package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hanger is a mail server that says nothing more at one stage, until it is
// healed; where only is set, only for mail to recipients that begin so.
type hanger struct {
	addr, stage, only string
	healed, hung      chan struct{}

	mu  sync.Mutex
	got map[string]int // mails by recipient
	one sync.Once
}

func newHanger(t *testing.T, stage, only string) *hanger {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	h := &hanger{addr: l.Addr().String(), stage: stage, only: only, healed: make(chan struct{}), hung: make(chan struct{}), got: map[string]int{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go h.serve(c)
		}
	}()
	return h
}

// hangs keeps a dialogue where it is, and reports whether it did: then it is
// over.
func (h *hanger) hangs(stage, to string) bool {
	if stage != h.stage || !strings.HasPrefix(to, h.only) {
		return false
	}
	select {
	case <-h.healed:
		return false
	default:
	}
	h.one.Do(func() { close(h.hung) })
	<-h.healed
	return true
}

func (h *hanger) serve(c net.Conn) {
	defer c.Close()
	if h.hangs("greeting", "") {
		return
	}
	fmt.Fprint(c, "220 hanger.test\r\n")
	to := ""
	for lines := bufio.NewScanner(c); lines.Scan(); {
		line := lines.Text()
		verb, _, _ := strings.Cut(line, " ")
		if verb == "RCPT" {
			_, to, _ = strings.Cut(line, "<")
			to, _, _ = strings.Cut(to, ">")
		}
		if h.hangs(verb, to) {
			return
		}
		switch verb {
		case "DATA":
			fmt.Fprint(c, "354 go on\r\n")
			for lines.Scan() && lines.Text() != "." {
			}
			if h.hangs("dot", to) {
				return
			}
			h.mu.Lock()
			h.got[to]++
			h.mu.Unlock()
			fmt.Fprint(c, "250 taken\r\n")
		case "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "250 ok\r\n")
		}
	}
}

func (h *hanger) taken() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	got := map[string]int{}
	for to, n := range h.got {
		got[to] = n
	}
	return got
}

// configured starts lull with a file.
func configured(t *testing.T, format string, args ...any) *daemon {
	t.Helper()
	bins, err := build()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lull.toml")
	if err := os.WriteFile(file, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &daemon{bin: bins.lull, state: filepath.Join(t.TempDir(), "state"), addr: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	d.args = []string{"serve", "--listen", d.addr, "--state", d.state, "--config", file}
	d.restart(t)
	return d
}

const passLetters = "window = '1m'\n[[rule]]\nname = 'letters'\nclass = 'pass'\nsubject = 'letter'\n"

func threeLetters() []letter {
	var all []letter
	for _, to := range []string{"a", "b", "c"} {
		all = append(all, alert("www", to, "letter to "+to, "hello"))
	}
	return all
}

// TestSmarthostHangs: at whichever stage the mail server falls silent, lull
// gives up after the configured time, says so, and delivers all when the hang
// ends.
func TestSmarthostHangs(t *testing.T) {
	needs(t)
	for _, stage := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			h := newHanger(t, stage, "")
			d := configured(t, "%s[[smarthost]]\naddr = %q\ntimeout = '2s'\ndot_timeout = '2s'\n", passLetters, h.addr)
			send(t, d.addr, 1, threeLetters())
			until(t, 60*time.Second, "lull gives up", func() bool {
				st := d.objects(t, "status")[0]
				return st["smarthost"] == "unreachable" && strings.Contains(fmt.Sprint(st["smarthost_note"]), "no answer within 2s")
			})
			close(h.healed)
			until(t, 90*time.Second, "all letters arrive", func() bool { return len(h.taken()) == 3 })
			for to, n := range h.taken() {
				if n != 1 {
					t.Errorf("%s has %d letters", to, n)
				}
			}
		})
	}
}

// TestOtherSmarthostMeanwhile: what one mail server does not answer goes to the
// other.
func TestOtherSmarthostMeanwhile(t *testing.T) {
	needs(t)
	for _, stage := range []string{"greeting", "RCPT", "dot"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			h, far := newHanger(t, stage, ""), newSink(t)
			d := configured(t, "%s[[smarthost]]\naddr = %q\ntimeout = '2s'\ndot_timeout = '2s'\n[[smarthost]]\naddr = %q\n", passLetters, h.addr, far.addr)
			send(t, d.addr, 1, threeLetters())
			until(t, 90*time.Second, "all letters go to the other", func() bool { return len(far.arrivals()) >= 3 })
			seen := map[string]int{}
			for _, a := range far.arrivals() {
				seen[a.to]++
			}
			if len(seen) != 3 || len(far.arrivals()) != 3 {
				t.Errorf("arrivals: %v", seen)
			}
		})
	}
}

// TestOneHangDelaysNobody: a mail that hangs at the dot for as long as RFC 5321
// allows holds up neither notices nor letters of others, nor the end of lull.
func TestOneHangDelaysNobody(t *testing.T) {
	needs(t)
	h := newHanger(t, "dot", "slow")
	defer close(h.healed)
	d := configured(t, "%s[[smarthost]]\naddr = %q\n", passLetters, h.addr)
	send(t, d.addr, 1, []letter{alert("icinga", "slow", "** PROBLEM alert - db1/disk is CRITICAL **", "full")})
	select {
	case <-h.hung:
	case <-time.After(30 * time.Second):
		t.Fatal("the notice never came to its dot")
	}
	var others []letter
	for i := range 5 {
		others = append(others, alert("icinga", fmt.Sprintf("ops%d", i), "** PROBLEM alert - db1/disk is CRITICAL **", "full"))
	}
	send(t, d.addr, 1, append(others, alert("ada", "bob", "letter to bob", "hello")))
	until(t, 45*time.Second, "the others are told", func() bool { return len(h.taken()) >= 6 })
	d.stop(syscall.SIGTERM)
}
