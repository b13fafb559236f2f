package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"lull/store"
)

// attempt is one call of Send: what is to be sent, and what became of it.
type attempt struct {
	mail  store.Outgoing
	ready Ready
	now   func() time.Time
	from  string   // the reverse path, as it is written
	paths []string // the forward paths, as they are written; "" for those not to be named
	asked bool     // ready was called: the attempt cannot begin again
	ours  bool     // it failed for a reason of ours, which says nothing about the server
	sent  store.Sent
}

func newAttempt(mail store.Outgoing, ready Ready, now func() time.Time) *attempt {
	a := &attempt{mail: mail, ready: ready, now: now}
	a.begin()
	return a
}

// begin sets the attempt to where nothing has been said: each recipient is
// open, or refused for an address that cannot be written.
func (a *attempt) begin() {
	a.sent = store.Sent{Targets: make([]store.Reply, len(a.mail.To))}
	a.paths = make([]string, len(a.mail.To))
	from, err := path(a.mail.From)
	if err != nil {
		a.refuse(a.local(stageMail, 553, "5.1.7", fmt.Sprintf("sender %.80q: %v", a.mail.From, err), store.MailFailed))
		return
	}
	a.from = from
	for i, t := range a.mail.To {
		a.paths[i], err = path(t.Address)
		if err != nil || t.Address == "" {
			a.drop(i, a.local(stageRcpt, 553, "5.1.3", fmt.Sprintf("recipient %.80q: %v", t.Address, errAddress), store.RecipientFailed))
		}
	}
	a.endIfNobodyLeft()
}

// ended reports whether the attempt has its outcome.
func (a *attempt) ended() bool { return a.sent.Outcome != "" }

// putOff reports whether the server has refused the mail for now, before it
// was given the body: another one may take it.
func (a *attempt) putOff() bool {
	return a.sent.Outcome == store.Refused && !a.asked && !a.ours && !a.sent.Reply.Permanent()
}

// open lists the recipients that nothing has been decided about.
func (a *attempt) open() []int {
	var open []int
	for i, p := range a.paths {
		if p != "" {
			open = append(open, i)
		}
	}
	return open
}

// drop decides about one recipient.
func (a *attempt) drop(i int, r store.Reply) {
	a.paths[i] = ""
	a.sent.Targets[i] = r
}

// refuse ends the attempt before the final dot.
func (a *attempt) refuse(r store.Reply) { a.end(store.Refused, r) }

// end gives the attempt its outcome, and r to the recipients still open.
func (a *attempt) end(o store.Outcome, r store.Reply) {
	a.sent.Outcome, a.sent.Reply = o, r
	for i := range a.sent.Targets {
		if a.sent.Targets[i] == (store.Reply{}) {
			a.sent.Targets[i] = r
		}
	}
}

// endIfNobodyLeft ends the attempt when every recipient has been refused. The
// reply that decides is one that asks to slow down, or else one that leaves
// hope, if there is any.
func (a *attempt) endIfNobodyLeft() {
	if a.ended() || len(a.open()) > 0 {
		return
	}
	decisive := a.local(stageRcpt, 554, "5.5.1", "no recipients", store.MailFailed)
	for i, r := range a.sent.Targets {
		if i == 0 || weight(r) > weight(decisive) {
			decisive = r
		}
	}
	a.refuse(decisive)
}

func weight(r store.Reply) int {
	switch {
	case r.SlowDown:
		return 2
	case !r.Permanent():
		return 1
	}
	return 0
}

// fit refuses what a server with these extensions cannot take, without asking
// it: a mail over its SIZE, addresses that need SMTPUTF8 (RFC 6531 section 3.5).
func (a *attempt) fit(ext extensions) {
	if limit := ext.sizeLimit(); limit > 0 && a.mail.Size > limit {
		a.refuse(a.tooLarge(stageMail, a.mail.Size, limit))
		return
	}
	if ext.has("SMTPUTF8") {
		return
	}
	const why = "the address needs SMTPUTF8, which the mail server does not offer"
	if !ascii(a.from) {
		a.refuse(a.local(stageMail, 550, "5.6.7", why, store.MailFailed))
		return
	}
	for _, i := range a.open() {
		if !ascii(a.paths[i]) {
			a.drop(i, a.local(stageRcpt, 553, "5.6.7", why, store.RecipientFailed))
		}
	}
	a.endIfNobodyLeft()
}

func (a *attempt) tooLarge(stage string, size, limit int64) store.Reply {
	text := fmt.Sprintf("%d octets are more than the %d that the mail server takes", size, limit)
	return a.local(stage, 552, "5.3.4", text, store.MailFailed)
}

// local is a reply that lull gave itself, in the words of SMTP.
func (a *attempt) local(stage string, code int, enhanced, text string, v store.Verdict) store.Reply {
	return store.Reply{
		Code: code, Enhanced: enhanced, Text: "not sent: " + printable(text),
		Stage: stage, At: a.now(), Verdict: v,
	}
}

// judged is what the server said at a stage.
func (a *attempt) judged(stage string, r reply) store.Reply {
	v := verdict(stage, r.code, r.enhanced, r.text())
	return store.Reply{
		Code: r.code, Enhanced: r.enhanced, Text: r.text(),
		Stage: stage, At: a.now(), Verdict: v, SlowDown: v == store.SlowDown,
	}
}

// silence is that no reply came at a stage.
func (a *attempt) silence(ctx context.Context, stage string, err error) store.Reply {
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("given up: %w", cause)
		a.ours = errors.Is(cause, context.Canceled)
	}
	return store.Reply{Text: printable(errorText(err)), Stage: stage, At: a.now(), Verdict: store.Retry}
}

// fault is a failure of ours before the final dot. It concerns this mail only.
func (a *attempt) fault(stage string, err error) {
	a.ours = true
	a.refuse(store.Reply{Text: "not sent: " + printable(err.Error()), Stage: stage, At: a.now(), Verdict: store.RetryLater})
}

// answered is the server's reply, or its silence.
func (a *attempt) answered(ctx context.Context, stage string, r reply, err error) store.Reply {
	if err != nil {
		return a.silence(ctx, stage, err)
	}
	return a.judged(stage, r)
}

// errorText says plainly what the most frequent errors say obscurely.
func errorText(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
		return "the mail server closed the connection"
	}
	return err.Error()
}
