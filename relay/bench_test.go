package relay

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"lull/relay/policy"
	"lull/store"
)

// BenchmarkSession compares a session of ours that discards its messages with
// a bare go-smtp session that discards them: 20 clients on loopback, 4 KiB
// each, with the connection reused and with a new one each time.
//
//	go test ./relay -run '^$' -bench Session -benchtime 20000x -count 5
func BenchmarkSession(b *testing.B) {
	for _, reuse := range []bool{true, false} {
		name := map[bool]string{true: "reused", false: "new"}[reuse]
		b.Run("bare/"+name, func(b *testing.B) { load(b, bareServer(b), reuse) })
		b.Run("lull/"+name, func(b *testing.B) { load(b, lullServer(b), reuse) })
	}
}

type discard struct{}

func (discard) Accept(context.Context, store.Message, []byte) error { return nil }

func lullServer(b *testing.B) string {
	p, err := policy.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	var id atomic.Int64
	s := New(Config{Hostname: "lull.test"}, Deps{
		Accept: discard{},
		Read:   func([]byte) store.Reading { return store.Reading{} },
		Decide: p.Decide,
		NewID:  func() string { return fmt.Sprint(id.Add(1)) },
	})
	l := listen(b)
	go s.Serve(l) //nolint:errcheck // the client would notice
	b.Cleanup(func() { s.Shutdown(context.Background()) })
	return l.Addr().String()
}

type bareSession struct{}

func (bareSession) Reset()                               {}
func (bareSession) Logout() error                        { return nil }
func (bareSession) Mail(string, *smtp.MailOptions) error { return nil }
func (bareSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (bareSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func bareServer(b *testing.B) string {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return bareSession{}, nil }))
	s.Domain = "bare.test"
	l := listen(b)
	go s.Serve(l) //nolint:errcheck // the client would notice
	b.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

func listen(tb testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// load sends b.N messages from 20 clients.
func load(b *testing.B, addr string, reuse bool) {
	text := strings.Repeat("All work and no play makes Jack a dull boy, says the cron job.\r\n", 4096/64)
	b.SetBytes(int64(len(text)))
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	before := cpu(b)
	b.ResetTimer()
	for range 20 {
		all.Go(func() {
			for left.Load() > 0 {
				if err := shipment(addr, text, &left, reuse); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpu is the processor time that this process has used, its clients included.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// shipment sends messages over one connection: one, or as many as are left.
func shipment(addr, text string, left *atomic.Int64, reuse bool) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // all was answered
	r := bufio.NewReader(conn)
	exchange := func(line, code string) error {
		if _, err := io.WriteString(conn, line); err != nil {
			return err
		}
		for {
			answer, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			if !strings.HasPrefix(answer, code) {
				return fmt.Errorf("to %.20q: %q", line, answer)
			}
			if answer[3] == ' ' {
				return nil
			}
		}
	}
	steps := [][2]string{
		{"MAIL FROM:<root@host.test>\r\n", "250"},
		{"RCPT TO:<reader@reader.test>\r\n", "250"},
		{"DATA\r\n", "354"},
		{text + ".\r\n", "250"},
	}
	for _, step := range [][2]string{{"", "220"}, {"EHLO host.test\r\n", "250"}} {
		if err := exchange(step[0], step[1]); err != nil {
			return err
		}
	}
	for left.Add(-1) >= 0 {
		for _, step := range steps {
			if err := exchange(step[0], step[1]); err != nil {
				return err
			}
		}
		if !reuse {
			break
		}
	}
	return exchange("QUIT\r\n", "221")
}
