package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/smtp"
	"os"
	"os/exec"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// operators measures what an operator waits for, and what senders wait for
// meanwhile, with many copies waiting: half of them are purged and brought
// back, as whole commands of the binary, while mail goes on coming in.
func operators(out io.Writer, bin string, l load, rounds, copies int) error {
	dir, err := os.MkdirTemp("", "lull-bench-state-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := startLull(bin, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, subject := range []string{"** PROBLEM alert - web-1/Load is CRITICAL **", "** PROBLEM alert - db-1/Disk is CRITICAL **"} {
		l.subject = subject
		if _, _, err := l.send(s.addr, 50, copies/2); err != nil {
			return err
		}
	}
	stream := newStream(s.addr)
	defer stream.end()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "with %d copies waiting\tcommand ms, median\tworst\tlatest 250 ms\n", copies)
	operator := operator{bin: bin, dir: dir}
	for _, o := range []struct {
		name string
		run  func() (time.Duration, error)
	}{
		{"nothing", func() (time.Duration, error) { time.Sleep(time.Second); return 0, nil }},
		{"status", operator.times("status")},
		{"list, first page", operator.times("list", "--limit", "50")},
		{"purge of half, dry run", operator.times("purge", "--subject", "db-1")},
		{"purge of half", operator.purge},
		{"undo of it", operator.undo},
	} {
		stream.latest()
		var all []time.Duration
		for range rounds {
			took, err := o.run()
			if err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
			all = append(all, took)
			if o.name == "purge of half" && len(all) < rounds {
				if _, err := operator.undo(); err != nil {
					return err
				}
			}
		}
		slices.Sort(all)
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", o.name, all[len(all)/2].Milliseconds(), all[len(all)-1].Milliseconds(), stream.latest().Milliseconds())
	}
	return w.Flush()
}

// operator runs commands against a server's state.
type operator struct {
	bin, dir string
	last     string // operation to undo
}

func (o *operator) lull(args ...string) ([]byte, time.Duration, error) {
	cmd := exec.Command(o.bin, append(args, "--state", o.dir)...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	b, err := cmd.Output()
	return b, time.Since(began), err
}

func (o *operator) times(args ...string) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		_, took, err := o.lull(args...)
		return took, err
	}
}

func (o *operator) purge() (time.Duration, error) {
	b, took, err := o.lull("purge", "--subject", "db-1", "--reason", "measurement", "--yes", "--json")
	if err != nil {
		return took, err
	}
	var done struct {
		Operation string `json:"operation"`
		ID        string `json:"id"`
	}
	if err := json.Unmarshal(b, &done); err != nil {
		return took, err
	}
	o.last = cmp.Or(done.Operation, done.ID)
	return took, nil
}

func (o *operator) undo() (time.Duration, error) {
	if o.last == "" { // the last round of purges was brought back
		if _, err := o.purge(); err != nil {
			return 0, err
		}
	}
	_, took, err := o.lull("undo", o.last)
	o.last = ""
	return took, err
}

// stream is mail that goes on coming in, and how long the slowest of it waited
// for its 250.
type stream struct {
	addr  string
	stop  chan bool
	done  sync.WaitGroup
	mutex sync.Mutex
	worst time.Duration
}

func newStream(addr string) *stream {
	s := &stream{addr: addr, stop: make(chan bool)}
	for range 4 {
		s.done.Go(s.send)
	}
	return s
}

func (s *stream) send() {
	for pace := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-s.stop:
			return
		case <-pace.C:
		}
		began := time.Now()
		text := []byte("From: icinga@tools.test\r\nSubject: ** PROBLEM alert - app-1/HTTP is CRITICAL **\r\n\r\nHTTP CRITICAL\r\n")
		if err := smtp.SendMail(s.addr, nil, "icinga@tools.test", []string{"staff@reader.test"}, text); err != nil {
			fmt.Fprintln(os.Stderr, "bench: mail while an operator works:", err)
		}
		s.mutex.Lock()
		s.worst = max(s.worst, time.Since(began))
		s.mutex.Unlock()
	}
}

// latest is the longest since it was asked last.
func (s *stream) latest() time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	worst := s.worst
	s.worst = 0
	return worst
}

func (s *stream) end() {
	close(s.stop)
	s.done.Wait()
}
