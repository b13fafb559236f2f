package e2e

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// machine is this one's file system under a systemd of its own, in a
// container: what is written in it is gone when it ends, its network has
// nothing but a loopback, and its port 25 is free.
type machine struct {
	*process
	init string // the process id of its systemd, seen from here
}

// bootMachine starts one up to sysinit.target. The line of shell prepares it:
// in $ROOT is its file system. It is nil where none can be started, as in a
// container that may make none of its own: the log of the test says why.
func bootMachine(t *testing.T, prepare string, env ...string) *machine {
	t.Helper()
	needs(t, "systemd-nspawn", "unshare", "nsenter")
	const boot = `set -e
mount -t tmpfs tmpfs "$DIR"
mkdir "$DIR/upper" "$DIR/work" "$DIR/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$DIR/upper,workdir=$DIR/work" "$DIR/root"
ROOT=$DIR/root; eval "$PREPARE"
exec systemd-nspawn --quiet --console=read-only --register=no --keep-unit --link-journal=no --resolv-conf=off --private-network \
	--machine="lull-$$" --directory="$ROOT" --boot systemd.unit=sysinit.target systemd.log_color=0`
	env = append(env, "DIR="+t.TempDir(), "PREPARE="+prepare)
	m := &machine{process: start(t, env, "unshare", "--mount", "sh", "-c", boot)}
	up := within(60*time.Second, func() bool { return m.ended() || m.find() }) && !m.ended() && within(60*time.Second, func() bool {
		state, _ := m.try("systemctl", "is-active", "sysinit.target")
		return state == "active\n"
	})
	if !up {
		t.Logf("no machine can be started here:\n%s", tail(m.log, 20))
		return nil
	}
	return m
}

// ended reports whether the machine is gone.
func (m *machine) ended() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// find looks for the systemd among the children of systemd-nspawn.
func (m *machine) find() bool {
	pid := m.cmd.Process.Pid
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		if name, _ := os.ReadFile("/proc/" + child + "/comm"); string(name) == "systemd\n" {
			m.init = child
			return true
		}
	}
	return false
}

// try runs a program in the machine.
func (m *machine) try(args ...string) (string, error) {
	cmd := exec.Command("nsenter", append([]string{"--target", m.init, "--all", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run is for programs that must succeed.
func (m *machine) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.try(args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// shell runs a line of shell that must succeed.
func (m *machine) shell(t *testing.T, line string) string {
	t.Helper()
	return m.run(t, "/bin/sh", "-c", line)
}

// inside calls open in the machine's network: what it opens stays there.
func (m *machine) inside(t *testing.T, open func() error) {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		network, err := os.Open("/proc/" + m.init + "/ns/net")
		if err == nil {
			defer network.Close()
			err = unix.Setns(int(network.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = open()
		}
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

// names answers questions for A of any name with 127.0.0.1, and all others
// with nothing, as a server of RFC 1035 on port 53 of the machine. It counts
// the questions.
func (m *machine) names(t *testing.T) func() int {
	t.Helper()
	var conn net.PacketConn
	m.inside(t, func() (err error) {
		conn, err = net.ListenPacket("udp", "127.0.0.1:53")
		return err
	})
	t.Cleanup(func() { conn.Close() })
	asked := make(chan int, 1)
	asked <- 0
	go func() {
		for b := make([]byte, 512); ; {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			asked <- <-asked + 1
			conn.WriteTo(named(b[:n]), from)
		}
	}()
	return func() int { n := <-asked; asked <- n; return n }
}

// named is the answer to a question.
func named(question []byte) []byte {
	end := 12
	for end < len(question) && question[end] != 0 {
		end += 1 + int(question[end])
	}
	if end+5 > len(question) {
		return nil
	}
	answer := append([]byte{}, question[:end+5]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8580)      // an authoritative answer
	copy(answer[6:12], []byte{0, 0, 0, 0, 0, 0})        // with nothing
	if binary.BigEndian.Uint16(question[end+1:]) == 1 { // A
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return answer
}

// sink is a far end in the machine.
func (m *machine) sink(t *testing.T, addr string) *sink {
	t.Helper()
	var l net.Listener
	m.inside(t, func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	return serveSink(t, l)
}

// property is what systemd knows of a unit.
func (m *machine) property(t *testing.T, unit, name string) string {
	t.Helper()
	return strings.TrimSpace(m.run(t, "systemctl", "show", "--value", "--property", name, unit))
}

// hostPid is the process id, seen from here, of one in the machine.
func (m *machine) hostPid(t *testing.T, pid string) string {
	t.Helper()
	inside, err := strconv.Atoi(pid)
	if err != nil || inside == 0 {
		t.Fatalf("no process %q", pid)
	}
	found, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, file := range found {
		status, _ := os.ReadFile(file)
		if strings.Contains(string(status), "\nNSpid:\t") && strings.Contains(string(status), fmt.Sprintf("\t%d\n", inside)) {
			pid := filepath.Base(filepath.Dir(file))
			ours, _ := os.Readlink("/proc/" + pid + "/ns/pid")
			if theirs, _ := os.Readlink("/proc/" + m.init + "/ns/pid"); ours == theirs {
				return pid
			}
		}
	}
	t.Fatalf("process %s of the machine is not to be seen", pid)
	return ""
}
