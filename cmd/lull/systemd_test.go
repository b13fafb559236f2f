package main

import (
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnderSystemd plays the service manager: lull takes the socket that it is
// handed, feeds the watchdog, and tells of each change of its state.
func TestUnderSystemd(t *testing.T) {
	folder := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	socket, err := door.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	c := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec lull serve --listen systemd:lull.socket --state `+folder+`/state`)
	c.Env = append(os.Environ(), "LISTEN_FDS=1", "LISTEN_FDNAMES=lull.socket", "WATCHDOG_USEC=600000", "NOTIFY_SOCKET="+folder+"/notify")
	said := &strings.Builder{}
	c.ExtraFiles, c.Stderr = []*os.File{socket}, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	defer func() { _ = c.Process.Kill() }()

	hear(t, manager, "READY=1\nSTATUS=taking mail in on "+door.Addr().String())
	client, err := smtp.Dial(door.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	hear(t, manager, "WATCHDOG=1")
	_ = c.Process.Signal(syscall.SIGHUP)
	hear(t, manager, "RELOADING=1")
	hear(t, manager, "READY=1")
	_ = c.Process.Signal(syscall.SIGTERM)
	hear(t, manager, "STOPPING=1")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%v\n%s", err, said)
		}
	case <-time.After(40 * time.Second):
		t.Error("it does not stop")
	}
}

// hear waits until the service says something that begins so.
func hear(t *testing.T, manager *net.UnixConn, want string) {
	t.Helper()
	manager.SetReadDeadline(time.Now().Add(20 * time.Second))
	for b := make([]byte, 4096); ; {
		n, err := manager.Read(b)
		if err != nil {
			t.Fatalf("never heard %q: %v", want, err)
		}
		if strings.HasPrefix(string(b[:n]), want) {
			return
		}
	}
}
