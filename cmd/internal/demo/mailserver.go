package demo

import (
	"bytes"
	"io"
	"net"
	"net/mail"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Variant is how the mail server behaves while it hangs on NFS.
type Variant string

// The variants.
const (
	Refuses Variant = "refuses" // it turns every client away
	Holds   Variant = "holds"   // it accepts, and lets go after its reboot
	Watched Variant = "watched" // it accepts and holds, and release_check notices
)

// Variants lists them in the order of the table.
func Variants() []Variant { return []Variant{Refuses, Holds, Watched} }

// mailServer is the mail server behind lull: real SMTP on a loopback port, with
// the day's faults.
type mailServer struct {
	day     day
	variant Variant
	now     func() time.Time
	server  *smtp.Server
	addr    string

	mu      sync.Mutex
	arrived []parcel
}

// parcel is one mail for one recipient as it leaves the mail server.
type parcel struct {
	at   time.Time
	to   string
	data []byte
}

func newMailServer(d day, v Variant, now func() time.Time) (*mailServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mailServer{day: d, variant: v, now: now, addr: l.Addr().String()}
	m.server = smtp.NewServer(m)
	m.server.Domain = "mail.tools.wmflabs.org"
	m.server.ReadTimeout, m.server.WriteTimeout = time.Minute, time.Minute
	m.server.MaxLineLength = 1 << 20
	go m.server.Serve(l)
	return m, nil
}

func (m *mailServer) close() { m.server.Close() }

// hangs reports whether it is stuck on NFS.
func (m *mailServer) hangs() bool {
	now := m.now()
	return !now.Before(m.day.outage) && now.Before(m.day.reboot)
}

// NewSession implements smtp.Backend.
func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	if m.variant == Refuses && m.hangs() {
		return nil, &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "cannot stat home directories"}
	}
	return &mailSession{server: m}, nil
}

// keep notes a mail; what is taken while it hangs leaves after the reboot.
func (m *mailServer) keep(to string, data []byte) {
	at := m.now()
	if m.hangs() {
		at = m.day.reboot
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrived = append(m.arrived, parcel{at: at, to: to, data: data})
}

// parcels are what has left it in the end.
func (m *mailServer) parcels() []parcel {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]parcel(nil), m.arrived...)
}

// digest names the digest that a parcel is, "" if it is another mail.
func (p parcel) digest() string {
	msg, err := mail.ReadMessage(bytes.NewReader(p.data))
	if err != nil {
		return ""
	}
	return msg.Header.Get("X-Lull-Digest")
}

type mailSession struct {
	server *mailServer
	to     []string
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if s.server.variant == Refuses && s.server.hangs() {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "cannot stat home directories"}
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range s.to {
		s.server.keep(to, data)
	}
	return nil
}

func (s *mailSession) Reset()        { s.to = nil }
func (s *mailSession) Logout() error { return nil }
