package day

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/mail"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// mailServer is the mail server behind lull. It is away between two times.
type mailServer struct {
	pipes    *pipes
	server   *smtp.Server
	from, to time.Time

	mu   sync.Mutex
	mail []arrival
}

type arrival struct {
	at   time.Time
	to   string
	data []byte
}

func newMailServer(from, to time.Time) *mailServer {
	m := &mailServer{pipes: newPipes(), from: from, to: to}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &inbox{server: m}, nil }))
	m.server.Domain, m.server.MaxLineLength = "mail.test", 1<<20
	m.server.ErrorLog = log.New(io.Discard, "", 0) // pipes have no orderly end
	m.server.ReadTimeout, m.server.WriteTimeout = time.Minute, time.Minute
	go m.server.Serve(m.pipes)
	return m
}

func (m *mailServer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if now := time.Now(); !now.Before(m.from) && now.Before(m.to) {
		return nil, errors.New("connection refused")
	}
	return m.pipes.dial(ctx)
}

// digests counts the digests that came, and the copies they account for; most is
// the most mails that one reader got within any window.
func (m *mailServer) digests(t *testing.T) (n, copies int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.mail {
		msg, err := mail.ReadMessage(bytes.NewReader(a.data))
		if err != nil {
			t.Fatal(err)
		}
		if msg.Header.Get("X-Lull-Digest") == "" {
			continue
		}
		told, err := strconv.Atoi(msg.Header.Get("X-Lull-Copies"))
		if err != nil {
			t.Fatal(err)
		}
		n, copies = n+1, copies+told
	}
	return n, copies
}

// worst is the most mails that one reader got in any window.
func (m *mailServer) worst(window time.Duration) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	most := 0
	for _, last := range m.mail {
		n := 0
		for _, a := range m.mail {
			if a.to == last.to && !a.at.After(last.at) && a.at.Add(window).After(last.at) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

type inbox struct {
	server *mailServer
	to     []string
}

func (i *inbox) Mail(string, *smtp.MailOptions) error { return nil }
func (i *inbox) Reset()                               { i.to = nil }
func (i *inbox) Logout() error                        { return nil }

func (i *inbox) Rcpt(to string, _ *smtp.RcptOptions) error {
	i.to = append(i.to, to)
	return nil
}

func (i *inbox) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	i.server.mu.Lock()
	defer i.server.mu.Unlock()
	for _, to := range i.to {
		i.server.mail = append(i.server.mail, arrival{time.Now(), to, data})
	}
	return nil
}
