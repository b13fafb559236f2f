package relay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lull/relay/policy"
	"lull/store"
)

// TestRecord: what the store gets of one mail.
func TestRecord(t *testing.T) {
	change := func(d *Deps) {
		d.Reader = func(address string) string { return "reader of " + address }
		d.Now = func() time.Time { return time.Date(2019, 10, 7, 14, 5, 11, 0, time.FixedZone("", 7200)) }
		d.Decide = func(in policy.Input) policy.Decision {
			if in.Reading.Subject != "PROBLEM" || in.Envelope.Client != "127.0.0.1" {
				t.Errorf("policy was asked about %+v", in)
			}
			return policy.Decision{Class: store.Alert, Reason: "because of " + in.To}
		}
	}
	bubble(t, Config{}, change, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.want("220 *")
		c.say("HELO host.(evil)\x1b[test", "250 *")
		c.say("MAIL FROM:<nagios@host.test>", "250 *")
		c.say("RCPT TO:<One@d.test>", "250 *")
		c.say("RCPT TO:<two@d.test>", "250 *")
		c.say("DATA", "354 *")
		c.send("Subject: PROBLEM\r\n\r\nx\r\n.\r\n")
		c.want("250 *")

		m := h.box.messages[0]
		if m.Envelope.Helo != "host.evil[test" || m.Size != 23 || !m.Accepted.Equal(time.Date(2019, 10, 7, 12, 5, 11, 0, time.UTC)) {
			t.Errorf("message %+v", m)
		}
		wantTrace := "Received: from host.evil[test ([127.0.0.1])\r\n\tby lull.test (lull) with ESMTP\r\n\tid ID1; Mon, 07 Oct 2019 14:05:11 +0200\r\n"
		if m.Trace != wantTrace {
			t.Errorf("trace\n%q, want\n%q", m.Trace, wantTrace)
		}
		for i, want := range []store.Copy{
			{Index: 1, To: "One@d.test", Reader: "reader of One@d.test", Class: store.Alert, Reason: "because of One@d.test"},
			{Index: 2, To: "two@d.test", Reader: "reader of two@d.test", Class: store.Alert, Reason: "because of two@d.test"},
		} {
			if got := m.Copies[i]; got.Index != want.Index || got.To != want.To || got.Reader != want.Reader || got.Class != want.Class || got.Reason != want.Reason {
				t.Errorf("copy %+v, want %+v", got, want)
			}
		}
		accepted := h.events.of(Accepted)
		if len(accepted) != 1 || accepted[0].Message != "ID1" || accepted[0].Copies != 2 || accepted[0].Size != 23 {
			t.Errorf("events %+v", accepted)
		}
	})
}

func TestTrace(t *testing.T) {
	s := New(Config{Hostname: "lull.test"}, testDeps(t, &box{}, &events{}))
	at := time.Date(2019, 10, 7, 14, 5, 11, 0, time.UTC)
	to := []store.Copy{{To: "r@d.test"}}
	for _, c := range []struct {
		name     string
		envelope store.Envelope
		copies   []store.Copy
		want     string
	}{
		{"one recipient", store.Envelope{Helo: "c.test", Client: "192.0.2.1"}, to,
			"Received: from c.test ([192.0.2.1])\r\n\tby lull.test (lull) with ESMTP\r\n\tid I\r\n\tfor <r@d.test>; Mon, 07 Oct 2019 14:05:11 +0000\r\n"},
		{"several", store.Envelope{Helo: "c.test", Client: "2001:db8::1", TLS: true}, make([]store.Copy, 2),
			"Received: from c.test ([IPv6:2001:db8::1])\r\n\tby lull.test (lull) with ESMTPS\r\n\tid I; Mon, 07 Oct 2019 14:05:11 +0000\r\n"},
		{"local", store.Envelope{Client: "unix", UTF8: true, Auth: "u", TLS: true}, make([]store.Copy, 2),
			"Received: from unknown (unix)\r\n\tby lull.test (lull) with UTF8SMTPSA\r\n\tid I; Mon, 07 Oct 2019 14:05:11 +0000\r\n"},
	} {
		m := store.Message{ID: "I", Accepted: at, Envelope: c.envelope, Copies: c.copies}
		got := s.trace(&m, protocolOf(c.envelope, false))
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
		if s.passages([]byte(got+"Subject: x\r\n\r\n")) != 1 {
			t.Errorf("%s: we do not know our own field", c.name)
		}
	}
}

