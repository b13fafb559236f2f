package e2e

import (
	"bytes"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestStormThroughRealServers: a real mail server hands lull 2,000 alert mails
// as its client, another of its kind takes the digests as lull's smarthost.
// None is lost, none is told twice, no reader gets more than the bound.
func TestStormThroughRealServers(t *testing.T) {
	needs(t)
	for name, newServer := range map[string]newServer{"exim": newExim, "postfix": newPostfix} {
		t.Run(name, func(t *testing.T) { stormThrough(t, newServer) })
	}
}

func stormThrough(t *testing.T, newServer newServer) {
	const n = 2000
	far := newSink(t)
	smarthost := newServer(t, far.addr)
	lull := serve(t, smarthost.addr, "--window", "20s")
	client := newServer(t, lull.addr)

	send(t, client.addr, 8, alerts(n))
	until(t, 8*time.Minute, "all mails accepted by lull", func() bool { return count(lull.status(t), "accepted") >= n })
	until(t, 3*time.Minute, "all mails told", func() bool { return count(lull.status(t), "told") == n })

	status := lull.status(t)
	if got := count(status, "accepted"); got != n {
		t.Errorf("accepted %d, want exactly %d: a real server sent one twice", got, n)
	}
	lull.audit(t)
	digests := 0
	until(t, time.Minute, "digests at the far end account for every mail", func() bool {
		var copies int
		digests, copies = accounted(t, far)
		return copies >= n
	})
	if _, copies := accounted(t, far); copies != n {
		t.Errorf("the digests tell %d copies, want %d", copies, n)
	}
	t.Logf("%d mails in, %d mails out, %d of them digests", n, len(far.arrivals()), digests)
}

func (d *daemon) status(t *testing.T) map[string]any {
	t.Helper()
	return d.objects(t, "status")[0]
}

// audit holds the daemon to promises 2 and 3.
func (d *daemon) audit(t *testing.T) {
	t.Helper()
	if v := d.objects(t, "verify")[0]; count(v, "differences") != 0 {
		t.Errorf("lull verify: %v", v)
	}
	for _, b := range d.objects(t, "bound") {
		if count(b, "max_in_window") > count(b, "budget") {
			t.Errorf("over the bound: %v", b)
		}
	}
}

// accounted counts the digests at the far end and the copies that they claim.
func accounted(t *testing.T, far *sink) (digests, copies int) {
	t.Helper()
	seen := make(map[string]bool)
	for _, a := range far.arrivals() {
		m, err := mail.ReadMessage(bytes.NewReader(a.body))
		if err != nil {
			t.Fatalf("a mail at the far end does not parse: %v", err)
		}
		id := m.Header.Get("X-Lull-Digest")
		if id == "" {
			continue
		}
		if seen[id] {
			t.Errorf("digest %s arrived twice", id)
		}
		seen[id] = true
		n, err := strconv.Atoi(strings.TrimSpace(m.Header.Get("X-Lull-Copies")))
		if err != nil {
			t.Errorf("digest %s does not say how many copies it accounts for: %v", id, err)
		}
		digests, copies = digests+1, copies+n
	}
	return digests, copies
}
