package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"lull/store"
)

// why explains each copy of an id: what it was taken for, where it is, and
// when it will go.
func (s *Server) why(w http.ResponseWriter, r *http.Request) error {
	entries, err := s.entries(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	now := time.Now()
	var list []Why
	for _, e := range entries {
		explained, err := s.explain(r.Context(), e, now)
		if err != nil {
			return err
		}
		list = append(list, explained)
	}
	return lines(w, Page{}, values(list))
}

func (s *Server) explain(ctx context.Context, e store.Entry, now time.Time) (Why, error) {
	why := Why{ID: e.ID(), Fate: string(e.Fate)}
	why.say("It came from %s (%s) at %s, for %s.", client(e.Message.Envelope), sender(e.Message.Envelope.From), clock(e.Message.Accepted), e.Copy.To)
	why.say("Policy took it for %s: %s.", e.Copy.Class, e.Copy.Reason)
	if e.Progress.Joined != "" {
		why.say("The gate took it into the digest: %s.", e.Progress.Joined)
	}
	why.say("Its signature is %s, %q (%s).", e.Message.Reading.Signature.ID, e.Message.Reading.Signature.Title, e.Message.Reading.Signature.Format)
	for _, explain := range []func(context.Context, *Why, store.Entry, time.Time) error{
		s.whySignature, s.whyIncident, s.whyRules, s.whyFate,
	} {
		if err := explain(ctx, &why, e, now); err != nil {
			return why, err
		}
	}
	return why, nil
}

func (w *Why) say(format string, args ...any) {
	w.Steps = append(w.Steps, fmt.Sprintf(format, args...))
}

func (s *Server) whySignature(ctx context.Context, w *Why, e store.Entry, _ time.Time) error {
	body, err := s.cfg.Store.Body(ctx, e.Message.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // removed after its time; the signature's own line must do
	}
	if err != nil {
		return err
	}
	for _, step := range s.cfg.Explain(body) {
		w.say("  %s", step)
	}
	return nil
}

func (s *Server) whyIncident(ctx context.Context, w *Why, e store.Entry, now time.Time) error {
	if e.Copy.Incident == "" {
		return nil
	}
	i, err := s.cfg.Store.Incident(ctx, e.Copy.Incident, now)
	if errors.Is(err, store.ErrNotFound) {
		w.say("It belonged to incident %s, which is no longer kept.", e.Copy.Incident)
		return nil
	}
	if err != nil {
		return err
	}
	if i.Copies == 0 {
		w.say("It belonged to incident %s, all of whose copies are purged.", i.ID)
		return nil
	}
	state := "open"
	if !i.Open() {
		state = "closed at " + clock(i.Closed)
	}
	if e.Copy.Grouped != "" {
		w.say("A grouping rule put it there; `lull undo %s` takes that back.", e.Copy.Grouped)
	}
	w.say("It belongs to incident %s (%s): %d copies, %d objects, first at %s.", i.ID, state, i.Copies, i.ObjectCount, clock(i.First))
	if id := e.Message.Reading.Signature.ID; len(i.Also) > 0 {
		w.say("An upgrade of lull gave its mail other signatures: it opened under %s, and mail under %s joins it, too.", i.Key, strings.Join(i.Also, ", "))
		if slices.Contains(i.Also, id) {
			w.say("This mail came after the upgrade, and joined it as %s.", id)
		}
	}
	if i.Format == "overflow" {
		w.say("So many incidents had opened that this one takes all further kinds of mail: %s.", i.Title)
	}
	switch {
	case e.Shown != "":
		w.say("First notice %s showed it whole; the next digest counts it.", e.Shown)
	case i.Notice != "":
		w.say("The incident was announced at %s by first notice %s.", clock(i.Announced), i.Notice)
	}
	return nil
}

func (s *Server) whyRules(_ context.Context, w *Why, e store.Entry, _ time.Time) error {
	if e.Copy.Caught != "" {
		w.say("The standing rule of operation %s caught it on arrival.", e.Copy.Caught)
	}
	if e.Copy.Silenced != "" {
		w.say("Rule %s silenced it: no first notice, one counted line in the digest.", e.Copy.Silenced)
	}
	return nil
}

func (s *Server) whyFate(ctx context.Context, w *Why, e store.Entry, now time.Time) error {
	switch e.Fate {
	case store.Waiting:
		return s.whyWaiting(ctx, w, e, now)
	case store.Held, store.Purged:
		return s.whyOperation(ctx, w, e)
	case store.InFlight, store.Told:
		return s.whyBatch(ctx, w, e)
	case store.Passed:
		w.say("It was handed on as it is.")
	case store.Bounced:
		w.say("The mail server refused it for good: %s.", e.Progress.Reply)
	case store.Expired:
		if e.In != "" {
			return s.whyOperation(ctx, w, e)
		}
		w.say("It was given up after days of refusals: %s.", e.Progress.Reply)
	}
	return nil
}

func (s *Server) whyWaiting(ctx context.Context, w *Why, e store.Entry, now time.Time) error {
	if e.Progress.Attempts > 0 {
		w.say("It was tried %d times; the last answer was %s.", e.Progress.Attempts, e.Progress.Reply)
	}
	if e.Copy.Class == store.Pass && e.Progress.Joined == "" {
		w.At = utc(e.Progress.Next)
		w.say("It is passed on as it is, as soon as the mail server takes it%s.", at(w.At))
		return nil
	}
	list, err := s.cfg.Forecaster.Forecast(ctx, e.Copy.Reader, now)
	if err != nil && !errors.Is(err, store.ErrNothing) && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, f := range list {
		if f.Kind == "" || f.Kind == string(store.KindDigest) {
			w.At = utc(f.At)
			w.say("It waits for the next digest of %s%s%s.", e.Copy.Reader, at(w.At), note(f.Note))
			return nil
		}
	}
	w.say("It waits for the next digest of %s.", e.Copy.Reader)
	return nil
}

func (s *Server) whyOperation(ctx context.Context, w *Why, e store.Entry) error {
	for o, err := range s.cfg.Store.Operations(ctx) {
		if err != nil {
			return err
		}
		if o.ID != e.In {
			continue
		}
		w.say("It is %s by operation %s of %s at %s: %s.", e.Fate, o.ID, o.By, clock(o.At), o.Reason)
		if !o.Forever {
			w.say("`lull undo %s` takes that back.", o.ID)
		}
		return nil
	}
	w.say("It is %s by operation %s, which is no longer kept.", e.Fate, e.In)
	return nil
}

func (s *Server) whyBatch(ctx context.Context, w *Why, e store.Entry) error {
	b, _, err := s.cfg.Store.Batch(ctx, e.In)
	if errors.Is(err, store.ErrNotFound) {
		w.say("It is %s in %s.", e.Fate, e.In)
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case b.Pinned:
		w.At = utc(b.Next)
		w.say("It is in %s %s, whose last attempt got no answer; the same bytes are sent again%s.", b.Kind, b.ID, at(w.At))
	case b.Open():
		w.say("It is in %s %s, which is being sent.", b.Kind, b.ID)
	case b.Whole:
		w.say("Notices had shown it whole by %s, so no digest was sent for it.", clock(b.Ended))
	case b.Assumed:
		w.say("It was told in %s %s, sent at %s; the mail server never said that it took it.", b.Kind, b.ID, clock(b.Ended))
	default:
		w.say("It was told in %s %s at %s.", b.Kind, b.ID, clock(b.Ended))
	}
	return nil
}

func client(e store.Envelope) string {
	if e.Helo == "" {
		return e.Client
	}
	return e.Client + " [" + e.Helo + "]"
}

func sender(from string) string {
	if from == "" {
		return "null sender"
	}
	return "sender " + from
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", at " + clock(t)
}

func note(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
