package e2e

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// arrival is one mail for one recipient at the far end.
type arrival struct {
	from, to string
	body     []byte
}

// sink is the far end: a mail server that keeps everything it is given, but
// refuses recipients whose address begins with "nobody".
type sink struct {
	addr string
	mu   sync.Mutex
	got  []arrival
}

func newSink(t *testing.T) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveSink(t, l)
}

// serveSink is a sink on a listener of choice.
func serveSink(t *testing.T, l net.Listener) *sink {
	t.Helper()
	s := &sink{addr: l.Addr().String()}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }))
	server.Domain = "sink.test"
	server.EnableSMTPUTF8, server.EnableDSN = true, true
	server.MaxLineLength = 64 << 20
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

// arrivals is a copy of what came so far.
func (s *sink) arrivals() []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]arrival(nil), s.got...)
}

type sinkSession struct {
	sink *sink
	from string
	to   []string
}

func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to = from, nil
	return nil
}
func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *sinkSession) Reset()        { s.from, s.to = "", nil }
func (s *sinkSession) Logout() error { return nil }

func (s *sinkSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	for _, to := range s.to {
		s.sink.got = append(s.sink.got, arrival{from: s.from, to: to, body: body})
	}
	return nil
}
