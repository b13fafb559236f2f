package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lull/store"
)

// A new incident is announced at once by its own mail, byte for byte, and then
// counted in the next digest at the scheduled time.
func TestFirstNoticeThenDigest(t *testing.T) {
	w := newWorld(t)
	w.boot()
	m := alert("ops@x.example", "disk full")
	m.body = "From: a\r\n\r\nwith\nbare ends \xff\r\n"
	id := w.accept(m)
	w.step()
	got := w.server.to("ops@x.example")
	if len(got) != 1 || string(got[0].body) != "Received: from a by b\r\n"+m.body || got[0].from != m.from {
		t.Fatalf("the notice is %+v", got)
	}
	if n := got[0].targets[0].Notify; len(n) != 1 || n[0] != "NEVER" {
		t.Errorf("a notice asks for reports: %v", n)
	}
	w.wantFates("waiting 1")
	if w.entry(id).Shown == "" {
		t.Error("the copy does not count as shown")
	}
	w.accept(alert("ops@x.example", "disk full"))
	w.run(29 * time.Minute)
	if n := len(w.server.to("ops@x.example")); n != 1 {
		t.Fatalf("%d mails before the hour", n)
	}
	w.run(time.Minute)
	digests := w.server.digests("ops@x.example")
	if len(digests) != 1 || digests[0].at != 30*time.Minute {
		t.Fatalf("digests: %+v", digests)
	}
	d := digests[0]
	if !strings.HasPrefix(d.from, "lull+ID") || !strings.HasSuffix(d.from, "@relay.example.org") {
		t.Errorf("envelope sender %s", d.from)
	}
	if id := strings.TrimSuffix(strings.TrimPrefix(d.from, "lull+"), "@relay.example.org"); d.field("Message-ID") != "<"+id+"@relay.example.org>" {
		t.Errorf("Message-ID %s, sender %s", d.field("Message-ID"), d.from)
	}
	if !strings.Contains(d.field("Subject"), "(2 mails)") {
		t.Errorf("subject %q", d.field("Subject"))
	}
	w.wantFates("told 2")
	w.check()
}

// What notices have shown whole needs no digest.
func TestWholeInNotices(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.accept(alert("ops@x.example", "one"))
	w.step()
	w.until("11:30")
	if n := len(w.server.digests("ops@x.example")); n != 0 {
		t.Errorf("%d digests", n)
	}
	if n := len(w.told(Whole)); n != 1 {
		t.Errorf("%d times settled without a mail", n)
	}
	w.wantFates("told 1")
	// One that may not have arrived did not show anything for certain.
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" && !strings.HasPrefix(m.From, "lull+") {
			return &answer{outcome: store.Uncertain, lost: true}
		}
		return nil
	}
	w.accept(alert("ops@x.example", "two"))
	w.until("12:30")
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("%d digests tell what may never have been seen", n)
	}
	w.wantFates("told 2")
	w.check()
}

// A sender who asked for success hears of it also where a notice was all.
func TestWholeInNoticesIsReported(t *testing.T) {
	w := newWorld(t)
	var told []Bounce
	w.deps.Bounce = func(_ context.Context, _ time.Time, b Bounce) error {
		told = append(told, b)
		return nil
	}
	w.boot()
	for subject, notify := range map[string][]string{"one": {"SUCCESS"}, "two": {"FAILURE"}} {
		m := alert("ops@x.example", subject)
		m.notify = notify
		w.accept(m)
	}
	w.until("11:30")
	if len(told) != 1 || told[0].Action != ActionRelayed || len(told[0].Copies) != 1 || told[0].Replies[0].Code != 250 {
		t.Errorf("reports: %+v", told)
	}
	w.wantFates("told 2")
	w.check()
}

