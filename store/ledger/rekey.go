package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
	"lull/store/filter"
)

// Alias is a further key of an incident. Sequence orders it among openings.
type Alias struct {
	Key      string `cbor:"1,keyasint"`
	Sequence uint64 `cbor:"2,keyasint"`
}

// Rekey enters incidents under the keys that their mail would have now.
func (l *Ledger) Rekey(tx Tx, k store.Rekey) error {
	switch {
	case k.Version <= 0 || k.At.IsZero():
		return fmt.Errorf("rekey to version %d without it or a time: %w", k.Version, store.ErrInvalid)
	case k.Version == l.head.Signatures:
		return nil
	}
	readings := make(map[string]store.Reading, len(k.Read))
	for _, r := range k.Read {
		readings[r.Message] = r.Reading
	}
	found, err := messagesOf(tx, l.firstOf(k.Read))
	if err != nil {
		return err
	}
	for _, m := range found {
		l.widen(tx, m.Reading.Signature.ID, readings[m.ID].Signature.ID)
	}
	for _, m := range found {
		l.rekey(tx, m, readings[m.ID], k.At)
	}
	if k.Done {
		l.head.Signatures = k.Version
	}
	l.putHead(tx)
	return nil
}

// firstOf are the first copies of the messages that are still kept.
func (l *Ledger) firstOf(read []store.Reread) *Set {
	set := roaring64.New()
	for _, r := range read {
		if n := l.messages[refOf(r.Message)]; n != 0 {
			set.Add(n)
		}
	}
	return set
}

// widen lets group rules that name a signature name the new one, too: what an
// operator corrected stays so. Rules that decide over fates are left: a new
// signature may be wider than the old one, and nobody asked to purge more.
func (l *Ledger) widen(tx Tx, old, now string) {
	for _, r := range l.rules {
		named := r.filter.Values("signature")
		if r.Kind != store.RuleGroup || r.broken || !r.Ended.IsZero() ||
			!slices.Contains(named, old) || slices.Contains(named, now) {
			continue
		}
		f, err := filter.Parse(r.Filter + " --signature " + now)
		if err != nil {
			continue
		}
		r.filter, r.Filter = f, f.String()
		l.change(tx, r)
	}
}

// rekey enters the incidents of a message under its new keys. Where the old
// reading would not lead to an incident, because a rule sends such mail
// elsewhere by now, neither does the new one. The signature counts beside what
// rules make of it, so that the undo of a rule finds what it would have found.
func (l *Ledger) rekey(tx Tx, m *store.Message, reading store.Reading, at time.Time) {
	old, now := *m, *m
	old.Accepted, now.Accepted = at, at
	now.Reading = reading
	var body []byte
	if len(l.rules) > 0 {
		body = bodyOf(tx, m)()
	}
	for _, c := range m.Copies {
		c = l.homes.at(c)
		i := l.byIncident[c.Incident]
		if i == nil || !i.takes(at, l.limits) {
			continue
		}
		for _, move := range [...][2]string{
			{l.keyAlone(&old, c, body), l.keyAlone(&now, c, body)},
			{old.Reading.Signature.ID, now.Reading.Signature.ID},
		} {
			if i.has(move[0]) {
				l.alias(tx, i, move[1], at)
			}
		}
	}
}

func (l *Ledger) keyAlone(m *store.Message, c store.Copy, body []byte) string {
	key, _ := l.key(m, c, body)
	return key
}

// alias enters an incident under a further key. A key under which mail finds
// an incident already stays there; of two that share a new key the older has it.
func (l *Ledger) alias(tx Tx, i *incident, key string, at time.Time) {
	if key == "" || i.has(key) {
		return
	}
	holder := i.reader.current[key]
	if holder != nil && holder.takes(at, l.limits) {
		if holder.Key == key || !i.came.first.Before(holder.came.first) {
			return
		}
		holder.Also = slices.DeleteFunc(slices.Clone(holder.Also), func(a Alias) bool { return a.Key == key })
		tx.PutIncident(holder.Incident)
	}
	i.Also = append(slices.Clip(i.Also), Alias{Key: strings.Clone(key), Sequence: l.sequence()})
	i.reader.current[key] = i
	tx.PutIncident(i.Incident)
}

// takes reports whether mail of its key still belongs to it: it is open, or
// would open again, or a rule took all of its mail elsewhere.
func (i *incident) takes(at time.Time, limits store.Limits) bool {
	if i.came.copies == 0 {
		return true
	}
	closed := i.closed(at, limits)
	return closed.IsZero() || at.Sub(closed) < limits.Again
}

// has reports whether the incident was entered under a key.
func (i *incident) has(key string) bool { return slices.Contains(i.keys(), key) }

// keys are all keys of the incident.
func (i *incident) keys() []string { return append([]string{i.Key}, i.also()...) }

// also are its further keys.
func (i *incident) also() []string {
	var keys []string
	for _, a := range i.Also {
		keys = append(keys, a.Key)
	}
	return keys
}

// realias lets further keys lead to their incidents, at a restore: the last
// that came under a key has it.
func (l *Ledger) realias() {
	type claim struct {
		Alias
		by *incident
	}
	var claims []claim
	for _, i := range l.incidents.all() {
		for _, a := range i.Also {
			claims = append(claims, claim{a, i})
			l.head.Sequence = max(l.head.Sequence, a.Sequence)
		}
	}
	slices.SortFunc(claims, func(a, b claim) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, c := range claims {
		if holder := c.by.reader.current[c.Key]; holder == nil || holder.Sequence < c.Sequence {
			c.by.reader.current[c.Key] = c.by
		}
	}
}

// sampled is how many copies of an incident are at least read again, if it has
// as many; at most are twice as many and one.
const sampled = 8

// Samples are some copies of each incident that mail may still join.
func (r *Reads) Samples(ctx context.Context, version int, at time.Time) (numbers []uint64, needed bool, err error) {
	r.locked(func(l *Ledger) {
		if needed = l.head.Signatures != version; needed {
			numbers = l.samples(at)
		}
	})
	return numbers, needed, ctx.Err()
}

// sample is every so manieth copy of an incident, and the last.
type sample struct {
	numbers []uint64
	last    uint64
	seen    int
	stride  int
}

// samples looks once at all kept copies.
func (l *Ledger) samples(at time.Time) []uint64 {
	of := make([]*sample, len(l.incidents.items)+1) // index 0: none
	for _, i := range l.incidents.all() {
		if i.takes(at, l.limits) {
			of[i.index] = &sample{stride: 1}
		}
	}
	for _, s := range l.segments {
		for k, r := range s.rows {
			if of[r.incident] != nil {
				of[r.incident].add(s.first + uint64(k))
			}
		}
	}
	set := roaring64.New()
	for _, s := range of {
		if s != nil && s.seen > 0 {
			set.AddMany(s.numbers)
			set.Add(s.last)
		}
	}
	return set.ToArray()
}

// add takes a copy, or passes it over; when it has too many it lets every
// second one go.
func (s *sample) add(n uint64) {
	s.last = n
	if s.seen%s.stride == 0 {
		s.numbers = append(s.numbers, n)
	}
	s.seen++
	if len(s.numbers) < 2*sampled {
		return
	}
	for k := range sampled {
		s.numbers[k] = s.numbers[2*k]
	}
	s.numbers, s.stride = s.numbers[:sampled], 2*s.stride
}
