package ledger

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"lull/store"
)

// slots are the recent slots: those that may still count.
type slots struct {
	attempts map[string][]*store.Slot
	byReader map[string][]*store.Slot
	byTo     map[string][]*store.Slot
	given    map[string]time.Duration // attempts that gave their slots back, and when
}

func newSlots() slots {
	return slots{
		attempts: make(map[string][]*store.Slot), byReader: make(map[string][]*store.Slot),
		byTo: make(map[string][]*store.Slot), given: make(map[string]time.Duration),
	}
}

func (s *slots) add(slot *store.Slot) {
	s.attempts[slot.Attempt] = append(s.attempts[slot.Attempt], slot)
	s.byReader[slot.Reader] = append(s.byReader[slot.Reader], slot)
	s.byTo[slot.To] = append(s.byTo[slot.To], slot)
}

// drop forgets slots.
func (s *slots) drop(gone func(*store.Slot) bool) {
	for _, index := range []map[string][]*store.Slot{s.attempts, s.byReader, s.byTo} {
		for key, list := range index {
			kept := list[:0:0]
			for _, slot := range list {
				if !gone(slot) {
					kept = append(kept, slot)
				}
			}
			index[key] = kept
			if len(kept) == 0 {
				delete(index, key)
			}
		}
	}
}

// of yields the slots of a reader or an address, each once.
func (s *slots) of(reader, to string) []*store.Slot {
	all := append([]*store.Slot(nil), s.byReader[reader]...)
	for _, slot := range s.byTo[to] {
		if slot.Reader != reader {
			all = append(all, slot)
		}
	}
	return all
}

// fold is how addresses are compared.
func fold(address string) string { return strings.ToLower(address) }

// usage counts what is taken at a gate time.
func (s *slots) usage(reader, to string, gate, window time.Duration) store.Usage {
	u := store.Usage{Tags: make(map[string]int)}
	open := false
	for _, slot := range s.of(reader, fold(to)) {
		if !slot.Counts(gate, window) {
			continue
		}
		switch slot.Kind {
		case store.KindPass:
			u.Pass++
			u.Tags[slot.Tag]++
			continue
		case store.KindNotice:
			u.Notices++
		case store.KindDigest:
		default:
			continue
		}
		u.Gate++
		if open = open || slot.Open; !open && (u.Free == 0 || slot.Ended+window < u.Free) {
			u.Free = slot.Ended + window
		}
	}
	if open {
		u.Free = 0
	}
	return u
}

// room reports whether the seats of an attempt fit in the limit.
func (s *slots) room(kind store.Kind, seats []store.Seat, gate time.Duration, limit store.Limit) error {
	for k, seat := range seats {
		all, notices := s.taken(kind, seat, gate, limit.Window)
		for _, other := range seats[:k] {
			if other.Reader == seat.Reader || fold(other.To) == fold(seat.To) {
				all, notices = all+1, notices+1
			}
		}
		if limit.Budget > 0 && all >= limit.Budget || kind == store.KindNotice && limit.Notices > 0 && notices >= limit.Notices {
			return fmt.Errorf("%s for %s: %w", kind, seat.Reader, store.ErrNoSlot)
		}
	}
	return nil
}

// taken counts the slots of a kind's budget that a seat has taken.
func (s *slots) taken(kind store.Kind, seat store.Seat, gate, window time.Duration) (all, notices int) {
	for _, slot := range s.of(seat.Reader, fold(seat.To)) {
		if budget(slot.Kind) == budget(kind) && slot.Counts(gate, window) {
			all++
			if slot.Kind == store.KindNotice {
				notices++
			}
		}
	}
	return all, notices
}

// budget is what a kind takes its slots from: digests and notices share one.
func budget(k store.Kind) store.Kind {
	if k == store.KindNotice {
		return store.KindDigest
	}
	return k
}

