package digest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"lull/store"
	"lull/store/memory"
)

// world is an engine with all around it: a store that outlives it, a clock
// that can be set, and a mail server that does as it is told.
type world struct {
	t      tester
	store  store.Store
	server *server
	engine *Engine
	cfg    Config
	deps   Deps

	wallNow func() time.Time // if set, time passes by itself
	steady  time.Duration    // real time since the test began
	wall    time.Duration    // what the wall clock shows beyond that
	booted  time.Duration    // when the engine started, in real time
	base    time.Duration    // gate time then
	ids     int
	next    time.Duration // when Step wanted to be called again
	mu      sync.Mutex
	events  []Event
	bears   error // that Step may return
	most    int   // the greatest budget that was ever configured
}

func epoch() time.Time { return time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC) }

// tester is what testing.T and rapid.T have in common.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newWorld(t tester) *world {
	cfg := Defaults(time.Hour)
	cfg.Host = "relay.example.org"
	w := &world{t: t, cfg: cfg, store: memory.New(store.DefaultLimits(time.Hour)), most: cfg.Budget}
	w.server = &server{w: w}
	w.deps = Deps{NewID: w.newID, Gate: w.gate, Event: w.note}
	return w
}

func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("ID%06d", w.ids)
}

func (w *world) note(ev Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, ev)
}

func (w *world) now() time.Time {
	if w.wallNow != nil {
		return w.wallNow()
	}
	return epoch().Add(w.steady + w.wall)
}

// real is the real time since the test began.
func (w *world) real() time.Duration {
	if w.wallNow != nil {
		return w.wallNow().Sub(epoch())
	}
	return w.steady
}

func (w *world) gate() time.Duration { return w.base + w.steady - w.booted }

// boot starts an engine on the store, as after a crash: all that is not in the
// store's records is lost.
func (w *world) boot() {
	w.t.Helper()
	if m, ok := w.store.(*memory.Store); ok {
		again, err := m.Reopen()
		w.must(err)
		w.store = again
	}
	s, err := w.store.Status(context.Background(), w.now())
	w.must(err)
	w.base, w.booted = s.Gate, w.steady
	w.engine, err = New(w.cfg, w.store, w.server, w.deps)
	w.must(err)
	w.must(w.engine.Start(context.Background(), w.now()))
	w.next = w.steady
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// step does one Step at the present time.
func (w *world) step() {
	w.t.Helper()
	next, err := w.engine.Step(context.Background(), w.now())
	if w.bears == nil || !errors.Is(err, w.bears) {
		w.must(err)
	}
	if !next.After(w.now()) {
		w.t.Fatalf("Step at %s wants to be called at %s", w.now(), next)
	}
	w.next = w.steady + next.Sub(w.now())
}

// run lets time pass, with a Step whenever one is due.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	end := w.steady + d
	for steps := 0; ; steps++ {
		if steps > 200_000 {
			w.t.Fatalf("too many steps until %s", w.now())
		}
		w.step()
		if m, ok := w.store.(*mortal); w.next > end || ok && m.dead {
			break
		}
		w.steady = w.next
	}
	w.steady = end
}

// until lets time pass until the wall clock shows that time of day.
func (w *world) until(clock string) {
	w.t.Helper()
	at, err := time.Parse("15:04", clock)
	w.must(err)
	now := w.now()
	to := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	if !to.After(now) {
		to = to.AddDate(0, 0, 1)
	}
	w.run(to.Sub(now))
}

// mail is a message to be accepted.
type mail struct {
	from, to  string
	kind      string // signature
	object    string
	state     store.State
	severity  store.Severity
	class     store.Class
	answers   bool
	sent      time.Time
	notify    []string
	body      string
	client    string
	more      []string // further recipients
	recovers  bool
	messageID string
	eightBit  bool
}

func alert(to, kind string) mail {
	return mail{from: "cron@tools.example", to: to, kind: kind, state: store.Problem, class: store.Alert}
}

func letter(from, to, kind string) mail {
	return mail{from: from, to: to, kind: kind, state: store.Notice, class: store.Pass}
}

