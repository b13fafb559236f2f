package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lull/store"
)

// passLimit bounds the pass copies looked at in one Step, and partyLimit the
// recipients of one transaction (RFC 5321 section 4.5.3.1.8).
const (
	passLimit  = 1000
	partyLimit = 100
)

// party is the copies of one message that travel in one transaction.
type party struct {
	kind    store.Kind
	message *store.Message
	copies  []store.Entry
}

// passJobs are the pass mails that are due and may leave now, the oldest
// first. Those that repeat themselves join the digest; those above a budget
// wait for their time.
func (t *turn) passJobs(ctx context.Context) ([]job, error) {
	due, next, err := t.queue.Due(ctx, t.start, passLimit)
	if err != nil {
		return nil, err
	}
	t.wake(next)
	s := &sorting{turn: t, rooms: map[string]*room{}}
	for _, e := range due {
		if t.isBusy(passing(e.Message)) {
			continue
		}
		if err := s.sort(ctx, e); err != nil {
			return nil, err
		}
	}
	if len(due) == passLimit {
		t.wake(t.start)
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	var jobs []job
	for _, p := range s.parties {
		jobs = append(jobs, t.passAlone(p))
	}
	return jobs, nil
}

// passAlone is the passing of a message as a job, when it is not being passed on.
func (t *turn) passAlone(p *party) job {
	return func(ctx context.Context) error {
		release, ok := t.claim(passing(p.message))
		if !ok {
			t.wake(t.start) // more of its recipients than one transaction takes
			return nil
		}
		defer release()
		return t.pass(ctx, p)
	}
}

// passing is what a message is claimed by; no reader has such a name.
func passing(m *store.Message) string { return "message " + m.ID }

// sorting shares out what is due.
type sorting struct {
	*turn
	rooms   map[string]*room // by reader and address
	parties []*party
	joins   []uint64
	waits   []store.Result
	late    []*party // given up
}

// room is what the pass budget leaves for a reader in this Step.
type room struct {
	left int // of PassBudget
	tags map[string]int
}

// sort decides about one copy.
func (s *sorting) sort(ctx context.Context, e store.Entry) error {
	if s.hopeless(e) {
		s.late = invited(s.late, e)
		return nil
	}
	r, err := s.room(ctx, e)
	if err != nil {
		return err
	}
	tag := tagOf(e.Message)
	switch {
	case own(e.Message):
	case s.repeats(r, tag):
		s.joins = append(s.joins, e.Copy.Number)
		return nil
	default:
		if at, ok := s.leave(r, e); !ok {
			s.waits = append(s.waits, store.Result{Number: e.Copy.Number, Fate: store.Waiting, Reply: e.Progress.Reply, Next: at})
			return nil
		}
	}
	if tag != "" {
		r.tags[tag]++
	}
	s.parties = invited(s.parties, e)
	return nil
}

// hopeless reports whether a copy is too old to wait any longer for a mail
// server that is not there: it was tried before, or the server has been away
// for the longest wait.
func (s *sorting) hopeless(e store.Entry) bool {
	if s.start.Sub(e.Message.Accepted) < s.PassFor {
		return false
	}
	away := s.away(s.gate)
	return away > 0 && e.Progress.Attempts > 0 || away >= s.Retry.Max
}

// room reads what the budgets leave for a copy's reader, once a Step.
func (s *sorting) room(ctx context.Context, e store.Entry) (*room, error) {
	key := e.Copy.Reader + "\x00" + strings.ToLower(e.Copy.To)
	if r := s.rooms[key]; r != nil {
		return r, nil
	}
	used, err := s.queue.Usage(ctx, e.Copy.Reader, e.Copy.To, s.gate, s.Window)
	if err != nil {
		return nil, err
	}
	r := &room{left: s.PassBudget - used.Pass, tags: map[string]int{}}
	for tag, n := range used.Tags {
		r.tags[tag] = n
	}
	s.rooms[key] = r
	return r, nil
}

// leave takes room for a copy, or says when there will be some: the copies
// above the budget leave one after the other, at its rate.
func (s *sorting) leave(r *room, e store.Entry) (at time.Time, ok bool) {
	if at, ok := s.onTime(e); !ok {
		return at, false
	}
	if s.PassBudget == 0 {
		return time.Time{}, true
	}
	if r.left > 0 && !s.queued(e) {
		r.left--
		return time.Time{}, true
	}
	return s.queueUp(e), false
}

// tagOf names the sender and the signature, "" for mail that answers another
// one and so is no repetition.
func tagOf(m *store.Message) string {
	if m.Reading.Answers {
		return ""
	}
	return strings.ToLower(m.Envelope.From) + " " + m.Reading.Signature.ID
}

// repeats reports whether the reader has had enough of a sender's mails of one
// signature in this window.
func (s *sorting) repeats(r *room, tag string) bool {
	return s.Repeat > 0 && tag != "" && r.tags[tag] >= s.Repeat
}

// invited puts a copy into the transaction of its message.
func invited(parties []*party, e store.Entry) []*party {
	if n := len(parties); n > 0 {
		last := parties[n-1]
		// The copies of a message are due one after the other.
		if last.message.ID == e.Message.ID && len(last.copies) < partyLimit {
			last.copies = append(last.copies, e)
			return parties
		}
	}
	p := &party{kind: store.KindPass, message: e.Message, copies: []store.Entry{e}}
	if own(e.Message) {
		p.kind = store.KindDSN
	}
	return append(parties, p)
}

// settle records what does not leave.
func (s *sorting) settle(ctx context.Context) error {
	if len(s.joins) > 0 {
		reason := fmt.Sprintf("more than %d of one sender and kind within %v", s.Repeat, s.Window)
		if err := s.join(ctx, s.joins, reason); err != nil {
			return err
		}
	}
	for _, p := range s.late {
		s.passage(p).expire(ctx)
	}
	if len(s.waits) == 0 {
		return s.broken()
	}
	s.mark(ctx, store.Mark{Term: s.term, At: s.start, Gate: s.gate, Outcome: store.Refused, Results: s.waits})
	return s.broken()
}

// join takes copies into the digest of their reader.
func (t *turn) join(ctx context.Context, numbers []uint64, reason string) error {
	now, _ := t.now()
	err := t.queue.Join(ctx, store.Join{Term: t.term, At: now, Numbers: numbers, Reason: reason})
	if errors.Is(err, store.ErrGone) {
		return nil // an operator was faster; the others join in the next Step
	}
	if err == nil {
		t.tell(Event{What: Joined, At: now, Kind: store.KindPass, Copies: len(numbers)})
		t.wake(now)
	}
	return err
}
