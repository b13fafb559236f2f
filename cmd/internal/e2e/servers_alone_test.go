package e2e

import (
	"testing"
	"time"
)

// TestServersAlone shows that the servers relay to the sink with no lull
// between: what the other tests measure is lull.
func TestServersAlone(t *testing.T) {
	needs(t)
	for name, newServer := range map[string]newServer{"exim": newExim, "postfix": newPostfix} {
		t.Run(name, func(t *testing.T) {
			far := newSink(t)
			s := newServer(t, far.addr)
			send(t, s.addr, 4, alerts(20))
			until(t, 30*time.Second, "20 mails at the far end", func() bool { return len(far.arrivals()) >= 20 })
		})
	}
}
