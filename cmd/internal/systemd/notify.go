package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Manager is told how the service is. The zero value tells nobody.
type Manager struct {
	socket   string
	watchdog time.Duration
}

// Find finds the service manager that started this process, if one did.
func Find() Manager {
	m := Manager{socket: os.Getenv("NOTIFY_SOCKET")}
	if pid := os.Getenv("WATCHDOG_PID"); pid == "" || pid == strconv.Itoa(os.Getpid()) {
		micros, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
		if err == nil && micros > 0 {
			m.watchdog = time.Duration(micros) * time.Microsecond
		}
	}
	return m
}

// Watchdog is how long the service may keep silent before the manager takes
// it for dead; 0 is for ever.
func (m Manager) Watchdog() time.Duration { return m.watchdog }

// Ready says that the service is up, and one sentence for people.
func (m Manager) Ready(sentence string) error { return m.tell("READY=1", "STATUS="+sentence) }

// Reloading says that the configuration is being read; Ready ends it.
func (m Manager) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("the steady clock: %w", err)
	}
	return m.tell("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(now.Nano()/1000, 10))
}

// Stopping says that the service is about to end, and why.
func (m Manager) Stopping(why string) error { return m.tell("STOPPING=1", "STATUS="+why) }

// Alive feeds the watchdog.
func (m Manager) Alive() error { return m.tell("WATCHDOG=1") }

func (m Manager) tell(lines ...string) error {
	if m.socket == "" {
		return nil
	}
	c, err := net.Dial("unixgram", m.socket) // a leading @ is the abstract namespace
	if err != nil {
		return fmt.Errorf("telling systemd: %w", err)
	}
	defer c.Close()
	for i, l := range lines {
		lines[i] = strings.ReplaceAll(l, "\n", " ")
	}
	if _, err := c.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return fmt.Errorf("telling systemd: %w", err)
	}
	return nil
}
