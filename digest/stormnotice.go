package digest

import (
	"bytes"
	"context"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// weathered is a storm of one reader that the engine knows of.
type weathered struct {
	began time.Time
	told  bool // by a storm notice
	asked bool // whether the store knows of one
}

// storms follows where storms begin and end.
func (t *turn) storms() {
	on := map[string]*compose.Storm{}
	for _, r := range t.readers {
		if len(r.Openings) <= t.Storm.Openings {
			continue
		}
		if s := t.Storm.Storm(r.Openings, t.start); s != nil && s.Ended.IsZero() {
			on[r.Name] = s
		}
	}
	began, ended := t.followStorms(on)
	for _, name := range began {
		t.tell(Event{What: StormBegan, At: t.start, Reader: name})
	}
	for _, name := range ended {
		t.tell(Event{What: StormEnded, At: t.start, Reader: name})
	}
}

func (e *Engine) followStorms(on map[string]*compose.Storm) (began, ended []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, s := range on {
		if e.memo.storms[name] == nil {
			e.memo.storms[name] = &weathered{began: s.Began}
			began = append(began, name)
		}
	}
	for name := range e.memo.storms {
		if on[name] == nil {
			delete(e.memo.storms, name)
			ended = append(ended, name)
		}
	}
	return began, ended
}

// stormTold reports whether the reader had a notice of this storm.
func (t *turn) stormTold(ctx context.Context, r store.Reader) (bool, error) {
	t.Engine.mu.Lock()
	s := t.memo.storms[r.Name]
	t.Engine.mu.Unlock()
	if s == nil || s.told || s.asked {
		return s == nil || s.told, nil
	}
	for b, err := range t.queue.Batches(ctx, r.Name) {
		if err != nil {
			return false, err
		}
		if b.Kind == store.KindNotice && b.Copies == 0 && !b.At.Before(s.began) &&
			(b.Outcome == store.Delivered || b.Outcome == store.Uncertain) {
			s.told = true
		}
	}
	s.asked = true
	return s.told, nil
}

// sendStorm announces a storm: one mail that names the worst of what is new,
// and holds nothing in flight.
func (t *turn) sendStorm(ctx context.Context, r store.Reader, s *compose.Storm) error {
	now, _ := t.now()
	id := t.deps.NewID()
	in := compose.Input{
		ID: id, Host: t.Host, From: t.From, Reader: r.Name, To: r.To, Now: now, Since: r.Last, LastID: r.LastID,
		Window: t.Window, LateAfter: t.LateAfter, Zone: t.scheduleOf(r.Name).Zone(), Next: r.Next, Storm: s,
	}
	for i, err := range t.queue.Incidents(ctx, r.Name, now) {
		if err != nil {
			return err
		}
		if !i.Opened.Before(s.Began) {
			in.Incidents = append(in.Incidents, i)
		}
	}
	mail, err := compose.StormNotice(in)
	if err != nil {
		return err
	}
	sent, ours := t.sendOnce(ctx, t.envelope(id, r.To), notice{reader: r, to: r.To}, id, bytes.NewReader(mail))
	switch {
	case ours != nil:
		return unexpected(ours)
	case sent.Outcome == store.Delivered || sent.Outcome == store.Uncertain:
		t.noteStormTold(r.Name)
	case !asks(sent.Reply) && !trouble(sent):
		t.mute(r.Name)
	}
	return nil
}

func (e *Engine) noteStormTold(reader string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.memo.storms[reader]; s != nil {
		s.told = true
	}
}
