package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"lull/relay/spool"
)

// eavesdropper is between sendmail and lull, and tells when the final dot went
// by, or when lull had answered it: that answer it keeps to itself.
type eavesdropper struct {
	addr, to      string
	dot, answered chan struct{}
}

func newEavesdropper(t *testing.T, to string) *eavesdropper {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &eavesdropper{addr: l.Addr().String(), to: to, dot: make(chan struct{}, 100), answered: make(chan struct{}, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go e.between(c)
		}
	}()
	return e
}

func (e *eavesdropper) between(c net.Conn) {
	defer c.Close()
	far, err := net.Dial("tcp", e.to)
	if err != nil {
		return
	}
	defer far.Close()
	go e.carry(far, c, "\r\n.\r\n", e.dot)
	e.carry(c, far, "queued as", e.answered)
}

// carry carries what it reads, but for what comes with the words of an answer.
func (e *eavesdropper) carry(to io.Writer, from io.Reader, words string, seen chan struct{}) {
	block := make([]byte, 64<<10)
	for {
		n, err := from.Read(block)
		if bytes.Contains(block[:n], []byte(words)) {
			if seen == e.dot {
				to.Write(block[:n])
			}
			seen <- struct{}{}
			if seen == e.answered {
				io.Copy(io.Discard, from) // until lull is gone
				return
			}
			continue
		}
		if _, failed := to.Write(block[:n]); err != nil || failed != nil {
			return
		}
	}
}

// TestKilledAfterTheDot: lull is killed when a program's mail has come to its
// dot, or when the mail is safe and nobody was told. Our sendmail leaves it in
// the spool, and when lull is back each recipient has it once.
func TestKilledAfterTheDot(t *testing.T) {
	needs(t)
	l := newLocal(t)
	const rounds = 8
	taken, seen := 0, map[string]int{}
	for round := range rounds {
		e := newEavesdropper(t, l.addr)
		l.put(t, "sendmail.conf", "server = %q\nspool = %q\nstate = %q\ndomain = 'example.org'\n", e.addr, l.spool, l.state)
		call := exec.Command(l.sendmail, "-i", "-f", "www", fmt.Sprintf("a%d", round), fmt.Sprintf("b%d", round), fmt.Sprintf("c%d", round))
		call.Env, call.Stdin = l.env, bytes.NewReader(fmt.Appendf(nil, "Subject: letter %d\n\nhello\n", round))
		if err := call.Start(); err != nil {
			t.Fatal(err)
		}
		when := e.dot
		if round%2 == 1 {
			when = e.answered
		}
		select {
		case <-when:
		case <-time.After(20 * time.Second):
			t.Fatal("the mail never came to its dot")
		}
		l.process.stop(syscall.SIGKILL)
		if err := call.Wait(); err != nil {
			t.Fatalf("sendmail: %v", err)
		}
		if names, err := filepath.Glob(filepath.Join(l.spool, "new", "*")); err != nil || len(names) != 1 {
			t.Fatalf("the spool has %v, %v", names, err)
		}
		for entry := range spool.Folder(l.spool).All(1 << 20) {
			if !entry.Whole() || len(entry.To) != 3 {
				t.Errorf("left in the spool: %+v", entry.Envelope)
			}
		}
		l.restart(t)
		until(t, 30*time.Second, "the spool is empty", func() bool {
			left, err := os.ReadDir(filepath.Join(l.spool, "new"))
			return err == nil && len(left) == 0
		})
		until(t, 60*time.Second, "the letter arrives", func() bool {
			clear(seen)
			for _, a := range l.far.arrivals() {
				seen[a.to]++
			}
			return len(seen) >= 3*(round+1)
		})
		if when == e.dot {
			select {
			case <-e.answered:
				taken++
			default:
			}
		}
	}
	if s := l.objects(t, "status")[0]; count(s, "accepted") != 3*rounds {
		t.Errorf("%d copies were accepted, want %d", count(s, "accepted"), 3*rounds)
	}
	for to, n := range seen {
		if n != 1 {
			t.Errorf("%s has it %d times", to, n)
		}
	}
	t.Logf("%d rounds; of those killed at the dot %d had been taken", rounds, taken)
}