// Four notices an hour, two of them not for the first burst; the rest is told.
func TestNoticesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for i := range 4 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
	}
	w.step()
	if n := len(w.server.to("ops@x.example")); n != 2 {
		t.Errorf("%d notices at once, want 2", n)
	}
	w.run(2*time.Minute + time.Second)
	if n := len(w.server.to("ops@x.example")); n != 4 {
		t.Errorf("%d notices after two minutes, want 4", n)
	}
	for i := range 15 {
		w.accept(alert("ops@x.example", fmt.Sprint("more", i)))
	}
	w.run(3 * time.Hour)
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("%d digests, want 1", n)
	}
	if n := len(w.server.to("ops@x.example")); n != 5 {
		t.Errorf("%d mails, want 5", n)
	}
	w.wantFates("told 19")
	w.check()
}

// A storm: one storm notice instead of first notices, and a slot for what is
// critical.
func TestStormNotice(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for i := range 40 { // one in 15 seconds
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
		w.run(15 * time.Second)
	}
	got := w.server.to("ops@x.example")
	if len(got) != 3 || !got[2].storm() {
		t.Fatalf("%d mails, want two notices and a storm notice", len(got))
	}
	if s := got[2].field("Subject"); !strings.Contains(s, "storm") {
		t.Errorf("subject %q", s)
	}
	if len(w.engine.Storms()) != 1 || len(w.told(StormBegan)) != 1 {
		t.Error("the storm is not told to operators")
	}
	for i := range 2 {
		m := alert("ops@x.example", fmt.Sprint("critical", i))
		m.severity = store.Critical
		w.accept(m)
		w.step()
	}
	if n := len(w.server.to("ops@x.example")); n != 4 {
		t.Errorf("%d mails, want one critical notice more", n)
	}
	w.until("11:30")
	if n := len(w.server.to("ops@x.example")); n != 5 {
		t.Errorf("%d mails, want the digest and nothing else", n)
	}
	if len(w.engine.Storms()) != 0 || len(w.told(StormEnded)) != 1 {
		t.Error("the storm did not end")
	}
	w.wantFates("told 42")
	w.check()
}

// A restart in a storm does not announce it again.
func TestStormNoticeOnce(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for i := range 25 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
	}
	w.run(time.Minute)
	for i := range 5 {
		w.boot()
		w.accept(alert("ops@x.example", fmt.Sprint("after", i)))
		w.run(time.Minute)
	}
	n := 0
	for _, d := range w.server.to("ops@x.example") {
		if d.storm() {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d storm notices", n)
	}
	w.check()
}

// Late mail is told in a digest and never announced.
func TestLateMailIsNotAnnounced(t *testing.T) {
	w := newWorld(t)
	w.boot()
	m := alert("ops@x.example", "old")
	m.sent = w.now().Add(-61 * time.Minute)
	w.accept(m)
	w.run(20 * time.Minute)
	if n := len(w.server.to("ops@x.example")); n != 0 {
		t.Errorf("%d mails", n)
	}
	w.until("10:01")
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("%d digests", n)
	}
	w.check()
}

// A start sends nothing early: what waited is told at the next scheduled
// time, and only what came since is announced.
func TestStartSendsNothingEarly(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(string, store.Outgoing, string) *answer { return silent() }
	for i := range 3 {
		w.accept(alert("ops@x.example", fmt.Sprint("kind", i)))
	}
	w.run(3*time.Hour + 17*time.Minute) // digests of 10, 11 and 12 are missed
	w.accept(alert("ops@x.example", "a minute ago"))
	w.run(time.Minute)
	w.server.say = nil
	w.boot()
	w.run(5 * time.Minute)
	if n := len(w.server.to("ops@x.example")); n != 0 {
		t.Fatalf("%d mails right after the start", n)
	}
	w.accept(alert("ops@x.example", "new"))
	w.step()
	if n := len(w.server.to("ops@x.example")); n != 1 {
		t.Fatalf("%d mails, want the notice of what is new", n)
	}
	w.until("12:59")
	if n := len(w.server.to("ops@x.example")); n != 1 {
		t.Fatalf("%d mails before the scheduled time", n)
	}
	w.until("13:01")
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Errorf("%d digests", n)
	}
	w.wantFates("told 5")
	w.check()
}

// The mail server away for five hours of a storm: each reader gets one digest
// when it is back.
func TestOutageInStorm(t *testing.T) {
	for _, stage := range []string{"connect", "mail", "rcpt", "data", "body"} {
		t.Run(stage, func(t *testing.T) { testOutage(t, stage) })
	}
}

