package digest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lull/store"
)

// TestPromises draws arrivals, outages at any stage of the dialogue, crashes,
// clock steps, configurations and operations, in any order: after each of them
// nothing has vanished and no reader was sent more than the bound; a start
// sends nothing early; and when all is well again everything is told.
//
// The gate draws 25 days; -rapid.checks draws more.
func TestPromises(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("25"); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := &play{world: newWorld(t), T: t}
		p.server.shut = func() bool { return p.unwell }
		p.deps.Healthy = func(context.Context) error {
			if p.unwell {
				return errUnwell
			}
			return nil
		}
		p.boot()
		t.Repeat(map[string]func(*rapid.T){
			"":          func(*rapid.T) { p.check() },
			"mail":      p.mails,
			"burst":     p.burst,
			"letter":    p.letters,
			"wait":      p.wait,
			"mood":      p.mood,
			"crash":     p.crash,
			"clock":     p.clock,
			"configure": p.configure,
			"operate":   p.operate,
			"undo":      p.undo,
			"send":      p.send,
			"health":    p.health,
			"flaky":     p.flaky,
			"come back": p.comeBack,
		})
		p.recover()
	})
}

type play struct {
	*world
	*rapid.T
	unwell     bool
	operations []string
}

var (
	readers = []string{"ops@x.example", "dev@x.example", "boss@x.example", "gone@x.example"}
	kinds   = []string{"disk", "cpu", "net", "job", "cron"}
)

func draw[V any](t *rapid.T, from []V, label string) V { return rapid.SampledFrom(from).Draw(t, label) }

func (p *play) mails(t *rapid.T) {
	m := alert(draw(t, readers, "to"), draw(t, kinds, "kind"))
	m.object = draw(t, []string{"", "a", "b"}, "object")
	m.state = draw(t, []store.State{store.Problem, store.Recovery, store.Notice}, "state")
	m.severity = draw(t, []store.Severity{"", store.Critical, store.Warning}, "severity")
	m.recovers = rapid.Bool().Draw(t, "recovers")
	if rapid.IntRange(0, 4).Draw(t, "old") == 0 {
		m.sent = p.now().Add(-time.Duration(rapid.IntRange(1, 300).Draw(t, "minutes")) * time.Minute)
	}
	p.accept(m)
}

func (p *play) burst(t *rapid.T) {
	to := draw(t, readers, "to")
	for i := range rapid.IntRange(5, 40).Draw(t, "n") {
		p.accept(alert(to, fmt.Sprint("burst", i)))
	}
}

func (p *play) letters(t *rapid.T) {
	m := letter("ann@x.example", draw(t, readers, "to"), draw(t, kinds, "kind"))
	m.more = []string{"bob@x.example"}
	m.answers = rapid.Bool().Draw(t, "answers")
	for range rapid.IntRange(1, 8).Draw(t, "n") {
		p.accept(m)
	}
}

func (p *play) wait(t *rapid.T) {
	p.run(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute)
}

// mood makes the mail server behave in one way at one stage, to some.
func (p *play) mood(t *rapid.T) {
	stage := draw(t, []string{"connect", "mail", "rcpt", "data", "body", "dot"}, "stage")
	how := rapid.IntRange(0, 5).Draw(t, "how")
	whom := draw(t, append([]string{""}, readers...), "whom")
	each := rapid.IntRange(1, 3).Draw(t, "each")
	n := 0
	p.server.say = func(at string, m store.Outgoing, to string) *answer {
		if at != stage || whom != "" && whom != to && (to != "" || m.To[0].Address != whom) {
			return nil
		}
		p.world.mu.Lock()
		n++
		now := n%each == 0
		p.world.mu.Unlock()
		if !now {
			return nil
		}
		return temper(stage, how)
	}
}

func temper(stage string, how int) *answer {
	failed := store.MailFailed
	if stage == "rcpt" {
		failed = store.RecipientFailed
	}
	a := []*answer{silent(), refusesWith(451, store.RetryLater), refusesWith(554, failed), refusesWith(450, store.SlowDown), silent(), silent()}[how]
	if stage == "dot" {
		a.outcome = store.Rejected
		if a.reply.Code == 0 {
			a.outcome, a.lost = store.Uncertain, how == 4
		}
	}
	return a
}

func (p *play) comeBack(*rapid.T) { p.server.say, p.unwell = nil, false }

// crash starts a new engine, perhaps after the old one died in the middle of
// something; it must send nothing early.
func (p *play) crash(t *rapid.T) {
	inner := p.store
	m := &mortal{Store: inner, left: rapid.IntRange(1, 30).Draw(t, "left"), after: rapid.Bool().Draw(t, "after")}
	p.store, p.engine.queue, p.bears = m, m, store.ErrStopped
	for range 10 {
		if !m.dead {
			p.run(7 * time.Minute)
		}
	}
	p.store, p.bears = inner, nil
	before := len(p.server.got)
	p.boot()
	due := p.now().Truncate(time.Hour).Add(time.Hour)
	p.run(min(due.Sub(p.now()), time.Hour) - time.Second)
	for _, d := range p.server.got[before:] {
		if d.gated() {
			t.Fatalf("after a start something was sent early: from %s to %v", d.from, d.to)
		}
	}
}

