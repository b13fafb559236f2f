package e2e

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	honestTime = 100 * time.Millisecond // for 99 of 100 honest mails, on a machine
	calmTime   = 20 * time.Millisecond  // where so many take so long in peace
)

// siege is one, and what honest clients saw before and meanwhile.
type siege struct {
	*besiegers
	peace, arrival, guessing *visits
	busy                     float64 // processors that the daemon used meanwhile
}

func newSiege(t *testing.T, d *house, guesser string) *siege {
	t.Helper()
	s := &siege{peace: &visits{addr: d.addr}, arrival: &visits{addr: d.addr}, guessing: &visits{addr: d.addr}}
	s.peace.during(t, 200, closed())
	began, used := time.Now(), d.processorTime(t)
	s.besiegers = besiege(t, d.addr, guesser)
	s.arrival.during(t, 200, s.arrived)
	s.guessing.during(t, 200, s.guessed)
	s.busy = (d.processorTime(t) - used).Seconds() / time.Since(began).Seconds()
	if s.died {
		t.Fatal("the besiegers ended before the siege")
	}
	return s
}

// limit is what 99 of 100 honest mails may take: on a machine that is busy with
// other things (the gate runs two packages at a time), in proportion, but never
// more than a second.
func (s *siege) limit() time.Duration {
	return min(10*honestTime, max(honestTime, s.peace.part(.99)*honestTime/calmTime))
}

func (s *siege) slow() bool { return max(s.arrival.part(.99), s.guessing.part(.99)) > s.limit() }

func (s *siege) mails() int { return len(s.peace.took) + len(s.arrival.took) + len(s.guessing.took) }

func (s *siege) String() string {
	return fmt.Sprintf("an honest mail in peace: %v\nwhile they arrive: %v\nwhile they guess: %v\nthe daemon used %.2f processors meanwhile",
		s.peace, s.arrival, s.guessing, s.busy)
}

func (s *siege) judge(t *testing.T) {
	t.Helper()
	for _, v := range []*visits{s.arrival, s.guessing} {
		if len(v.failed) > 0 {
			t.Errorf("%d honest mails were turned away, the first: %v", len(v.failed), v.failed[0])
		}
	}
	if s.slow() {
		t.Errorf("an honest mail takes too long, more than %v:\n%v", s.limit(), s)
	}
}

// processorTime is what the daemon has used since it started.
func (d *daemon) processorTime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, fields, _ := strings.Cut(string(text), ") ")
	var user, system int64
	for i, f := range strings.Fields(fields) {
		switch i {
		case 11:
			fmt.Sscan(f, &user)
		case 12:
			fmt.Sscan(f, &system)
		}
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// visits are honest mails, each over a connection of its own, and how long
// each took, from the dial to the answer to QUIT.
type visits struct {
	addr string

	mu     sync.Mutex
	took   []time.Duration
	failed []error
}

// during has one begin each 10 ms, however long those before it take, until
// something is over and there are n at least.
func (v *visits) during(t *testing.T, n int, over <-chan struct{}) {
	t.Helper()
	var all sync.WaitGroup
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	end := time.After(2 * time.Minute)
	for begun := 0; begun < n || over != nil; begun++ {
		select {
		case <-over:
			over = nil
		case <-end:
			t.Fatal("the siege takes for ever")
		default:
		}
		<-pace.C
		all.Go(v.visit)
	}
	all.Wait()
	slices.Sort(v.took)
}

func (v *visits) visit() {
	began := time.Now()
	err := honest(v.addr)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.failed = append(v.failed, err)
		return
	}
	v.took = append(v.took, time.Since(began))
}

func (v *visits) part(of float64) time.Duration {
	if len(v.took) == 0 {
		return 0
	}
	return v.took[int(of*float64(len(v.took)-1))]
}

func (v *visits) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", v.part(.5), v.part(.99), v.part(1), len(v.took))
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// honest sends one mail over a connection of its own.
func honest(addr string) error {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(30 * time.Second))
	return talk(textproto.NewConn(raw), "", "EHLO client.test", "MAIL FROM:<ann@example.org>", "RCPT TO:<bob@example.net>", "DATA",
		"Subject: letter\r\n\r\nhello\r\n.", "QUIT")
}