// accept takes a mail in and returns its id.
func (w *world) accept(m mail) string {
	w.t.Helper()
	id := "M" + w.newID()
	body := m.body
	if body == "" {
		body = "Subject: " + m.kind + "\r\n\r\nbody of " + id + "\r\n"
	}
	msg := store.Message{
		ID: id, Accepted: w.now(), Trace: "Received: from a by b\r\n", Size: int64(len(body)),
		Envelope: store.Envelope{From: m.from, Client: m.client, EightBit: m.eightBit},
		Reading: store.Reading{
			Signature: store.Signature{ID: "s1-" + m.kind, Title: m.kind, Format: "generic", Recovers: m.recovers},
			Reports:   []store.Report{{Object: m.object, State: m.state, Severity: m.severity}},
			Subject:   m.kind, Sent: m.sent, Answers: m.answers, MessageID: m.messageID,
		},
	}
	for i, to := range append([]string{m.to}, m.more...) {
		msg.Copies = append(msg.Copies, store.Copy{Index: i + 1, To: to, Reader: strings.ToLower(to), Class: m.class, Notify: m.notify})
	}
	w.must(w.store.Accept(context.Background(), msg, []byte(body)))
	return id
}

// fates counts the copies by fate.
func (w *world) fates() map[store.Fate]int {
	w.t.Helper()
	s, err := w.store.Status(context.Background(), w.now())
	w.must(err)
	all := map[store.Fate]int{}
	for f, n := range s.Fates {
		if n > 0 {
			all[f] = int(n)
		}
	}
	return all
}

// wantFates compares them: "told 3, waiting 1".
func (w *world) wantFates(want string) {
	w.t.Helper()
	var got []string
	for f, n := range w.fates() {
		got = append(got, fmt.Sprintf("%s %d", f, n))
	}
	slices.Sort(got)
	if s := strings.Join(got, ", "); s != want {
		w.t.Errorf("at %s: fates %q, want %q", w.now().Format(time.TimeOnly), s, want)
	}
}

// told are the events of one kind.
func (w *world) told(what What) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.events), func(e Event) bool { return e.What != what })
}

// entry is the first copy of a message.
func (w *world) entry(id string) store.Entry {
	w.t.Helper()
	for e, err := range w.store.Copies(context.Background(), store.Query{IDs: []string{id}}) {
		w.must(err)
		return e
	}
	w.t.Fatalf("no message %s", id)
	return store.Entry{}
}

// check holds the world to promises 2 and 3.
func (w *world) check() {
	w.t.Helper()
	audit, err := w.store.Audit(context.Background())
	w.must(err)
	if len(audit.Differences) > 0 {
		w.t.Fatalf("differences: %v", audit.Differences)
	}
	w.server.checkBound(w.cfg.Window, w.most)
	w.checkSlots()
}

// checkSlots finds the moment at which most slots of a reader or an address
// count, by the books.
func (w *world) checkSlots() {
	w.t.Helper()
	of := map[string][]store.Slot{}
	for s, err := range w.store.Slots(context.Background()) {
		w.must(err)
		if s.Kind == store.KindDigest || s.Kind == store.KindNotice {
			of["reader "+s.Reader] = append(of["reader "+s.Reader], s)
			of["address "+s.To] = append(of["address "+s.To], s)
		}
	}
	for whose, slots := range of {
		for _, at := range slots {
			n := 0
			for _, s := range slots {
				if s.Began <= at.Began && s.Counts(at.Began, w.cfg.Window) {
					n++
				}
			}
			if n > w.most {
				w.t.Fatalf("%s has %d slots at %v; the budget is %d", whose, n, at.Began, w.most)
			}
		}
	}
}

// letterbox is one mail that the mail server has, or may have.
type delivery struct {
	at      time.Duration // real time at the final dot
	from    string
	to      []string
	body    []byte
	outcome store.Outcome
	size    int64
	targets []store.Target
}

// gate reports whether the mail is bound by the gate's budget: whether a
// digest, a storm notice or a first notice.
func (d delivery) digest() bool { return strings.HasPrefix(d.from, "lull+") }

func (d delivery) storm() bool {
	return d.digest() && bytes.Contains(d.body, []byte("Storm notice"))
}

func (d delivery) field(name string) string {
	head, _, _ := strings.Cut(string(d.body), "\r\n\r\n")
	head = strings.ReplaceAll(head, "\r\n ", " ")
	for line := range strings.SplitSeq(head, "\r\n") {
		if rest, ok := strings.CutPrefix(line, name+": "); ok {
			return rest
		}
	}
	return ""
}

// server is the mail server: what it says is a function of the stage.
type server struct {
	w *world
	// say, if set, decides about a mail at a stage: nil lets it go on. At the
	// stage "dot" an uncertain outcome may or may not have arrived.
	say func(stage string, m store.Outgoing, to string) *answer
	// shut, if set, tells whether nothing may come from the gate.
	shut func() bool

	mu       sync.Mutex
	got      []delivery // delivered, rejected, unknown: whatever may have been seen
	connects int
	under    int
	widest   int
}

// answer is what the mail server says.
type answer struct {
	outcome store.Outcome // at the dot: rejected, unknown; refused elsewhere
	reply   store.Reply
	lost    bool // unknown, and the mail did not arrive
}

