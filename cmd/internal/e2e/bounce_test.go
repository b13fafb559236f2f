package e2e

import (
	"bytes"
	"testing"
	"time"
)

// TestBounce: human mail that the mail server refuses for good comes back to its
// sender as a delivery report; the other recipient gets it untouched.
func TestBounce(t *testing.T) {
	needs(t)
	far := newSink(t)
	lull := serve(t, far.addr)
	text := "From: Ann <ann@example.org>\r\nTo: nobody@example.net, bob@example.net\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
	send(t, lull.addr, 1, []letter{{from: "ann@example.org", to: []string{"nobody@example.net", "bob@example.net"}, body: text}})
	until(t, time.Minute, "the mail and the report arrive", func() bool { return len(far.arrivals()) >= 2 })

	for _, a := range far.arrivals() {
		switch a.to {
		case "bob@example.net":
			if !bytes.HasSuffix(a.body, []byte(text)) {
				t.Errorf("the mail changed on its way:\n%s", a.body)
			}
		case "ann@example.org":
			if a.from != "" || !bytes.Contains(a.body, []byte("5.1.1")) || !bytes.Contains(a.body, []byte("nobody@example.net")) {
				t.Errorf("not a report about nobody@example.net from the null sender: %q\n%s", a.from, a.body)
			}
		default:
			t.Errorf("unexpected mail to %s", a.to)
		}
	}
	if s := lull.status(t); count(s, "bounced") != 1 || count(s, "passed") != 2 {
		t.Errorf("status: %v", s)
	}
	lull.audit(t)
}
