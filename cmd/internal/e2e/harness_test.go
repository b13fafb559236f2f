// Package e2e holds the end-to-end tests: the built binary between real mail
// servers from Debian, on loopback ports. They run when LULL_E2E is set (make
// test sets it when the programs are there; "required" makes their absence a
// failure).
package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binaries are built once for the whole package.
type binaries struct{ lull, sendmail string }

var build = sync.OnceValues(func() (binaries, error) {
	dir, err := os.MkdirTemp("", "lull-e2e-")
	if err != nil {
		return binaries{}, err
	}
	out, err := exec.Command("go", "build", "-o", dir+"/", "lull/cmd/...").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binaries{lull: filepath.Join(dir, "lull"), sendmail: filepath.Join(dir, "sendmail")}, nil
})

// needs skips the test when the end-to-end tests are off, and fails it when
// they are on and a program is missing.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getenv("LULL_E2E") == "" {
		t.Skip("end-to-end tests are off; 'make test' turns them on")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is missing: run 'make tools' as root", p)
		}
	}
}

// freePort names a loopback port that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// process is a program that a test started, and ends by its process id.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// start runs a program until the test ends; its output goes to a file that is
// printed when the test fails.
func start(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	log := filepath.Join(t.TempDir(), filepath.Base(name)+".log")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = f, f
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	p := &process{t: t, name: filepath.Base(name), cmd: cmd, log: log, done: make(chan struct{})}
	go func() { cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, tail(log, 40))
		}
	})
	return p
}

// stop signals the process and its children, and waits; after 20 s it kills.
func (p *process) stop(sig syscall.Signal) {
	syscall.Kill(-p.cmd.Process.Pid, sig)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.t.Errorf("%s did not end within 20 s of %v", p.name, sig)
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

func tail(file string, lines int) string {
	data, _ := os.ReadFile(file)
	all := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// until waits for a condition about other processes, which no fake clock
// reaches; it fails the test after limit.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if !within(limit, ok) {
		t.Fatalf("after %v still not: %s", limit, what)
	}
}

// within reports whether something comes true in time.
func within(limit time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			return false
		}
		<-tick.C
	}
	return true
}

// answers reports whether an SMTP server greets at the address.
func answers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	greeting := make([]byte, 4)
	n, _ := c.Read(greeting)
	fmt.Fprint(c, "QUIT\r\n")
	return n >= 3 && string(greeting[:3]) == "220"
}

// daemon is a running lull.
type daemon struct {
	*process
	bin, state, addr string
	args             []string
}

// serve starts lull in front of a smarthost and waits until it answers.
func serve(t *testing.T, smarthost string, more ...string) *daemon {
	t.Helper()
	bins, err := build()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{bin: bins.lull, state: filepath.Join(t.TempDir(), "state"), addr: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	d.args = append([]string{"serve", "--listen", d.addr, "--smarthost", smarthost, "--state", d.state}, more...)
	d.restart(t)
	return d
}

func (d *daemon) restart(t *testing.T) {
	t.Helper()
	d.process = start(t, nil, d.bin, d.args...)
	until(t, 30*time.Second, "lull answers", func() bool { return answers(d.addr) })
}

// run calls a lull command against the daemon.
func (d *daemon) run(args ...string) (string, error) {
	cmd := exec.Command(d.bin, append(args, "--state", d.state)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("lull %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// objects runs a command with --json and reads one object a line.
func (d *daemon) objects(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	out, err := d.run(append(args, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range strings.Lines(out) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("lull %v: %v in %q", args, err, line)
		}
		all = append(all, o)
	}
	return all
}

// count reads a number out of a status or audit object.
func count(o map[string]any, key string) int {
	n, _ := o[key].(float64)
	return int(n)
}