func (p *play) clock(t *rapid.T) {
	p.wall += time.Duration(rapid.IntRange(-180, 180).Draw(t, "minutes")) * time.Minute
}

// configure keeps to schedules on the hour, for what crash checks.
func (p *play) configure(t *rapid.T) {
	p.cfg.Budget = rapid.IntRange(2, 8).Draw(t, "budget")
	p.cfg.Notices = rapid.IntRange(0, p.cfg.Budget-2).Draw(t, "notices")
	p.cfg.PassBudget = rapid.IntRange(0, 20).Draw(t, "pass")
	p.cfg.Schedule = draw(t, []string{"0 * * * *", "0 */2 * * *", "@hourly"}, "schedule")
	p.most = max(p.most, p.cfg.Budget)
	p.must(p.engine.Reload(p.cfg))
}

func (p *play) operate(t *rapid.T) {
	p.ids++
	o := store.Operate{
		ID: fmt.Sprint("op", p.ids), Term: p.engine.term, At: p.now(), By: "op", Reason: "test",
		Kind:   draw(t, []store.OpKind{store.OpHold, store.OpRelease, store.OpPurge}, "kind"),
		Filter: "--reader " + draw(t, readers, "reader"),
	}
	if rapid.IntRange(0, 3).Draw(t, "rule") == 0 && o.Kind != store.OpRelease {
		o.Rule = &store.Rule{ID: "r" + o.ID, Kind: store.RuleKind(o.Kind), Filter: o.Filter, Created: o.At, Expires: o.At.Add(time.Hour)}
	}
	_, err := p.store.Operate(context.Background(), o)
	if err == nil {
		p.operations = append(p.operations, o.ID)
	} else if !errors.Is(err, store.ErrNothing) {
		t.Fatal(err)
	}
}

func (p *play) undo(t *rapid.T) {
	if len(p.operations) == 0 {
		return
	}
	_, err := p.store.Undo(context.Background(), store.Undo{Operation: draw(t, p.operations, "operation"), Term: p.engine.term, At: p.now(), By: "op"})
	p.must(err)
}

func (p *play) send(t *rapid.T) {
	_, _ = p.engine.SendNow(context.Background(), p.now(), draw(t, readers, "reader"))
}

func (p *play) health(*rapid.T) { p.unwell = !p.unwell }

// flaky makes some commands of the store fail for a while.
func (p *play) flaky(t *rapid.T) {
	p.engine.queue = newFlaky(p.store, rapid.IntRange(2, 5).Draw(t, "each"))
	p.bears = store.ErrFull
	p.run(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
	p.engine.queue, p.bears = p.store, nil
}

// recover makes all well, and sees that everything ends.
func (p *play) recover() {
	p.comeBack(nil)
	_, err := p.store.Operate(context.Background(), store.Operate{
		ID: "last", Term: p.engine.term, At: p.now(), By: "op", Kind: store.OpRelease, Filter: "--fate held",
	})
	if err != nil && !errors.Is(err, store.ErrNothing) {
		p.Fatal(err)
	}
	p.run(4 * time.Hour)
	if len(p.live()) > 0 { // a digest of unknown outcome, or pass mail above the budget
		p.run(30 * time.Hour)
	}
	p.check()
	for _, e := range p.live() {
		p.Fatalf("%s for %s is still %s at %s: %+v", e.ID(), e.Copy.Reader, e.Fate, p.now(), e.Progress)
	}
	p.addsUp()
}

var mails = regexp.MustCompile(`\(([\d,]+) mails?\)`)

// addsUp compares what each digest says with what the books say of it, and all
// of them with the copies that are told.
func (p *play) addsUp() {
	said := map[string]int{}
	for _, d := range p.server.got {
		if id, ok := strings.CutPrefix(d.from, "lull+"); ok && !d.storm() {
			n := mails.FindStringSubmatch(d.field("Subject"))
			if n == nil {
				p.Fatalf("no count in %q", d.field("Subject"))
			}
			id, _, _ = strings.Cut(id, "@")
			said[id], _ = strconv.Atoi(strings.ReplaceAll(n[1], ",", ""))
		}
	}
	told := 0
	for b, err := range p.store.Batches(context.Background(), "") {
		p.must(err)
		if b.Kind != store.KindDigest || b.Outcome != store.Delivered && !b.Assumed {
			continue
		}
		told += b.Copies
		if n, ok := said[b.ID]; !b.Whole && (!ok || n != b.Copies) {
			p.Fatalf("digest %s says %d mails (%v), the books %d", b.ID, n, ok, b.Copies)
		}
	}
	if n := p.fates()[store.Told]; n != told {
		p.Fatalf("%d copies are told, %d by digests", n, told)
	}
}
