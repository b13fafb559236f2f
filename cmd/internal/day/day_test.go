// Package day plays a whole day in seconds: SMTP over net.Pipe on both sides,
// the store in bbolt, the engine in a loop with timers, on a fake clock.
package day

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/oklog/ulid/v2"

	"lull/digest"
	"lull/digest/signature"
	"lull/relay"
	"lull/relay/deliver"
	"lull/relay/policy"
	"lull/store"
	"lull/store/bolt"
)

const budget = 6

// TestDay: an alert a minute for ten readers, for a day in which the mail server
// is away for two hours. Every mail is told, once; nobody gets more than the
// bound; the books add up.
func TestDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		far := newMailServer(begin.Add(8*time.Hour), begin.Add(10*time.Hour))
		l := startLull(t, begin, far)
		const alerts = 24 * 60
		for i := range alerts {
			l.send(t, i)
			time.Sleep(time.Minute)
		}
		time.Sleep(3 * time.Hour)
		status, err := l.store.Status(t.Context(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if status.Accepted != alerts || status.Fates[store.Told] != alerts {
			t.Errorf("accepted and told should both be %d: %+v", alerts, status)
		}
		digests, copies := far.digests(t)
		if copies != alerts || digests > 10*27 {
			t.Errorf("%d digests account for %d mails, want %d in one an hour for each of ten readers", digests, copies, alerts)
		}
		if worst := far.worst(time.Hour); worst > budget {
			t.Errorf("a reader got %d mails within an hour", worst)
		}
		if audit, err := l.store.Audit(t.Context()); err != nil || len(audit.Differences) != 0 {
			t.Errorf("the recount: %v %v", audit.Differences, err)
		}
		t.Logf("%d alerts, %d digests, %d mails in all, at most %d to one reader in an hour", alerts, digests, len(far.mail), far.worst(time.Hour))
		l.stop(t)
		far.server.Close()
	})
}

// lull is the daemon's parts on pipes.
type lull struct {
	pipes  *pipes
	store  *bolt.Store
	relay  *relay.Server
	engine *digest.Engine
	out    *deliver.Smarthost
	wake   chan struct{}
	end    context.CancelFunc
	ended  chan error
}

func startLull(t *testing.T, begin time.Time, far *mailServer) *lull {
	t.Helper()
	l := &lull{pipes: newPipes(), wake: make(chan struct{}, 1), ended: make(chan error, 1)}
	var err error
	if l.store, err = bolt.Open(filepath.Join(t.TempDir(), "state"), bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	l.out = deliver.NewSmarthost(deliver.Options{Servers: []deliver.Server{{Addr: "mail.test:25", TLS: deliver.TLSNone}}, LocalName: "lull.test", Dial: far.dial})
	cfg := digest.Defaults(time.Hour)
	cfg.Host, cfg.Budget = "lull.test", budget
	newID := func() string { return ulid.Make().String() }
	if l.engine, err = digest.New(cfg, l.store, l.out, digest.Deps{NewID: newID, Gate: func() time.Duration { return time.Since(begin) }}); err != nil {
		t.Fatal(err)
	}
	decider, err := policy.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	l.relay = relay.New(relay.Config{Hostname: "lull.test"}, relay.Deps{Accept: l, Read: signature.Read, Decide: decider.Decide, NewID: newID})
	go l.relay.Serve(l.pipes)
	ctx, end := context.WithCancel(context.Background())
	l.end = end
	go func() { l.ended <- l.loop(ctx) }()
	return l
}

// Accept stores a message and wakes the engine.
func (l *lull) Accept(ctx context.Context, m store.Message, body []byte) error {
	if err := l.store.Accept(ctx, m, body); err != nil {
		return err
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

func (l *lull) loop(ctx context.Context) error {
	if err := l.engine.Start(ctx, time.Now()); err != nil {
		return err
	}
	for {
		next, err := l.engine.Step(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			return err
		}
		timer := time.NewTimer(max(time.Until(next), time.Second))
		select {
		case <-timer.C:
		case <-l.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// send hands in one alert over a connection of its own.
func (l *lull) send(t *testing.T, i int) {
	t.Helper()
	conn, err := l.pipes.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	text := fmt.Sprintf("From: icinga@mon.test\r\nSubject: [PROBLEM] disk %d on db%d is CRITICAL!\r\n\r\nDISK CRITICAL: %d MB free\r\n", i%7, i%30, i)
	if err := c.SendMail("icinga@mon.test", []string{fmt.Sprintf("tool%d@reader.test", i%10)}, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
}

func (l *lull) stop(t *testing.T) {
	t.Helper()
	l.end()
	if err := <-l.ended; err != nil {
		t.Errorf("the engine's loop: %v", err)
	}
	if err := l.relay.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	l.out.Close()
	if err := l.store.Close(); err != nil {
		t.Error(err)
	}
}
