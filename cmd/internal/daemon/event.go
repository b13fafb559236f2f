package daemon

import (
	"context"
	"log/slog"
	"maps"
	"sync"

	"lull/digest"
	"lull/relay"
	"lull/relay/admin"
	"lull/store"
	"lull/store/bolt"
)

// counters count what happened, by name.
type counters struct {
	mu sync.Mutex
	of map[string]uint64
}

func (c *counters) add(name string, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]uint64{}
	}
	c.of[name] += n
}

func (c *counters) all() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.of)
}

// event is one thing that happened, on its way to the log and the counters.
type event struct {
	level slog.Level
	name  string // of the counter; the log line begins with it
	attrs []slog.Attr
}

// note is the hook that all events pass.
func (d *daemon) note(e event) {
	d.count.add(e.name, 1)
	d.log.LogAttrs(context.Background(), e.level, e.name, e.attrs...)
}

// attrs leaves out what is empty.
func attrs(pairs ...any) []slog.Attr {
	var list []slog.Attr
	for i := 0; i < len(pairs); i += 2 {
		a := slog.Any(pairs[i].(string), pairs[i+1])
		switch v := pairs[i+1].(type) {
		case nil, string:
			if v == nil || v == "" {
				continue
			}
		case int:
			if v == 0 {
				continue
			}
		case int64:
			if v == 0 {
				continue
			}
		}
		list = append(list, a)
	}
	return list
}

// heard tells what the relay did.
func (d *daemon) heard(e relay.Event) {
	level := slog.LevelInfo
	switch e.Kind {
	case relay.Connected:
		level = slog.LevelDebug
	case relay.TurnedAway, relay.HungUp, relay.Failed, relay.Trouble:
		level = slog.LevelWarn
	}
	var took any
	if e.Took > 0 {
		took = e.Took
	}
	d.note(event{level, "smtp " + string(e.Kind), attrs("message", e.Message, "from", e.From, "to", e.To, "copies", e.Copies,
		"size", e.Size, "client", e.Client, "helo", e.Helo, "took", took, "reply", e.Reply, "err", text(e.Err))})
}

// told tells what the engine did.
func (d *daemon) told(e digest.Event) {
	level := slog.LevelInfo
	switch e.What {
	case digest.Waits:
		level = slog.LevelDebug
	case digest.Down, digest.Unhealthy, digest.Slow, digest.Refused, digest.StormBegan, digest.Assumed, digest.Recovered:
		level = slog.LevelWarn
	case digest.Failed, digest.Suspended:
		level = slog.LevelError
	case digest.Sent:
		if e.Outcome != store.Delivered {
			level = slog.LevelWarn
		}
	}
	reply := ""
	if e.Reply.Stage != "" || e.Reply.Code != 0 {
		reply = e.Reply.String()
	}
	var until any
	if !e.Until.IsZero() {
		until = e.Until
	}
	d.note(event{level, "engine " + string(e.What), attrs("kind", string(e.Kind), "reader", e.Reader, "to", e.To, "batch", e.Batch, "message", e.Message,
		"copies", e.Copies, "outcome", string(e.Outcome), "reply", reply, "until", until, "line_ends", e.LineEnds, "err", text(e.Err))})
}

// operated tells what an operator did.
func (d *daemon) operated(e admin.Event) {
	level := slog.LevelInfo
	if e.Err != nil {
		level = slog.LevelError
	}
	d.note(event{level, "operator " + e.Request, attrs("by", e.By, "operation", e.Operation, "copies", e.Copies, "err", text(e.Err))})
}

// committed counts commits of the store.
func (d *daemon) committed(c bolt.Commit) {
	d.count.add("store commits", 1)
	d.count.add("store commands", uint64(c.Commands))
	if c.Err != nil {
		d.log.Error("a commit failed", "err", c.Err, "took", c.Took)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
