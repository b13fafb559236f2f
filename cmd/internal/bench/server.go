package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
)

// discard is the peer: the same SMTP library with a backend that reads each
// message and forgets it. No server built on it can accept faster.
func discard(listen string) error {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return forget{}, nil }))
	s.Addr, s.Domain = listen, "discard.test"
	s.MaxLineLength, s.MaxMessageBytes = 50<<20, 50<<20
	s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute
	return s.ListenAndServe()
}

type forget struct{}

func (forget) Mail(string, *smtp.MailOptions) error { return nil }
func (forget) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (forget) Reset()                               {}
func (forget) Logout() error                        { return nil }
func (forget) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// binary builds lull, unless one is named.
func binary(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	dir, err := os.MkdirTemp("", "lull-bench-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "lull")
	out, err := exec.Command("go", "build", "-o", bin, "lull/cmd/lull").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
}

// server is a running child process.
type server struct {
	cmd  *exec.Cmd
	addr string
	dir  string // its state, removed at the end
}

func startDiscard() (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return launch(&server{cmd: exec.Command(self, "discard", "-listen", addr), addr: addr})
}

func startLull(bin, state string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, "serve", "--listen", addr, "--state", state, "--outbox", filepath.Join(state, "outbox"))
	return launch(&server{cmd: cmd, addr: addr, dir: state})
}

func launch(s *server) (*server, error) {
	log, err := os.CreateTemp("", "bench-server-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 3000 {
		if greets(s.addr) {
			return s, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.stop()
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("%s does not answer: %s", s.cmd.Path, text)
}

func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	s.cmd.Wait()
}

// cpu is the processor time the server has used so far.
func (s *server) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	ticks := 0
	for _, f := range fields[11:13] { // utime, stime: proc(5)
		n, _ := strconv.Atoi(f)
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func greets(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	line := make([]byte, 3)
	_, err = io.ReadFull(c, line)
	return err == nil && string(line) == "220"
}
