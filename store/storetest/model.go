package storetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"lull/store"
)

// model knows each copy by itself: no sets, no indices. What it says must be
// what the store says.
type model struct {
	copies   []*copyModel // by number, from 1
	ops      []*opModel   // in order of their commits
	batches  []*batchModel
	attempts []*attemptModel
	limits   store.Limits
}

// copyModel is one copy with all that happened to it.
type copyModel struct {
	store.Copy
	id       string // of the copy
	message  store.Message
	ended    store.Fate // "" while something may still happen
	in       string
	flight   *batchModel
	returned bool
	shown    string
	next     time.Time // pass: not before
	sealed   store.Fate
	endedAt  time.Time
	loose    bool // its incident's key is not told
}

// opModel is an operation with the copies it covers.
type opModel struct {
	store.Operation
	effect string // hold, release, purge, expire, silence, ""
	covers map[*copyModel]bool
	undone bool
	gone   bool // by retention: what it did stays
	rule   *ruleModel
	key    func(*copyModel) string // of a grouping rule
	loose  map[*copyModel]bool     // may be under it, or not
}

// ruleModel is a standing rule.
type ruleModel struct {
	store.Rule
	filter choice
}

// choice is a filter that the model can evaluate by itself.
type choice struct {
	text    string
	matches func(*copyModel) bool
}

// batchModel is a batch with its copies.
type batchModel struct {
	store.Batch
	copies []*copyModel
	gone   bool // by retention
}

// attemptModel is an attempt with its seats, in gate time.
type attemptModel struct {
	id          string
	batch       *batchModel
	seats       []store.Seat
	kind        store.Kind
	began       time.Duration
	ended       time.Duration
	open, given bool
}

// layer is the latest operation not undone that covers a copy, of some effects.
func (m *model) layer(c *copyModel, effects ...string) *opModel {
	for _, o := range slices.Backward(m.ops) {
		if !o.undone && o.covers[c] && slices.Contains(effects, o.effect) {
			return o
		}
	}
	return nil
}

// fate is where a copy is, and what put it there.
func (m *model) fate(c *copyModel) (store.Fate, string) {
	if c.sealed != "" {
		return c.sealed, ""
	}
	if c.ended != "" {
		return c.ended, c.in
	}
	if c.flight != nil {
		return store.InFlight, c.flight.ID
	}
	if o := m.layer(c, "purge", "expire"); o != nil {
		return map[string]store.Fate{"purge": store.Purged, "expire": store.Expired}[o.effect], o.ID
	}
	if o := m.layer(c, "hold", "release"); o != nil && o.effect == "hold" {
		return store.Held, o.ID
	}
	return store.Waiting, ""
}

// is reports whether a copy has a fate.
func (m *model) is(c *copyModel, fates ...store.Fate) bool {
	f, _ := m.fate(c)
	return slices.Contains(fates, f)
}

// with are the copies that satisfy a condition.
func (m *model) with(f func(*copyModel) bool) []*copyModel {
	var some []*copyModel
	for _, c := range m.copies {
		if f(c) {
			some = append(some, c)
		}
	}
	return some
}

func (m *model) waiting(class store.Class, reader string) []*copyModel {
	return m.with(func(c *copyModel) bool {
		return c.Class == class && (reader == "" || c.Reader == reader) && m.is(c, store.Waiting)
	})
}

// accept enters a message, and lets the rules act on it.
func (m *model) accept(msg store.Message) {
	for _, c := range msg.Copies {
		one := &copyModel{Copy: c, id: store.CopyID(msg.ID, c.Index), message: msg}
		one.Number = uint64(len(m.copies) + 1)
		m.copies = append(m.copies, one)
		for _, o := range m.ops {
			r := o.rule
			if o.key != nil {
				o.group(one)
				continue
			}
			if r == nil || !r.Active(msg.Accepted) || r.Kind == store.RuleSilence && c.Class != store.Alert {
				continue
			}
			if r.filter.matches(one) {
				o.covers[one] = true
			}
		}
	}
}

// operate is what an operation covers, and leaves alone in flight.
func (m *model) operate(o store.Operate, f choice) (set []*copyModel, inFlight int) {
	for _, c := range m.copies {
		if o.UpTo > 0 && c.Number > o.UpTo || !f.matches(c) {
			continue
		}
		switch fate, _ := m.fate(c); {
		case fate == store.InFlight:
			inFlight++
		case fate == store.Held, fate == store.Waiting && o.Kind != store.OpRelease:
			set = append(set, c)
		}
	}
	return set, inFlight
}

