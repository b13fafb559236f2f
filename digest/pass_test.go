package digest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lull/store"
)

// Pass mail is relayed at once and byte for byte, with its envelope and DSN
// options, in one transaction for all recipients of a message.
func TestPassMail(t *testing.T) {
	w := newWorld(t)
	w.boot()
	m := letter("ann@x.example", "bob@x.example", "lunch")
	m.more, m.notify = []string{"carl@x.example"}, []string{"SUCCESS", "FAILURE"}
	m.body = "Subject: lunch\r\n\r\nbare\nends\r \x00\xff\r\n"
	w.accept(m)
	w.step()
	got := w.server.to("carl@x.example")
	if len(got) != 1 || len(got[0].to) != 2 || got[0].from != "ann@x.example" {
		t.Fatalf("%+v", got)
	}
	if want := "Received: from a by b\r\n" + m.body; string(got[0].body) != want || got[0].size != int64(len(want)) {
		t.Errorf("body %q, size %d", got[0].body, got[0].size)
	}
	if n := got[0].targets[0].Notify; strings.Join(n, ",") != "SUCCESS,FAILURE" {
		t.Errorf("notify %v", n)
	}
	w.wantFates("passed 2")
	w.check()
}

// Mixed classes in one message: what happens to one copy touches no other.
func TestPassResultsPerRecipient(t *testing.T) {
	w := newWorld(t)
	var bounced []Bounce
	w.deps.Bounce = func(_ context.Context, _ time.Time, b Bounce) error {
		bounced = append(bounced, b)
		return nil
	}
	w.boot()
	w.server.say = func(stage string, _ store.Outgoing, to string) *answer {
		switch {
		case stage == "rcpt" && strings.HasPrefix(to, "gone"):
			return refusesWith(550, store.RecipientFailed)
		case stage == "rcpt" && strings.HasPrefix(to, "full"):
			return refusesWith(452, store.RetryLater)
		}
		return nil
	}
	m := letter("ann@x.example", "bob@x.example", "lunch")
	m.more = []string{"gone@x.example", "full@x.example"}
	id := w.accept(m)
	w.step()
	w.wantFates("bounced 1, passed 1, waiting 1")
	if len(bounced) != 1 || bounced[0].Action != ActionFailed || len(bounced[0].Copies) != 1 ||
		bounced[0].Copies[0].To != "gone@x.example" || bounced[0].Replies[0].Code != 550 || bounced[0].Message.ID != id {
		t.Errorf("bounces %+v", bounced)
	}
	w.server.say = nil
	w.run(10 * time.Minute)
	w.wantFates("bounced 1, passed 2")
	if n := len(w.server.to("bob@x.example")); n != 1 {
		t.Errorf("bob got it %d times", n)
	}
	w.check()
}

// Nobody is told who did not ask, and the null sender never.
func TestBounceWanted(t *testing.T) {
	for _, c := range []struct {
		from   string
		notify []string
		action Action
		want   bool
	}{
		{"a@x", nil, ActionFailed, true}, {"a@x", nil, ActionDelayed, true}, {"a@x", nil, ActionRelayed, false},
		{"a@x", []string{"NEVER"}, ActionFailed, false}, {"a@x", []string{"NEVER"}, ActionRelayed, false},
		{"a@x", []string{"SUCCESS"}, ActionFailed, false}, {"a@x", []string{"SUCCESS"}, ActionRelayed, true},
		{"a@x", []string{"FAILURE", "DELAY"}, ActionDelayed, true}, {"a@x", []string{"FAILURE"}, ActionDelayed, false},
		{"", nil, ActionFailed, false}, {"", []string{"SUCCESS"}, ActionRelayed, false},
	} {
		m := &store.Message{Envelope: store.Envelope{From: c.from}}
		if got := wanted(m, store.Copy{Notify: c.notify}, c.action); got != c.want {
			t.Errorf("%q %v %s: %v", c.from, c.notify, c.action, got)
		}
	}
}

