package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lull/relay/spool"
)

// muffler is between sendmail and lull: it keeps to itself the nth answer that
// a message is taken, and tells of it.
type muffler struct {
	addr  string
	to    string
	nth   int32
	seen  atomic.Int32
	quiet chan struct{}
}

func newMuffler(t *testing.T, to string, nth int32) *muffler {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m := &muffler{addr: l.Addr().String(), to: to, nth: nth, quiet: make(chan struct{})}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.between(c)
		}
	}()
	return m
}

func (m *muffler) between(c net.Conn) {
	defer c.Close()
	far, err := net.Dial("tcp", m.to)
	if err != nil {
		return
	}
	defer far.Close()
	go io.Copy(far, c)
	block := make([]byte, 4096)
	for {
		n, err := far.Read(block)
		if bytes.Contains(block[:n], []byte("queued as")) && m.seen.Add(1) == m.nth {
			close(m.quiet)
			io.Copy(io.Discard, far) // until sendmail is gone
			return
		}
		if _, failed := c.Write(block[:n]); err != nil || failed != nil {
			return
		}
	}
}

// TestFlushIsKilled: sendmail -q ends by kill -9 between the 250 and the removal,
// in the middle of an entry; then two run at a time, and in the end the daemon
// takes up the same entry. Everybody has each letter once.
func TestFlushIsKilled(t *testing.T) {
	needs(t)
	l := newLocal(t)
	other := spool.Folder(filepath.Join(l.dir, "other"))
	if err := other.Make(); err != nil {
		t.Fatal(err)
	}
	const letters = 4
	for i := range letters {
		to := []string{fmt.Sprintf("a%d@example.org", i), fmt.Sprintf("b%d@example.org", i), fmt.Sprintf("c%d@example.org", i)}
		text := fmt.Appendf(nil, "From: www@example.org\r\nSubject: letter %d\r\n\r\nhello\r\n", i)
		if err := other.Put(spool.Envelope{From: "www@example.org", To: to, EnvID: "mine", Host: "web1", At: time.Now()}, text); err != nil {
			t.Fatal(err)
		}
	}
	quiet := newMuffler(t, l.addr, 5) // the second recipient of the second entry
	l.put(t, "flush.conf", "server = %q\nspool = %q\nstate = %q\n", quiet.addr, other, l.state)
	killed := exec.Command(l.sendmail, "-q", "-C", filepath.Join(l.dir, "flush.conf"))
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-quiet.quiet:
	case <-time.After(20 * time.Second):
		t.Error("sendmail -q never came to the fifth recipient")
	}
	_ = killed.Process.Signal(syscall.SIGKILL)
	_ = killed.Wait() // it was killed
	left, err := os.ReadDir(other.NewPath())
	if err != nil || len(left) != letters-1 {
		t.Fatalf("%d entries left, %v", len(left), err)
	}
	first, err := os.ReadFile(filepath.Join(other.NewPath(), left[0].Name()))
	if err != nil {
		t.Fatal(err)
	}

	l.put(t, "flush.conf", "server = %q\nspool = %q\nstate = %q\n", l.addr, other, l.state)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if out, err := l.shell(t, 0, `"$SENDMAIL" -q -C flush.conf`); err != nil {
				t.Errorf("sendmail -q: %v %s", err, out)
			}
		})
	}
	both.Wait()
	if left, err := os.ReadDir(other.NewPath()); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}

	// The daemon finds the entry as the killed one left it.
	l.stop(syscall.SIGTERM)
	if err := os.WriteFile(filepath.Join(l.spool, "new", left[0].Name()), first, 0o640); err != nil {
		t.Fatal(err)
	}
	l.restart(t)
	until(t, 20*time.Second, "the daemon has taken the entry", func() bool {
		left, err := os.ReadDir(filepath.Join(l.spool, "new"))
		return err == nil && len(left) == 0
	})
	until(t, 20*time.Second, "all letters arrive", func() bool { return len(l.far.arrivals()) >= 3*letters })
	if n := count(l.objects(t, "status")[0], "accepted"); n != 3*letters {
		t.Errorf("%d copies accepted", n)
	}
	seen := map[string]int{}
	for _, a := range l.far.arrivals() {
		if seen[a.to]++; seen[a.to] > 1 {
			t.Errorf("%s has a letter twice", a.to)
		}
	}
	if len(seen) != 3*letters {
		t.Errorf("%d recipients: %v", len(seen), seen)
	}
	l.audit(t)
}
