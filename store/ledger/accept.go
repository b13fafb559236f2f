package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lull/store"
)

// Accept admits a message: its copies get their numbers and incidents, and
// standing rules do their work.
func (l *Ledger) Accept(tx Tx, m store.Message, body []byte) error {
	if err := Acceptable(m); err != nil {
		return err
	}
	if _, known := l.messages[refOf(m.ID)]; known {
		return nil
	}
	if _, known := l.keys[m.Key]; known && m.Key != "" {
		return fmt.Errorf("message %s: key %s: %w", m.ID, m.Key, store.ErrKnown)
	}
	m.Copies = slices.Clone(m.Copies)
	s := l.segmentFor(m.Accepted)
	for i := range m.Copies {
		l.admit(tx, s, &m, &m.Copies[i], body)
	}
	tx.PutMessage(s.first, &m, body)
	return nil
}

// Acceptable checks what the relay must have set; else [store.ErrInvalid].
func Acceptable(m store.Message) error {
	switch {
	case m.ID == "" || m.Accepted.IsZero():
		return fmt.Errorf("message %q without id or time: %w", m.ID, store.ErrInvalid)
	case len(m.Copies) == 0:
		return fmt.Errorf("message %s for nobody: %w", m.ID, store.ErrInvalid)
	}
	for i, c := range m.Copies {
		if c.Index != i+1 {
			return fmt.Errorf("message %s: copy %d has index %d: %w", m.ID, i+1, c.Index, store.ErrInvalid)
		}
		if c.To == "" || c.Reader == "" || c.Class != store.Alert && c.Class != store.Pass {
			return fmt.Errorf("message %s: copy %d without address, reader or class: %w", m.ID, c.Index, store.ErrInvalid)
		}
	}
	return nil
}

// admit numbers one copy and enters it where rules put it.
func (l *Ledger) admit(tx Tx, s *segment, m *store.Message, c *store.Copy, body []byte) {
	c.Number, c.Rules = l.next, l.head.Version
	c.Incident, c.Caught, c.Silenced, c.Also, c.Grouped = "", "", "", nil, ""
	var i *incident
	if c.Class == store.Alert {
		key, by := l.key(m, *c, body)
		l.group(c, by)
		i = l.incidentOf(tx, l.reader(c.Reader), key, m, c.Number, m.Accepted)
		c.Incident = i.ID
	}
	caught := l.catch(m, c, body)
	l.enter(s, m, c, i)
	l.place(c.Number, m, i, caught)
}

// enter gives a numbered copy its row; live and at a restore.
func (l *Ledger) enter(s *segment, m *store.Message, c *store.Copy, i *incident) {
	first := c == &m.Copies[0]
	if k := len(l.segments); k == 0 || l.segments[k-1] != s {
		l.segments = append(l.segments, s)
	}
	if first {
		l.register(s, m)
	}
	s.last = later(s.last, m.Accepted)
	r := l.reader(c.Reader)
	if r.last != c.To {
		r.last = strings.Clone(c.To)
	}
	r.mine.Add(c.Number)
	w := row{reader: r.index, first: first}
	if i != nil {
		w.incident = i.index
		l.alerts.Add(c.Number)
		if i.low == 0 {
			i.low = c.Number
		}
	}
	s.rows = append(s.rows, w)
	l.next = max(l.next, c.Number+1)
}

// register makes a message known by its id and key.
func (l *Ledger) register(s *segment, m *store.Message) {
	id := refOf(m.ID)
	s.ids = append(s.ids, id)
	l.messages[id] = m.Copies[0].Number
	if m.Key != "" {
		s.keys = append(s.keys, m.Key)
		l.keys[m.Key] = time.Time{}
	}
}

// place gives a copy that was entered its first fate and counts it.
func (l *Ledger) place(n uint64, m *store.Message, i *incident, caught *operation) {
	r := l.row(n)
	r.fate = waiting
	if caught != nil {
		r.fate, r.in = caught.effect.fate(), caught.index
		l.owners.count(r.in, 1)
	}
	l.fates[r.fate].Add(n)
	if i != nil {
		i.counts[r.fate]++
		i.fold(m, r.fate, l.limits.Objects)
	}
}
