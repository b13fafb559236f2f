package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"lull/cmd/internal/config"
	"lull/cmd/internal/systemd"
	"lull/relay"
)

// entry is one place where mail is taken in, and the way that it comes there.
type entry struct {
	net.Listener
	way relay.Door
}

// openDoors opens all doors, or none.
func openDoors(cfg config.Config, given systemd.Sockets) (doors []entry, err error) {
	defer func() {
		if err != nil {
			for _, d := range doors {
				_ = d.Close() // nobody came through it
			}
		}
	}()
	named := map[string]bool{}
	for _, text := range cfg.Listen {
		door, err := config.DoorOf(text)
		if err != nil {
			return doors, err
		}
		way := relay.Door{TLS: door.TLS, LMTP: door.LMTP}
		if door.Proxied {
			way.Proxies = networks(cfg.Proxies)
		}
		listeners, err := listen(door, given)
		if err != nil {
			return doors, err
		}
		named[door.Address] = true
		for _, l := range listeners {
			doors = append(doors, entry{l, way})
		}
	}
	return doors, unnamed(given, named)
}

// unnamed is the fault of a socket that no door takes: its clients would wait
// for ever.
func unnamed(given systemd.Sockets, named map[string]bool) error {
	for name := range given {
		if !named[name] {
			return fmt.Errorf("systemd hands over the socket %s, which no door takes; write systemd:%[1]s into listen", name)
		}
	}
	return nil
}

// listen opens one door; systemd may have several sockets for it.
func listen(door config.Door, given systemd.Sockets) ([]net.Listener, error) {
	switch door.Network {
	case "systemd":
		if len(given[door.Address]) == 0 {
			return nil, fmt.Errorf("systemd has handed over no socket named %s; start lull through its socket unit, and see FileDescriptorName= there", door.Address)
		}
		return given[door.Address], nil
	case "unix":
		l, err := listenUnix(door.Address)
		return []net.Listener{l}, err
	}
	// Without probes of TCP: every wait of ours ends by itself, and to set them
	// up is a third of what it costs to accept a connection of a flood.
	l, err := (&net.ListenConfig{KeepAlive: -1}).Listen(context.Background(), "tcp", door.Address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another address with --listen", door.Address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be opened by this user; choose a port above 1023 with --listen, or give lull CAP_NET_BIND_SERVICE", door.Address)
	case err != nil:
		return nil, fmt.Errorf("%w; choose an address of this machine with --listen", err)
	}
	return []net.Listener{l}, nil
}

// listenUnix opens a socket to which every local user may connect, as to a
// port of loopback; the folder that it lies in may keep some out.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close() // it was only a question
			return nil, fmt.Errorf("%s is in use by another program; stop it, or choose another path", path)
		}
		_ = os.Remove(path) // of a former run
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w; choose a path in a folder that lull may write to", err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