func TestPassages(t *testing.T) {
	s := New(Config{Hostname: "lull.test"}, testDeps(t, &box{}, &events{}))
	ours := "Received: from x (y)\r\n\tby lull.test (lull) with ESMTP id 1; now\r\n"
	for _, c := range []struct {
		raw  string
		want int
	}{
		{"", 0},
		{"\r\n" + ours, 0},
		{"Subject: x\r\n\r\n" + ours, 0},
		{ours + ours + "\r\n", 2},
		{strings.ReplaceAll(ours, "\r\n", "\n") + "\n", 1},
		{strings.ToLower(ours[:8]) + ours[8:], 1},
		{"Received: by other.test (lull) with ESMTP\r\n", 0},
		{"X-Note: by lull.test (lull) with ESMTP\r\n", 0},
		{"Received", 0},
	} {
		if got := s.passages([]byte(c.raw)); got != c.want {
			t.Errorf("%q: %d, want %d", c.raw, got, c.want)
		}
	}
}

// TestReturnedDigests: a bounce to the address of a digest is handed over, and
// relayed only if nobody knows the digest.
func TestReturnedDigests(t *testing.T) {
	var asked []string
	change := func(d *Deps) {
		d.Returned = func(_ context.Context, digest string, m store.Message) (bool, error) {
			asked = append(asked, digest)
			if digest == "broken" {
				return false, errors.New("no")
			}
			return digest == "D1", nil
		}
	}
	cfg := Config{DigestAddress: "digests@alerts.test"}
	bubble(t, cfg, change, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		bounce := func(from, want string, to ...string) {
			t.Helper()
			c.say("MAIL FROM:<"+from+">", "250 *")
			for _, r := range to {
				c.say("RCPT TO:<"+r+">", "250 *")
			}
			c.say("DATA", "354 *")
			c.send("Subject: undelivered\r\n\r\n.\r\n")
			c.want(want)
		}
		bounce("", "250 *", "digests+D1@alerts.test")
		if h.box.count() != 0 {
			t.Fatal("a returned digest was relayed")
		}
		bounce("", "250 *", "r@d.test", "Digests+D1@ALERTS.test", "s@d.test")
		if m := h.box.messages[0]; len(m.Copies) != 2 || m.Copies[1].To != "s@d.test" || m.Copies[1].Index != 2 {
			t.Errorf("copies %+v", m.Copies)
		}
		bounce("", "250 *", "digests+unknown@alerts.test")
		bounce("", "451 4.3.0 *", "digests+broken@alerts.test")
		bounce("person@d.test", "250 *", "digests+D1@alerts.test")
		bounce("", "250 *", "digests@alerts.test")
		bounce("", "250 *", "digests+D1@elsewhere.test")
		if n := h.box.count(); n != 5 {
			t.Errorf("%d messages relayed, want 5", n)
		}
		if got := strings.Join(asked, " "); got != "D1 D1 unknown broken" {
			t.Errorf("asked for %s", got)
		}
	})
}

// TestFaultyParts: a panic or an error of a part is a 4xx, and the server
// lives on.
func TestFaultyParts(t *testing.T) {
	broken := true
	change := func(d *Deps) {
		read := d.Read
		d.Read = func(raw []byte) store.Reading {
			if broken {
				panic("bad format")
			}
			return read(raw)
		}
	}
	for _, how := range []string{"DATA\r\nx\r\n.\r\n", "BDAT 1 LAST\r\nx"} {
		bubble(t, Config{}, change, func(t *testing.T, h *house) {
			broken = true
			c := h.connect(t, "127.0.0.1")
			c.hello()
			c.send("MAIL FROM:<a@b.test>\r\nRCPT TO:<r@d.test>\r\n" + how)
			c.want("250 *")
			c.want("250 *")
			if how[0] == 'D' {
				c.want("354 *")
			}
			c.want("421 4.0.0 *")
			c.want("closed")
			broken = false
			c = h.connect(t, "127.0.0.1")
			c.hello()
			c.post("x")
			synctest.Wait() // it is told, and the budget given back, behind the answer
			if h.server.budget.left != h.server.cfg.DataBudget {
				t.Error("the panic kept some of the budget")
			}
			if len(h.events.of(Trouble)) == 0 {
				t.Error("nobody was told")
			}
		})
	}
}
