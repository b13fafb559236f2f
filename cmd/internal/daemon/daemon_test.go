package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lull/cmd/internal/config"
	"lull/relay/admin"
	"lull/store/bolt"
)

// TestMain lets this binary be the child that checks a database.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[0] == "check" {
		if err := bolt.Check(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			if errors.Is(err, bolt.ErrLocked) {
				os.Exit(CheckLocked)
			}
			os.Exit(2)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// run is a daemon in this process.
type run struct {
	state   string
	address string
	doors   []string
	log     *lockedBuffer
	reload  chan struct{}
	stop    context.CancelFunc
	ended   chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// begin runs a daemon whose configuration change may edit, at each load.
func begin(t *testing.T, state string, change func(*config.Config)) *run {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{state: state, log: &lockedBuffer{}, reload: make(chan struct{}), stop: cancel, ended: make(chan error, 1)}
	ready := make(chan []string, 1)
	level := &slog.LevelVar{}
	go func() {
		r.ended <- Run(ctx, Options{
			Load: func() (config.Config, error) {
				c, err := config.Load("", config.Flags{State: state, Listen: []string{"127.0.0.1:0"}, Window: 2 * time.Second})
				if err == nil {
					change(&c)
					err = c.Validate()
				}
				return c, err
			},
			Reload: r.reload, Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: level})), Level: level,
			Check: []string{"check"}, Version: "test", Ready: func(l []string) { ready <- l },
		})
	}()
	select {
	case l := <-ready:
		r.address, r.doors = l[0], l
	case err := <-r.ended:
		cancel()
		t.Fatalf("it does not start: %v\n%s", err, r.log)
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not start\n%s", r.log)
	}
	t.Cleanup(func() { r.finish(t) })
	return r
}

func (r *run) finish(t *testing.T) {
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(stopTime + 10*time.Second):
		t.Errorf("it does not stop\n%s", r.log)
	}
}

func usual(*config.Config) {}

func within(t *testing.T, d time.Duration, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); !yes(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", d, what)
		}
	}
}

