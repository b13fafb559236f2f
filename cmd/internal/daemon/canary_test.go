package daemon

import (
	"io"
	"net"
	gosmtp "net/smtp"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"lull/cmd/internal/config"
)

// hoarder is a mail server that takes everything, and keeps it while it holds.
type hoarder struct {
	mu    sync.Mutex
	holds bool
	lull  string // where mail for lull's own addresses is handed back to
	kept  []kept
	mails int // that left for somebody else
}

type kept struct {
	to, text string
}

func (h *hoarder) NewSession(*smtp.Conn) (smtp.Session, error) { return &hoard{h: h}, nil }

type hoard struct {
	h  *hoarder
	to string
}

func (s *hoard) Mail(string, *smtp.MailOptions) error { return nil }
func (s *hoard) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}
func (s *hoard) Reset()        {}
func (s *hoard) Logout() error { return nil }
func (s *hoard) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.h.mu.Lock()
	s.h.kept = append(s.h.kept, kept{s.to, string(b)})
	s.h.mu.Unlock()
	go s.h.flush()
	return nil
}

// flush lets go of what is kept, unless the server holds.
func (h *hoarder) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holds {
		return
	}
	for _, k := range h.kept {
		if !strings.HasPrefix(k.to, "lull+") {
			h.mails++
			continue
		}
		if err := gosmtp.SendMail(h.lull, nil, "", []string{k.to}, []byte(k.text)); err != nil {
			continue
		}
	}
	h.kept = nil
}

func (h *hoarder) hold(yes bool) {
	h.mu.Lock()
	h.holds = yes
	h.mu.Unlock()
	h.flush()
}

func (h *hoarder) left() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mails
}

// TestCanary: a mail server that answers 250 and then holds, as in 2019, is
// found out; when it lets go again the gate opens, and nobody gets more than
// one digest for the time.
func TestCanary(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hoarder{holds: true}
	server := smtp.NewServer(h)
	served := make(chan struct{})
	go func() {
		_ = server.Serve(l) // ends with the test
		close(served)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	r := begin(t, filepath.Join(t.TempDir(), "s"), func(c *config.Config) {
		c.Smarthost = []config.Smarthost{{Addr: l.Addr().String(), TLS: "none", MaxConnections: 5, Timeout: config.Duration(time.Minute), DotTimeout: config.Duration(time.Minute)}}
		c.Outbox = ""
		c.Hostname, c.Digest.From = "relay.example.org", "lull@relay.example.org"
		c.Release.Canary = true
		c.Release.Every, c.Release.Timeout = config.Duration(50*time.Millisecond), config.Duration(200*time.Millisecond)
	})
	h.mu.Lock()
	h.lull = r.address
	h.mu.Unlock()
	within(t, 10*time.Second, "status says holding", func() bool {
		st, err := status(t, r)
		return err == nil && st.Smarthost == "holding" && strings.Contains(st.Note, "canary")
	})
	for range 5 {
		send(t, r.address, "root@a.example.org", "ops@example.org")
	}
	h.hold(false)
	within(t, 20*time.Second, "all are told", func() bool {
		st, err := status(t, r)
		return err == nil && st.Told == 5 && st.Smarthost == "ok"
	})
	if n := h.left(); n < 1 || n > 2 {
		t.Errorf("%d mails left the mail server, expected one digest and at most one notice", n)
	}
}
