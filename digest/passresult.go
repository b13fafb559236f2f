package digest

import (
	"context"
	"hash/fnv"
	"time"

	"lull/store"
)

// result is what an attempt means for one copy.
func (a *passage) result(i int, sent store.Sent) store.Result {
	e, reply := a.copies[i], a.reply(i, sent)
	now, _ := a.now()
	r := store.Result{Number: e.Copy.Number, Fate: store.Waiting, Reply: reply}
	switch {
	case a.aboard[i] && sent.Outcome == store.Delivered && !refuses(reply):
		r.Fate = store.Passed
	case sent.Outcome != store.Uncertain && reply.Permanent(), !a.aboard[i] && reply.Permanent():
		r.Fate = store.Bounced
	case now.Sub(e.Message.Accepted) >= a.PassFor:
		r.Fate = store.Expired
	default:
		r.Next = now.Add(a.wait(e))
	}
	return r
}

// reply is what the mail server said to one recipient.
func (a *passage) reply(i int, sent store.Sent) store.Reply {
	if i < len(sent.Targets) {
		return sent.Targets[i]
	}
	return sent.Reply
}

// refuses reports whether a reply is none that takes a recipient.
func refuses(r store.Reply) bool { return r.Verdict != "" || r.Code >= 400 }

// wait is how long a copy waits after another fault, up to a tenth more or
// less so that not all come back at once. It is the same for the same copy and
// attempt.
func (a *passage) wait(e store.Entry) time.Duration {
	wait := a.Retry.After(e.Progress.Attempts + 1)
	h := fnv.New32a()
	h.Write([]byte(e.ID())) // never fails
	h.Write([]byte{byte(e.Progress.Attempts)})
	return wait + time.Duration((float64(h.Sum32())/(1<<32)-.5)/5*float64(wait))
}

// report tells the sender what must be told before it is recorded: only then
// is nobody forgotten. What cannot be told keeps waiting.
func (a *passage) report(ctx context.Context, sent store.Sent, results []store.Result) {
	told := map[Action]*Bounce{}
	at := map[Action][]int{}
	for i, r := range results {
		e := a.copies[i]
		action := a.actionFor(e, r, sent)
		if action == "" || a.deps.Bounce == nil || own(a.message) || !wanted(a.message, e.Copy, action) {
			continue
		}
		b := told[action]
		if b == nil {
			b = &Bounce{Action: action, Message: a.message}
			told[action] = b
		}
		b.Copies, b.Replies = append(b.Copies, e.Copy), append(b.Replies, r.Reply)
		b.Expired = b.Expired || r.Fate == store.Expired
		at[action] = append(at[action], i)
	}
	now, _ := a.now()
	for action, b := range told {
		err := a.deps.Bounce(ctx, now, *b)
		if err == nil {
			continue
		}
		a.tell(Event{What: Failed, At: now, Kind: store.KindDSN, Message: a.message.ID, Copies: len(b.Copies), Err: err})
		if action != ActionFailed {
			continue
		}
		for _, i := range at[action] {
			results[i].Fate, results[i].Next = store.Waiting, now.Add(a.wait(a.copies[i]))
		}
	}
	a.announceLoss(now, results)
}

// actionFor is what there is to tell about a copy, "" if nothing.
func (a *passage) actionFor(e store.Entry, r store.Result, sent store.Sent) Action {
	switch r.Fate {
	case store.Bounced, store.Expired:
		return ActionFailed
	case store.Passed:
		if !sent.DSN {
			return ActionRelayed
		}
	case store.Waiting:
		if a.delayed(e) {
			return ActionDelayed
		}
	}
	return ""
}

// delayed reports whether a copy has become older than DelayAfter since it was
// last tried.
func (a *passage) delayed(e store.Entry) bool {
	now, _ := a.now()
	due := e.Message.Accepted.Add(a.DelayAfter)
	return a.DelayAfter > 0 && !now.Before(due) && e.Progress.Reply.At.Before(due)
}

// expire gives copies up without another try.
func (a *passage) expire(ctx context.Context) {
	now, gate := a.now()
	results := make([]store.Result, len(a.copies))
	for i, e := range a.copies {
		results[i] = store.Result{Number: e.Copy.Number, Fate: store.Expired, Reply: e.Progress.Reply}
	}
	a.report(ctx, store.Sent{Outcome: store.Refused}, results)
	a.mark(ctx, store.Mark{Term: a.term, At: now, Gate: gate, Outcome: store.Refused, Results: results})
}

// announceLoss tells of copies that were given up.
func (a *passage) announceLoss(now time.Time, results []store.Result) {
	for what, fate := range map[What]store.Fate{Bounced: store.Bounced, Expired: store.Expired} {
		n, reply := 0, store.Reply{}
		for _, r := range results {
			if r.Fate == fate {
				n, reply = n+1, r.Reply
			}
		}
		if n > 0 {
			a.tell(Event{What: what, At: now, Kind: a.kind, Message: a.message.ID, Copies: n, Reply: reply})
		}
	}
}