func send(t *testing.T, address, from, to string) {
	t.Helper()
	body := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: Cron <root@a> backup\r\nX-Cron-Env: <A=B>\r\nDate: %s\r\n\r\nfailed\r\n", from, to, time.Now().UTC().Format(time.RFC1123Z))
	if err := smtp.SendMail(address, nil, from, []string{to}, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// TestStopLetsAMessageOnItsWayFinish: SIGTERM during DATA costs nobody a mail,
// an idle client is sent off, and nobody new is let in.
func TestStopLetsAMessageOnItsWayFinish(t *testing.T) {
	state := filepath.Join(t.TempDir(), "s")
	r := begin(t, state, usual)
	idle, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	c, err := smtp.Dial(r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, err := range []error{c.Mail("root@a.example"), c.Rcpt("ops@example.org")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "Subject: half"); err != nil {
		t.Fatal(err)
	}
	r.stop()
	within(t, 5*time.Second, "an idle client is sent off", func() bool {
		_ = idle.SetReadDeadline(time.Now().Add(time.Second))
		b, _ := io.ReadAll(idle)
		return bytes.Contains(b, []byte("421 ")) || len(b) == 0
	})
	if _, err := net.DialTimeout("tcp", r.address, time.Second); err == nil {
		t.Error("somebody new was let in")
	}
	if _, err := io.WriteString(w, " a mail\r\n\r\nx\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("the message on its way got %v", err)
	}
	r.finish(t)
	again := begin(t, state, usual)
	st, err := status(t, again)
	if err != nil || st.Accepted != 1 {
		t.Errorf("after the restart: %d accepted, %v", st.Accepted, err)
	}
}

func status(t *testing.T, r *run) (admin.Status, error) {
	c := admin.NewClient(r.state)
	defer c.Close()
	return c.Status(t.Context())
}

// TestASecondDaemonIsRefused, and the first goes on.
func TestASecondDaemonIsRefused(t *testing.T) {
	state := filepath.Join(t.TempDir(), "s")
	r := begin(t, state, usual)
	level := &slog.LevelVar{}
	err := Run(t.Context(), Options{
		Load: func() (config.Config, error) {
			return config.Load("", config.Flags{State: state, Listen: []string{"127.0.0.1:0"}})
		},
		Log: slog.New(slog.DiscardHandler), Level: level, Check: []string{"check"},
	})
	if err == nil || !strings.Contains(err.Error(), "another lull") || !strings.Contains(err.Error(), "--state") {
		t.Errorf("got %v", err)
	}
	if _, err := status(t, r); err != nil {
		t.Errorf("the first one: %v", err)
	}
}

// TestTheDatabaseIsTakenAway: writing on into a removed file would lose mail,
// so the daemon ends, not well.
func TestTheDatabaseIsTakenAway(t *testing.T) {
	state := filepath.Join(t.TempDir(), "s")
	d := &daemon{log: slog.New(slog.DiscardHandler), opt: Options{Check: []string{"check"}}}
	c, err := config.Load("", config.Flags{State: state})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(bolt.Path(state)); err != nil {
		t.Fatal(err)
	}
	if err := d.store.Watch(); err == nil {
		t.Error("nobody noticed")
	}
	select {
	case <-d.store.Stopped():
	case <-time.After(5 * time.Second):
		t.Error("the store goes on")
	}
	_ = d.store.Close()
}

// TestReloadChangesWhatItMay: the rules do, the window does not; a wrong
// configuration changes nothing.
func TestReloadChangesWhatItMay(t *testing.T) {
	var mu sync.Mutex
	edit := usual
	r := begin(t, filepath.Join(t.TempDir(), "s"), func(c *config.Config) {
		mu.Lock()
		defer mu.Unlock()
		edit(c)
	})
	set := func(f func(*config.Config)) {
		mu.Lock()
		edit = f
		mu.Unlock()
		r.reload <- struct{}{}
	}
	set(func(c *config.Config) { c.Rule = []config.Rule{{Name: "bad", Class: "loud"}} })
	within(t, 5*time.Second, "a refusal in the log", func() bool { return strings.Contains(r.log.String(), "the old one stays") })
	set(func(c *config.Config) {
		c.Rule = []config.Rule{{Name: "all is for people", Class: "pass"}}
		c.Limits.Hops = 20
	})
	within(t, 5*time.Second, "the reload", func() bool { return strings.Contains(r.log.String(), "msg=reloaded") })
	if !strings.Contains(r.log.String(), "key=limits") {
		t.Error("nobody was told that limits need a restart")
	}
	send(t, r.address, "root@a.example.org", "ops@example.org")
	within(t, 10*time.Second, "the mail was passed", func() bool {
		st, err := status(t, r)
		return err == nil && st.Passed == 1
	})
}

// TestReleaseCheckHoldsTheGate: while it fails, status says so and nothing is
// told; when it passes again, everything is, once.
func TestReleaseCheckHoldsTheGate(t *testing.T) {
	folder := t.TempDir()
	flag := filepath.Join(folder, "mail-leaves")
	r := begin(t, filepath.Join(folder, "s"), func(c *config.Config) {
		c.Release.Command = "test -e " + flag
		c.Release.Every = config.Duration(50 * time.Millisecond)
	})
	within(t, 10*time.Second, "status says holding", func() bool {
		st, err := status(t, r)
		return err == nil && st.Smarthost == "holding" && strings.Contains(st.Note, "release check")
	})
	for range 3 {
		send(t, r.address, "root@a.example.org", "ops@example.org")
	}
	if entries, _ := os.ReadDir(filepath.Join(r.state, "outbox")); len(entries) > 0 {
		t.Errorf("mail left while the check failed: %v", entries)
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	within(t, 20*time.Second, "all are told", func() bool {
		st, err := status(t, r)
		return err == nil && st.Told == 3 && st.Smarthost == "outbox"
	})
}