// Mail that cannot be passed on for five days expires, and its sender is told;
// before that of the delay. A report that cannot be made keeps it waiting.
func TestPassExpires(t *testing.T) {
	for _, stage := range []string{"connect", "rcpt", "data"} {
		t.Run(stage, func(t *testing.T) {
			w := newWorld(t)
			w.cfg.DelayAfter = 4 * time.Hour
			var told []string
			refuse := true
			w.deps.Bounce = func(_ context.Context, _ time.Time, b Bounce) error {
				if b.Action == ActionFailed && refuse {
					return errors.New("the store is full")
				}
				told = append(told, fmt.Sprintf("%s %v %d", b.Action, b.Expired, len(b.Copies)))
				return nil
			}
			w.boot()
			w.server.say = func(at string, _ store.Outgoing, _ string) *answer {
				switch {
				case at != stage:
					return nil
				case stage == "connect":
					return silent()
				}
				return refusesWith(450, store.RetryLater)
			}
			w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
			w.run(5*24*time.Hour + 2*time.Hour)
			w.wantFates("waiting 1")
			refuse = false
			w.run(2 * time.Hour)
			w.wantFates("expired 1")
			want := "delayed false 1 failed true 1"
			if stage == "connect" { // no attempt is counted, and no report could leave
				want = "failed true 1"
			}
			if got := strings.Join(told, " "); got != want {
				t.Errorf("told %q, want %q", got, want)
			}
			w.check()
		})
	}
}

// The sixth mail of one sender and kind within an hour, that answers none,
// goes into the digest with those that follow.
func TestRepeatGuard(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for range 12 {
		w.accept(letter("script@x.example", "bob@x.example", "done"))
		w.run(time.Minute)
	}
	for i := range 12 { // people may write as much as they like
		m := letter("ann@x.example", "bob@x.example", "re lunch")
		m.answers = true
		w.accept(m)
		w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("topic ", i)))
	}
	w.run(time.Minute)
	w.wantFates("passed 29, waiting 7")
	if n := len(w.told(Joined)); n != 7 {
		t.Errorf("%d joined", n)
	}
	w.until("10:01")
	w.wantFates("passed 29, told 7")
	w.check()
}

// All at once is no way around it.
func TestRepeatGuardAtOnce(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for range 300 {
		w.accept(letter("script@x.example", "bob@x.example", "done"))
	}
	w.run(time.Minute)
	w.wantFates("passed 5, waiting 295")
	w.check()
}

// Pass mail above the budget waits, and leaves at that rate, oldest first.
func TestPassBudget(t *testing.T) {
	w := newWorld(t)
	w.cfg.Concurrency = 1 // so that the order can be seen
	w.boot()
	var ids []string
	for i := range 300 {
		ids = append(ids, w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("topic ", i))))
		w.accept(letter("ann@x.example", fmt.Sprintf("reader%d@x.example", i), "topic"))
	}
	w.run(time.Minute)
	if n := len(w.server.to("bob@x.example")); n != 60 {
		t.Errorf("%d mails to bob at once", n)
	}
	w.accept(letter("ann@x.example", "bob@x.example", "later"))
	for range 6 {
		w.run(time.Hour)
		w.check()
	}
	got := w.server.to("bob@x.example")
	if len(got) != 301 {
		t.Fatalf("%d mails to bob in six hours", len(got))
	}
	for i, id := range ids {
		if !bytes.Contains(got[i].body, []byte(id)) {
			t.Fatalf("mail %d is not the one that came as such:\n%s", i, got[i].body)
		}
		n := 0
		for _, d := range got[i:] {
			if d.at < got[i].at+time.Hour {
				n++
			}
		}
		if n > 60 {
			t.Fatalf("%d mails in the hour from %v", n, got[i].at)
		}
	}
	w.wantFates("passed 601")
}

