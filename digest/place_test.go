package digest

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"lull/store"
)

// TestDigestsLeaveAPlace: notices and digests that hang take all places but
// one, and letters go on through that one.
func TestDigestsLeaveAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cfg.Concurrency = 3
		w.boot()
		healed := make(chan struct{})
		hung := 0
		w.server.say = func(stage string, mail store.Outgoing, _ string) *answer {
			if stage == "body" && mail.From != "ann@x.example" {
				w.mu.Lock()
				hung++
				w.mu.Unlock()
				<-healed
			}
			return nil
		}
		for i := range 6 {
			w.accept(alert(fmt.Sprintf("ops%d@x.example", i), "disk full"))
		}
		began := time.Now()
		w.step()
		synctest.Wait()
		if hung != 2 {
			t.Errorf("%d notices hang, want 2 of 3 places", hung)
		}
		for i := range 10 {
			w.accept(letter("ann@x.example", fmt.Sprintf("bob%d@x.example", i), "lunch"))
		}
		w.step()
		w.wantFates("in_flight 2, passed 10, waiting 4")
		if took := time.Since(began); took > 2*patience {
			t.Errorf("two steps took %v", took)
		}
		close(healed)
		w.engine.Wait()
		w.step()
		if n := len(w.server.got); n < 16 {
			t.Errorf("%d mails came after all, want 16", n)
		}
	})
}
