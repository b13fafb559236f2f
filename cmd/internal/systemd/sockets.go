// Package systemd speaks with the service manager: it takes the sockets that
// it hands over (sd_listen_fds(3)), and tells it how the service is
// (sd_notify(3)). Where there is no service manager both do nothing.
package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Sockets are listeners by the name that their unit gives them:
// FileDescriptorName=, by default the unit's own name, such as lull.socket.
type Sockets map[string][]net.Listener

// firstSocket is the descriptor of the first of them.
const firstSocket = 3

// Receive takes the sockets that were handed to this process. It must be
// called once, before other files are opened.
func Receive() (Sockets, error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil // none, or those of a parent
	}
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || count < 0 {
		return nil, fmt.Errorf("LISTEN_FDS=%q is no number of sockets", os.Getenv("LISTEN_FDS"))
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	sockets := Sockets{}
	var faults []error
	for i := range count {
		name := "unknown" // as systemd calls it
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		l, err := listener(firstSocket+i, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		sockets[name] = append(sockets[name], l)
	}
	if err := errors.Join(faults...); err != nil {
		sockets.Close()
		return nil, err
	}
	return sockets, nil
}

func listener(fd int, name string) (net.Listener, error) {
	unix.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), name)
	defer f.Close() // the listener has a descriptor of its own
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("the socket %q that systemd handed over cannot take connections (%w); its unit must say ListenStream= and Accept=no", name, err)
	}
	return l, nil
}

// Close closes all of them.
func (s Sockets) Close() {
	for _, list := range s {
		for _, l := range list {
			_ = l.Close() // nothing more comes out of it
		}
	}
}