// One that comes when a slot is free does not go before those that wait for it.
func TestPassBudgetKeepsOrder(t *testing.T) {
	w := newWorld(t)
	w.cfg.PassBudget, w.cfg.Concurrency = 2, 1
	w.boot()
	var ids []string
	for i, wait := range []time.Duration{40 * time.Minute, time.Minute, 0, 20 * time.Minute, 0} {
		ids = append(ids, w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("topic ", i))))
		w.run(wait)
	}
	w.run(4 * time.Hour)
	got := w.server.to("bob@x.example")
	if len(got) != 5 {
		t.Fatalf("%d mails", len(got))
	}
	for i, id := range ids {
		if !bytes.Contains(got[i].body, []byte(id)) {
			t.Errorf("mail %d is not the one that came as such", i)
		}
	}
	w.check()
}

// Nobody else waits behind a reader's backlog, however long it is.
func TestPassBacklogStarvesNobody(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for i := range 3000 {
		w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("topic ", i)))
	}
	w.accept(letter("ann@x.example", "carl@x.example", "lunch"))
	w.run(10 * time.Second)
	if n := len(w.server.to("carl@x.example")); n != 1 {
		t.Errorf("carl waits behind bob")
	}
	w.boot()
	w.accept(letter("ann@x.example", "dora@x.example", "lunch"))
	w.run(10 * time.Second)
	if n := len(w.server.to("dora@x.example")); n != 1 {
		t.Errorf("dora waits behind bob after a restart")
	}
	w.check()
}

// Without a budget all goes.
func TestPassUnlimited(t *testing.T) {
	w := newWorld(t)
	w.cfg.PassBudget, w.cfg.Repeat = 0, 0
	w.boot()
	for range 200 {
		w.accept(letter("script@x.example", "bob@x.example", "done"))
	}
	w.run(time.Second)
	w.wantFates("passed 200")
}

// A message that kills the dialogue does not keep the others from leaving.
func TestPoisonedMail(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "body" && m.From == "poison@x.example" {
			return silent()
		}
		return nil
	}
	w.accept(letter("poison@x.example", "bob@x.example", "bad"))
	for i := range 20 {
		w.accept(letter("ann@x.example", "bob@x.example", fmt.Sprint("topic ", i)))
	}
	w.run(20 * time.Minute)
	w.wantFates("passed 20, waiting 1")
	w.check()
}

// Long lines that the mail server refuses travel as an attachment.
func TestLongLines(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" && m.EightBit {
			return &answer{outcome: store.Rejected, reply: store.Reply{Code: 554, Verdict: store.MailFailed}}
		}
		return nil
	}
	m := letter("ann@x.example", "bob@x.example", "report")
	m.body = "Subject: report\r\n\r\n" + strings.Repeat("x", 999) + "\r\n"
	m.eightBit = true
	w.accept(m)
	w.step()
	w.wantFates("passed 1")
	got := w.server.to("bob@x.example")
	if len(got) != 1 {
		t.Fatalf("%d mails", len(got))
	}
	_, rest, _ := strings.Cut(string(got[0].body), "filename=\"mail.eml\"")
	_, rest, _ = strings.Cut(rest, "\r\n\r\n")
	encoded, _, _ := strings.Cut(rest, "\r\n--")
	inner, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(encoded, "\r\n", ""))
	if err != nil || string(inner) != "Received: from a by b\r\n"+m.body {
		t.Errorf("attached is %q (%v)", inner, err)
	}
	for line := range strings.SplitSeq(string(got[0].body), "\r\n") {
		if len(line) > 998 {
			t.Error("it still has long lines")
		}
	}
	m.body = "Subject: report\r\n\r\nshort\r\n"
	w.accept(m)
	w.step()
	w.wantFates("bounced 1, passed 1")
	w.check()
}

// Reports to a sender beyond the budget are told in one digest.
func TestReportsBeyondBudget(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for i := range 50 {
		m := letter("", "script@x.example", fmt.Sprint("returned ", i))
		m.client = OwnClient
		w.accept(m)
	}
	w.run(10 * time.Minute)
	if n := len(w.server.to("script@x.example")); n != 20 {
		t.Errorf("%d reports", n)
	}
	w.wantFates("passed 20, waiting 30")
	w.until("10:01")
	w.wantFates("passed 20, told 30")
	if n := len(w.server.digests("script@x.example")); n != 1 {
		t.Errorf("%d digests", n)
	}
	w.check()
}

