package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// load is the client: Postfix's smtp-source, many messages a connection.
type load struct {
	source  string
	size    int
	subject string
}

// send hands n alert mails to addr over the given connections; it returns how
// long that took and the client's processor time.
func (l load) send(addr string, connections, n int) (wall, cpu time.Duration, err error) {
	cmd := exec.Command(l.source, "-d", "-s", strconv.Itoa(connections), "-m", strconv.Itoa(n), "-l", strconv.Itoa(l.size),
		"-S", cmp.Or(l.subject, "** PROBLEM alert - tools-worker-1012/Free space - all mounts is CRITICAL **"),
		"-f", "icinga@tools.test", "-t", "staff@reader.test", addr)
	lib := filepath.Join(filepath.Dir(l.source), "../lib/postfix")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+lib)
	conf, err := stubConfig()
	if err != nil {
		return 0, 0, err
	}
	cmd.Env = append(cmd.Env, "MAIL_CONFIG="+conf)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("smtp-source (make tools brings it): %w: %s", err, out)
	}
	return time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// stubConfig is the main.cf that Postfix's programs want to see.
func stubConfig() (string, error) {
	dir := filepath.Join(os.TempDir(), "lull-bench-postfix")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "main.cf"), []byte("compatibility_level = 3.6\n"), 0o644)
}

// sample is one run against one server.
type sample struct{ rate, cpu float64 } // messages a second; ms of client and server a message

// accept compares lull with the discarding server at 1, 20 and 100 connections.
func accept(out io.Writer, bin string, l load, rounds, messages int) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "connections\tdiscard /s\tlull /s\tratio\tdiscard CPU ms\tlull CPU ms\tratio")
	for _, connections := range []int{1, 20, 100} {
		n := messages
		if connections == 1 {
			n = messages / 4
		}
		var bare, ours []sample
		for range rounds {
			a, err := once(startDiscard, l, connections, n)
			if err != nil {
				return err
			}
			b, err := once(func() (*server, error) { return freshLull(bin) }, l, connections, n)
			if err != nil {
				return err
			}
			bare, ours = append(bare, a), append(ours, b)
		}
		a, b := median(bare), median(ours)
		fmt.Fprintf(w, "%d\t%.0f\t%.0f\t%.2f\t%.3f\t%.3f\t%.2f\n", connections, a.rate, b.rate, b.rate/a.rate, a.cpu, b.cpu, b.cpu/a.cpu)
	}
	return w.Flush()
}

func freshLull(bin string) (*server, error) {
	dir, err := os.MkdirTemp("", "lull-bench-state-")
	if err != nil {
		return nil, err
	}
	return startLull(bin, dir)
}

func once(start func() (*server, error), l load, connections, n int) (sample, error) {
	s, err := start()
	if err != nil {
		return sample{}, err
	}
	defer func() {
		s.stop()
		if s.dir != "" {
			os.RemoveAll(s.dir)
		}
	}()
	if _, _, err := l.send(s.addr, connections, max(n/10, connections)); err != nil { // warm
		return sample{}, err
	}
	before := s.cpu()
	wall, cpu, err := l.send(s.addr, connections, n)
	if err != nil {
		return sample{}, err
	}
	cpu += s.cpu() - before
	return sample{rate: float64(n) / wall.Seconds(), cpu: float64(cpu.Microseconds()) / 1000 / float64(n)}, nil
}

// median takes the median of each figure by itself.
func median(all []sample) sample {
	middle := func(of func(sample) float64) float64 {
		values := make([]float64, len(all))
		for i, s := range all {
			values[i] = of(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return sample{rate: middle(func(s sample) float64 { return s.rate }), cpu: middle(func(s sample) float64 { return s.cpu })}
}