func refusesWith(code int, v store.Verdict) *answer {
	return &answer{outcome: store.Refused, reply: store.Reply{Code: code, Text: "no", Verdict: v, SlowDown: v == store.SlowDown}}
}

func silent() *answer {
	return &answer{outcome: store.Refused, reply: store.Reply{Text: "no answer", Verdict: store.Retry}}
}

func (s *server) ask(stage string, m store.Outgoing, to string) *answer {
	if s.say == nil {
		return nil
	}
	a := s.say(stage, m, to)
	if a != nil {
		a.reply.Stage, a.reply.At = stage, s.w.now()
	}
	return a
}

func ended(m store.Outgoing, a *answer) store.Sent {
	sent := store.Sent{Outcome: a.outcome, Reply: a.reply}
	for range m.To {
		sent.Targets = append(sent.Targets, a.reply)
	}
	return sent
}

// Send plays the dialogue. Calls are serialised but for what ready does.
func (s *server) Send(ctx context.Context, m store.Outgoing, ready func(context.Context, []int) (io.Reader, error)) store.Sent {
	s.enter()
	defer s.leave()
	for _, stage := range []string{"connect", "mail"} {
		if a := s.ask(stage, m, ""); a != nil {
			return ended(m, a)
		}
	}
	sent := store.Sent{Outcome: store.Refused, DSN: true, Targets: make([]store.Reply, len(m.To))}
	var accepted []int
	for i, t := range m.To {
		if a := s.ask("rcpt", m, t.Address); a != nil {
			sent.Targets[i], sent.Reply = a.reply, a.reply
			continue
		}
		accepted = append(accepted, i)
	}
	if len(accepted) == 0 {
		return sent
	}
	body, err := ready(ctx, accepted)
	if err != nil {
		return ended(m, &answer{outcome: store.Refused, reply: store.Reply{Stage: "data", Text: err.Error(), Verdict: store.Retry}})
	}
	raw, err := io.ReadAll(body)
	s.w.must(err)
	final := &answer{outcome: store.Delivered, reply: store.Reply{Code: 250, Stage: "dot", At: s.w.now()}}
	for _, stage := range []string{"data", "body", "dot"} {
		if a := s.ask(stage, m, ""); a != nil {
			final = a
			break
		}
	}
	s.keep(m, accepted, raw, final)
	sent.Outcome, sent.Reply = final.outcome, final.reply
	for _, i := range accepted {
		sent.Targets[i] = final.reply
	}
	return sent
}

func (s *server) keep(m store.Outgoing, accepted []int, raw []byte, a *answer) {
	if a.outcome == store.Refused {
		return
	}
	d := delivery{at: s.w.real(), from: m.From, body: raw, outcome: a.outcome, size: m.Size, targets: m.To}
	if a.lost {
		d.outcome = "lost"
	}
	for _, i := range accepted {
		d.to = append(d.to, m.To[i].Address)
	}
	if s.shut != nil && s.shut() && d.gated() {
		s.w.t.Errorf("a mail from %s to %v left the gate while it was shut", d.from, d.to)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, d)
}

func (s *server) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connects++
	s.under++
	s.widest = max(s.widest, s.under)
}

func (s *server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under--
}

// to are the mails that arrived, or may have, for an address.
func (s *server) to(address string) []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []delivery
	for _, d := range s.got {
		if slices.Contains(d.to, address) && (d.outcome == store.Delivered || d.outcome == store.Uncertain) {
			all = append(all, d)
		}
	}
	return all
}

// digests are those of them that are digests.
func (s *server) digests(address string) []delivery {
	return slices.DeleteFunc(s.to(address), func(d delivery) bool { return !d.digest() || d.storm() })
}

// gated are those that the bound is about: all but letters between people.
func (d delivery) gated() bool { return d.digest() || strings.HasPrefix(d.from, "cron@") }

// checkBound finds the window with the most mails from the gate, by what the
// mail server saw in real time, whatever the books say.
func (s *server) checkBound(window time.Duration, budget int) {
	s.w.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	times := map[string][]time.Duration{}
	for _, d := range s.got {
		if !d.gated() {
			continue
		}
		for _, to := range d.to {
			key := strings.ToLower(to)
			times[key] = append(times[key], d.at)
		}
	}
	for to, list := range times {
		for i := range list {
			n := 0
			for _, at := range list[i:] {
				if at < list[i]+window {
					n++
				}
			}
			if n > budget {
				s.w.t.Fatalf("%s was sent %d mails in the window from %v; the budget is %d", to, n, list[i], budget)
			}
		}
	}
}

var errUnwell = errors.New("the canary did not come back")