// Begin takes slots before a body is sent, and cuts the batch if it is told to.
func (l *Ledger) Begin(tx Tx, b store.Begin) error {
	if l.begun(b.ID) {
		return nil
	}
	if err := l.current(b.Term); err != nil {
		return err
	}
	if b.ID == "" || b.At.IsZero() || len(b.Seats) == 0 || b.Limit.Window <= 0 {
		return fmt.Errorf("attempt %q without id, time, window or seats: %w", b.ID, store.ErrInvalid)
	}
	kind, d, err := l.ready(b)
	if err != nil {
		return err
	}
	if err := l.slots.room(kind, b.Seats, max(b.Gate, l.head.Gate), b.Limit); err != nil {
		return fmt.Errorf("attempt %s: %w", b.ID, err)
	}
	l.follow(tx, b.Term)
	batch := l.batches[b.Batch]
	if batch == nil {
		batch = l.cut(tx, *b.Cut, d)
	}
	l.take(tx, batch, b)
	return nil
}

// begun reports whether an attempt is known.
func (l *Ledger) begun(attempt string) bool {
	_, given := l.slots.given[attempt]
	return given || len(l.slots.attempts[attempt]) > 0
}

// ready checks that the attempt has a batch, or can cut it.
func (l *Ledger) ready(b store.Begin) (store.Kind, draft, error) {
	if batch := l.batches[b.Batch]; batch != nil {
		if !batch.Open() {
			return "", draft{}, fmt.Errorf("attempt %s: batch %s has ended: %w", b.ID, b.Batch, store.ErrNotFound)
		}
		return batch.Kind, draft{}, nil
	}
	if b.Cut == nil {
		return "", draft{}, fmt.Errorf("attempt %s: batch %s: %w", b.ID, b.Batch, store.ErrNotFound)
	}
	if b.Cut.ID != b.Batch {
		return "", draft{}, fmt.Errorf("attempt %s: batch %s is not the cut's: %w", b.ID, b.Batch, store.ErrInvalid)
	}
	d, err := l.draft(*b.Cut)
	return b.Cut.Kind, d, err
}

// take records the slots of an attempt.
func (l *Ledger) take(tx Tx, batch *batch, b store.Begin) {
	gate := l.gate(b.Gate)
	for k, seat := range b.Seats {
		slot := &store.Slot{
			ID: b.ID, Attempt: b.ID, Batch: batch.ID, Kind: batch.Kind,
			Reader: seat.Reader, To: fold(seat.To), Tag: seat.Tag, Began: gate, Open: true, At: b.At,
		}
		if len(b.Seats) > 1 {
			slot.ID = b.ID + "." + strconv.Itoa(k+1)
		}
		l.slots.add(slot)
		tx.PutSlot(*slot)
	}
	if batch.Began.IsZero() {
		batch.Began = b.At
	}
	batch.Attempts++
	batch.keep(tx)
	if b.Body != nil {
		tx.PutMail(batch.ID, b.Body)
	}
}

// close ends the slots of an attempt: a refused one gives them back.
func (l *Ledger) close(tx Tx, m store.Mark) {
	gate := l.gate(m.Gate)
	if m.Outcome == store.Uncertain && !m.Assumed {
		l.head.Uncertain++
		l.putHead(tx)
	}
	if m.Outcome == store.Refused {
		l.giveBack(tx, m.Attempt)
		return
	}
	for _, slot := range l.slots.attempts[m.Attempt] {
		slot.Open, slot.Ended, slot.Outcome = false, gate, m.Outcome
		tx.PutSlot(*slot)
	}
}

func (l *Ledger) giveBack(tx Tx, attempt string) {
	for _, slot := range l.slots.attempts[attempt] {
		tx.DropSlot(*slot)
		l.slots.given[attempt] = l.head.Gate
	}
	list := l.slots.attempts[attempt]
	l.slots.remove(list)
}

// remove forgets the slots of one attempt.
func (s *slots) remove(list []*store.Slot) {
	for _, slot := range list {
		s.byReader[slot.Reader] = without(s.byReader[slot.Reader], slot)
		s.byTo[slot.To] = without(s.byTo[slot.To], slot)
		delete(s.attempts, slot.Attempt)
	}
}

func without(list []*store.Slot, slot *store.Slot) []*store.Slot {
	var kept []*store.Slot
	for _, s := range list {
		if s != slot {
			kept = append(kept, s)
		}
	}
	return kept
}