func (m *model) op(id string) *opModel {
	for _, o := range m.ops {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// readerOpen is the open digest of a reader.
func (m *model) readerOpen(reader string) *batchModel {
	for _, b := range m.batches {
		if b.Kind == store.KindDigest && b.Reader == reader && b.Open() {
			return b
		}
	}
	return nil
}

func (m *model) openBatches() []*batchModel {
	var open []*batchModel
	for _, b := range m.batches {
		if b.Open() {
			open = append(open, b)
		}
	}
	return open
}

// attempted is the open attempt of a batch.
func (m *model) attempted(b *batchModel) *attemptModel {
	for _, a := range m.attempts {
		if a.batch == b && a.open {
			return a
		}
	}
	return nil
}

// sent counts the mails that may have been sent to a reader or an address in
// the window that ends at a gate time.
func (m *model) sent(kind store.Kind, seat store.Seat, gate, window time.Duration) (all, notices int) {
	for _, a := range m.attempts {
		if a.given || budgetOf(a.kind) != budgetOf(kind) || !a.open && a.ended+window <= gate {
			continue
		}
		for _, s := range a.seats {
			if s.Reader != seat.Reader && s.To != seat.To {
				continue
			}
			all++
			if a.kind == store.KindNotice {
				notices++
			}
		}
	}
	return all, notices
}

func budgetOf(k store.Kind) store.Kind {
	if k == store.KindNotice {
		return store.KindDigest
	}
	return k
}

// cut takes copies into a batch.
func (m *model) cut(c store.Cut, copies []*copyModel) *batchModel {
	b := &batchModel{Batch: store.Batch{ID: c.ID, Kind: c.Kind, Reader: c.Reader, To: c.To, At: c.At}, copies: copies}
	for _, one := range copies {
		one.flight = b
	}
	m.batches = append(m.batches, b)
	return b
}

// mark ends a batch, or leaves it pinned.
func (m *model) mark(b *batchModel, mark store.Mark) {
	if b.Kind == store.KindDigest && !mark.Assumed && mark.Outcome != store.Delivered {
		permanent := mark.Outcome == store.Rejected && mark.Reply.Permanent()
		b.Pinned = !permanent && (b.Pinned || mark.Outcome == store.Uncertain)
		if b.Pinned {
			return
		}
	}
	b.Pinned, b.Ended, b.Outcome, b.Assumed = false, mark.At, mark.Outcome, mark.Assumed
	for _, c := range b.copies {
		c.flight = nil
		m.conclude(b, c, mark)
	}
}

func (m *model) conclude(b *batchModel, c *copyModel, mark store.Mark) {
	delivered := mark.Outcome == store.Delivered || mark.Assumed
	switch b.Kind {
	case store.KindDigest:
		if delivered {
			c.ended, c.in, c.endedAt = store.Told, b.ID, mark.At
		}
	case store.KindNotice:
		if delivered || mark.Outcome == store.Uncertain {
			c.shown = b.ID
		}
	case store.KindPass:
		result := store.Result{Number: c.Number, Fate: store.Waiting, Next: mark.Next}
		if delivered {
			result.Fate = store.Passed
		}
		for _, r := range mark.Results {
			if r.Number == c.Number {
				result = r
			}
		}
		c.next = result.Next
		if result.Fate != store.Waiting {
			c.ended, c.in, c.endedAt = result.Fate, b.ID, mark.At
		}
	}
}

// returns lets the copies of a digest wait again, once.
func (m *model) returns(b *batchModel, at time.Time) {
	if !b.Returned.IsZero() || b.Outcome != store.Delivered && !b.Assumed {
		return
	}
	b.Returned = at
	for _, c := range b.copies {
		if !c.returned && c.sealed == "" {
			c.returned, c.ended, c.in = true, "", ""
		}
	}
}

// undo takes an operation back.
func (m *model) undo(o *opModel, at time.Time) {
	if o.undone {
		return
	}
	if o.key != nil {
		m.ungroup(o)
	}
	o.undone = true
	switch r := m.rule(o.Operation.Rule); {
	case r == nil:
	case o.rule != nil:
		if r.Ended.IsZero() {
			r.Ended = at
		}
	case o.Kind == store.OpEnd:
		if !m.op(r.Operation).undone && r.Ended.Equal(o.At) {
			r.Ended = time.Time{}
		}
	case o.Kind == store.OpExtend:
		m.unextend(r)
	}
}

// unextend finds the expiry of a rule from the extensions that are left.
func (m *model) unextend(r *ruleModel) {
	expires := m.op(r.Operation).Before // where the model keeps the first
	for _, o := range m.ops {
		if o.Kind == store.OpExtend && o.Operation.Rule == r.ID && !o.undone {
			expires = o.Before
		}
	}
	r.Expires = expires
}

func (m *model) rule(id string) *ruleModel {
	for _, o := range m.ops {
		if o.rule != nil && o.rule.ID == id {
			return o.rule
		}
	}
	return nil
}

// expire ends the rules whose time has come, and releases what they hold.
func (m *model) expire(t store.Tend) (released []*opModel) {
	for _, o := range slices.Clone(m.ops) {
		r := o.rule
		if r == nil || !r.Ended.IsZero() || r.Active(t.At) {
			continue
		}
		r.Ended = t.At
		if o.effect != "hold" || o.undone {
			continue
		}
		release := &opModel{Operation: store.Operation{ID: t.ID + r.ID, Kind: store.OpRelease, At: t.At}, effect: "release", covers: make(map[*copyModel]bool)}
		for c := range o.covers {
			if f, in := m.fate(c); f == store.Held && in == o.ID {
				release.covers[c] = true
			}
		}
		if len(release.covers) > 0 {
			m.ops = append(m.ops, release)
			released = append(released, release)
		}
	}
	return released
}

// prunable reports whether retention may have removed a copy.
func (m *model) prunable(c *copyModel, now time.Time) error {
	fate, in := m.fate(c)
	if fate.Live() {
		return fmt.Errorf("copy %s was removed and is %s", c.id, fate)
	}
	ended, keep := c.endedAt, m.limits.Retain
	if o := m.op(in); o != nil {
		ended, keep = o.At, m.limits.Trash
	}
	if now.Before(ended.Add(keep)) {
		return fmt.Errorf("copy %s was removed at %s; it is %s since %s", c.id, now, fate, ended)
	}
	return nil
}

// counts are how many copies have each fate.
func (m *model) counts() map[store.Fate]int {
	counts := make(map[store.Fate]int)
	for _, c := range m.copies {
		f, _ := m.fate(c)
		counts[f]++
	}
	return counts
}

// covered are the numbers of what an operation covers and is still kept.
func (o *opModel) covered() []uint64 {
	var numbers []uint64
	for c := range maps.Keys(o.covers) {
		if c.sealed == "" {
			numbers = append(numbers, c.Number)
		}
	}
	slices.Sort(numbers)
	return numbers
}
