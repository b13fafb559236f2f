package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestHangsLeaveAPlaceToLetters: notices that hang at the dot, as many as there
// are places and more, leave one to letters, which arrive meanwhile; in the end
// everybody has all.
func TestHangsLeaveAPlaceToLetters(t *testing.T) {
	needs(t)
	h := newHanger(t, "dot", "ops")
	d := configured(t, "%s[[smarthost]]\naddr = %q\nmax_connections = 3\ndot_timeout = '20s'\n", passLetters, h.addr)
	var notices, letters []letter
	for i := range 6 {
		notices = append(notices, alert("icinga", fmt.Sprintf("ops%d", i), "** PROBLEM alert - db1/disk is CRITICAL **", "full"))
		letters = append(letters, alert("ada", fmt.Sprintf("bob%d", i), "letter to bob", "hello"))
	}
	send(t, d.addr, 1, notices)
	select {
	case <-h.hung:
	case <-time.After(30 * time.Second):
		t.Fatal("no notice came to its dot")
	}
	began := time.Now()
	send(t, d.addr, 1, letters)
	until(t, 19*time.Second, "the letters arrive", func() bool { return len(h.taken()) == 6 })
	t.Logf("6 letters arrived %v after they were sent, beside the notices that hang", time.Since(began))
	close(h.healed)
	until(t, 120*time.Second, "everybody is told", func() bool { return len(h.taken()) == 12 })
}