// A rate for each sender spreads what one sender sends and nobody else's.
func TestSenderRate(t *testing.T) {
	w := newWorld(t)
	w.cfg.SenderRate, w.cfg.Repeat = 60, 0
	w.boot()
	for i := range 30 {
		w.accept(letter("busy@x.example", fmt.Sprintf("r%d@x.example", i), "news"))
	}
	w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
	w.run(time.Second)
	w.wantFates("passed 2, waiting 29")
	w.run(10 * time.Minute)
	if n := w.fates()[store.Passed]; n < 11 || n > 13 {
		t.Errorf("%d passed after ten minutes at one a minute", n)
	}
	w.run(25 * time.Minute)
	w.wantFates("passed 31")
	w.check()
}

// "Slow down" is no failure of the mail: nothing is counted against it, and
// the rate falls.
func TestSlowDown(t *testing.T) {
	w := newWorld(t)
	w.boot()
	var asked atomic.Int64
	w.server.say = func(stage string, _ store.Outgoing, _ string) *answer {
		if stage != "mail" {
			return nil
		}
		if n := asked.Add(1); n > 20 && n < 25 {
			return refusesWith(451, store.SlowDown)
		}
		return nil
	}
	var ids []string
	for i := range 60 {
		ids = append(ids, w.accept(letter("ann@x.example", fmt.Sprintf("r%d@x.example", i), "news")))
	}
	w.run(time.Minute)
	if len(w.told(Slow)) != 1 {
		t.Errorf("%d times told", len(w.told(Slow)))
	}
	if got := w.fates()[store.Passed]; got >= 40 {
		t.Errorf("%d passed within a minute", got)
	}
	w.run(30 * time.Minute)
	w.wantFates("passed 60")
	for _, id := range ids {
		if a := w.entry(id).Progress.Attempts; a != 0 {
			t.Errorf("%s has %d attempts against it", id, a)
		}
	}
	w.check()
}

// unreadable is a store that has lost one body.
type unreadable struct {
	store.Store
	id string
}

func (u *unreadable) Body(ctx context.Context, id string) ([]byte, error) {
	if id == u.id {
		return nil, fmt.Errorf("body of %s: %w", id, store.ErrCorrupt)
	}
	return u.Store.Body(ctx, id)
}

// A damaged mail keeps no other from leaving, and is not tried all the time.
func TestUnreadableMail(t *testing.T) {
	w := newWorld(t)
	w.boot()
	u := &unreadable{Store: w.store}
	w.engine.queue = u
	u.id = w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
	w.accept(letter("ann@x.example", "bob@x.example", "dinner"))
	w.run(24 * time.Hour)
	w.wantFates("passed 1, waiting 1")
	if n := len(w.told(Failed)); n < 2 || n > 40 {
		t.Errorf("told operators %d times", n)
	}
	u.id = w.accept(alert("ops@x.example", "disk full"))
	w.accept(alert("ops@x.example", "cpu"))
	w.run(2 * time.Hour)
	w.wantFates("passed 2, told 2")
	w.check()
}

// To wait for the budget is no attempt.
func TestWaitingForBudgetIsNoAttempt(t *testing.T) {
	w := newWorld(t)
	w.cfg.PassBudget = 1
	w.boot()
	w.accept(letter("ann@x.example", "bob@x.example", "one"))
	id := w.accept(letter("ann@x.example", "bob@x.example", "two"))
	w.run(50 * time.Minute)
	if p := w.entry(id).Progress; p.Attempts != 0 || p.Next.IsZero() {
		t.Errorf("%+v", p)
	}
	w.run(time.Hour)
	w.wantFates("passed 2")
}