func testOutage(t *testing.T, stage string) {
	w := newWorld(t)
	w.boot()
	down := true
	w.server.say = func(at string, _ store.Outgoing, _ string) *answer {
		if down && at == stage {
			return silent()
		}
		return nil
	}
	var readers []string
	for i := range 30 {
		readers = append(readers, fmt.Sprintf("tool%d@x.example", i))
	}
	for minute := range 5 * 60 {
		w.accept(alert(readers[minute%30], fmt.Sprint("kind", minute%7)))
		w.accept(alert(readers[(minute*7)%30], fmt.Sprint("kind", minute)))
		w.run(time.Minute)
	}
	before := w.server.connects
	if before > 5*60 {
		t.Errorf("%d tries in five hours", before)
	}
	down = false
	w.run(50 * time.Minute)
	for _, r := range readers {
		if n := len(w.server.digests(r)); n != 1 {
			t.Errorf("%s got %d digests", r, n)
		}
		if n := len(w.server.to(r)); n != 1 {
			t.Errorf("%s got %d mails", r, n)
		}
	}
	w.wantFates("told 600")
	if len(w.told(Down)) == 0 || len(w.told(Up)) == 0 {
		t.Error("operators are not told")
	}
	w.check()
}

// A mail server that accepts while the release check fails gets nothing from
// the gate, and pass mail goes on.
func TestUnhealthy(t *testing.T) {
	w := newWorld(t)
	var unwell error
	w.deps.Healthy = func(context.Context) error { return unwell }
	w.boot()
	unwell = errUnwell
	for minute := range 5 * 60 {
		w.accept(alert(fmt.Sprintf("tool%d@x.example", minute%10), fmt.Sprint("kind", minute)))
		w.run(time.Minute)
	}
	w.accept(letter("ann@x.example", "bob@x.example", "lunch"))
	w.step()
	if n := len(w.server.to("bob@x.example")); n != 1 {
		t.Errorf("pass mail waits: %d", n)
	}
	if len(w.server.got) != 1 {
		t.Fatalf("%d mails while the release check fails", len(w.server.got))
	}
	unwell = nil
	w.run(50 * time.Minute)
	for i := range 10 {
		if n := len(w.server.digests(fmt.Sprintf("tool%d@x.example", i))); n != 1 {
			t.Errorf("tool%d got %d digests", i, n)
		}
	}
	if len(w.told(Unhealthy)) != 1 || len(w.told(Healthy)) != 1 {
		t.Error("operators are not told once each")
	}
	w.check()
}

// A digest of unknown outcome is sent again as it is, at most for a day; then
// it counts as told and the next digest says so.
func TestUnknownOutcome(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" && strings.HasPrefix(m.From, "lull+") {
			return &answer{outcome: store.Uncertain, reply: store.Reply{Verdict: store.Retry}}
		}
		return nil
	}
	for range 5 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	w.until("10:01")
	w.wantFates("in_flight 5")
	w.accept(alert("ops@x.example", "disk full")) // waits for the next digest
	w.until("11:01")
	tries := w.server.digests("ops@x.example")
	if len(tries) < 3 {
		t.Fatalf("%d tries in an hour", len(tries))
	}
	for _, d := range tries {
		if string(d.body) != string(tries[0].body) || d.from != tries[0].from {
			t.Fatal("it was not sent as it was")
		}
	}
	w.check()
	w.run(23 * time.Hour)
	w.wantFates("in_flight 1, told 5")
	if n := len(w.told(Assumed)); n != 1 {
		t.Errorf("%d assumed", n)
	}
	w.server.say = nil
	w.run(2 * time.Hour)
	all := w.server.digests("ops@x.example")
	last := all[len(all)-1]
	if !strings.Contains(string(last.body), "counts as told") {
		t.Errorf("the next digest does not say so:\n%s", last.body)
	}
	w.wantFates("told 6")
	w.check()
}

