package systemd

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets this binary be the service that is handed sockets: it greets
// once on each, with the socket's name.
func TestMain(m *testing.M) {
	if os.Getenv("LISTEN_FDS") == "" {
		os.Exit(m.Run())
	}
	if os.Getenv("LISTEN_PID") == "" {
		os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	}
	sockets, err := Receive()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var greeted sync.WaitGroup
	for name, list := range sockets {
		for _, l := range list {
			greeted.Go(func() { greet(l, name) }) // the client comes in any order
		}
	}
	greeted.Wait()
	os.Exit(0)
}

func greet(l net.Listener, name string) {
	c, err := l.Accept()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Fprintln(c, name)
	c.Close()
}

// service starts this binary with sockets.
func service(t *testing.T, env []string, files ...*os.File) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	c, said := exec.Command(os.Args[0]), &strings.Builder{}
	c.Env, c.ExtraFiles, c.Stderr = append(os.Environ(), env...), files, said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, said
}

func fileOf(t *testing.T, l interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSocketsAreHandedOver(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	local, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	c, said := service(t, []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=smtp"},
		fileOf(t, tcp.(*net.TCPListener)), fileOf(t, local.(*net.UnixListener)))
	for l, name := range map[net.Listener]string{tcp: "smtp", local: "unknown"} {
		client, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		client.SetDeadline(time.Now().Add(20 * time.Second))
		if line, err := bufio.NewReader(client).ReadString('\n'); line != name+"\n" {
			t.Errorf("on %s: %q, %v", l.Addr(), line, err)
		}
		client.Close()
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

func TestWhatIsNoListener(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for env, want := range map[string]string{
		"LISTEN_FDS=1":    "ListenStream=",
		"LISTEN_FDS=many": "LISTEN_FDS",
	} {
		c, said := service(t, []string{env, "LISTEN_FDNAMES=odd"}, file)
		if err := c.Wait(); err == nil || !strings.Contains(said.String(), want) {
			t.Errorf("%s: %v, %q", env, err, said)
		}
	}
}

// TestSocketsOfAnother: a child of a service inherits its environment, and
// none of its sockets.
func TestSocketsOfAnother(t *testing.T) {
	c, said := service(t, []string{"LISTEN_FDS=1", "LISTEN_PID=1"})
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

func TestManagerIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	m := Find()
	if m.Watchdog() != 30*time.Second {
		t.Errorf("watchdog %s", m.Watchdog())
	}
	for _, say := range []struct {
		tell func() error
		want string
	}{
		{func() error { return m.Ready("two\nlines") }, "READY=1\nSTATUS=two lines"},
		{m.Reloading, "RELOADING=1\nMONOTONIC_USEC="},
		{m.Alive, "WATCHDOG=1"},
		{func() error { return m.Stopping("told to") }, "STOPPING=1\nSTATUS=told to"},
	} {
		if err := say.tell(); err != nil {
			t.Fatal(err)
		}
		heard := make([]byte, 200)
		manager.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := manager.Read(heard)
		if err != nil && err != io.EOF || !strings.HasPrefix(string(heard[:n]), say.want) {
			t.Errorf("heard %q, %v; expected %q", heard[:n], err, say.want)
		}
	}
	t.Setenv("WATCHDOG_PID", "1")
	if w := Find().Watchdog(); w != 0 {
		t.Errorf("the watchdog of another: %s", w)
	}
	if err := (Manager{}).Ready("nobody"); err != nil {
		t.Error(err)
	}
}