// A crash between the dot and its reply: the digest is sent once more, with
// the same bytes, at the next scheduled time.
func TestCrashAfterDot(t *testing.T) {
	w := newWorld(t)
	w.boot()
	for range 5 {
		w.accept(alert("ops@x.example", "disk full"))
	}
	w.step()
	w.store, w.bears = &failing{Store: w.store, mark: true}, errDisk
	w.boot()
	w.until("10:01") // the outcome is never recorded
	w.store = w.store.(*failing).Store
	w.boot()
	w.wantFates("in_flight 5")
	if n := len(w.told(Recovered)); n != 1 {
		t.Errorf("%d recovered", n)
	}
	w.until("10:59")
	if n := len(w.server.digests("ops@x.example")); n != 1 {
		t.Fatalf("%d digests before the scheduled time", n)
	}
	w.until("11:30")
	got := w.server.digests("ops@x.example")
	if len(got) != 2 || string(got[0].body) != string(got[1].body) {
		t.Fatalf("%d digests, want the same twice", len(got))
	}
	w.wantFates("told 5")
	w.check()
}

// failing is a store that fails some commands.
type failing struct {
	store.Store
	mark bool
	err  error // errDisk if nil
}

var errDisk = errors.New("disk trouble")

func (f *failing) Mark(ctx context.Context, m store.Mark) error {
	switch {
	case !f.mark:
		return f.Store.Mark(ctx, m)
	case f.err != nil:
		return f.err
	}
	return errDisk
}

// While a digest of unknown outcome holds up the next one, what is new is
// still announced.
func TestNoticesBehindPinned(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" && isDigest(m) {
			return &answer{outcome: store.Uncertain}
		}
		return nil
	}
	w.accept(alert("ops@x.example", "disk full"))
	w.accept(alert("ops@x.example", "disk full"))
	w.until("12:10")
	before := len(w.server.to("ops@x.example"))
	m := alert("ops@x.example", "core router")
	m.severity = store.Critical
	w.accept(m)
	w.run(time.Minute)
	got := w.server.to("ops@x.example")
	if len(got) != before+1 || got[before].digest() {
		t.Errorf("%d mails since", len(got)-before)
	}
	w.check()
}

// That an earlier digest counted as told without a reply is said even when
// notices have shown all that is new.
func TestAssumedIsToldBeforeWhole(t *testing.T) {
	w := newWorld(t)
	w.boot()
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" && isDigest(m) {
			return &answer{outcome: store.Uncertain, lost: true}
		}
		return nil
	}
	w.accept(alert("ops@x.example", "disk full"))
	w.accept(alert("ops@x.example", "disk full"))
	w.run(24*time.Hour + 40*time.Minute)
	w.server.say = nil
	if n := len(w.told(Assumed)); n != 1 {
		t.Fatalf("%d assumed", n)
	}
	w.accept(alert("ops@x.example", "core router"))
	w.run(2 * time.Hour)
	got := w.server.digests("ops@x.example")
	if len(got) != 1 || !strings.Contains(string(got[0].body), "counts as told") {
		t.Errorf("%d digests say so", len(got))
	}
	w.check()
}

// What a former run sent with an unknown outcome is old mail, also when it
// waits again.
func TestOldMailIsNotAnnouncedWhenItComesBack(t *testing.T) {
	w := newWorld(t)
	w.cfg.Notices = 0
	w.boot()
	how := &answer{outcome: store.Uncertain, lost: true}
	w.server.say = func(stage string, m store.Outgoing, _ string) *answer {
		if stage == "dot" {
			return how
		}
		return nil
	}
	w.until("10:01")
	w.accept(alert("ops@x.example", "disk full"))
	if _, err := w.engine.SendNow(context.Background(), w.now(), "ops@x.example"); err == nil {
		t.Fatal("the outcome is known")
	}
	w.cfg.Notices = 4
	w.boot()
	how = &answer{outcome: store.Rejected, reply: store.Reply{Code: 554, Verdict: store.MailFailed}}
	w.until("11:10")
	for _, d := range w.server.got {
		if !d.digest() {
			t.Errorf("old mail was announced at %v", d.at)
		}
	}
	w.check()
}
