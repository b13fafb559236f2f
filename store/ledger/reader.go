package ledger

import (
	"fmt"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// reader is the state of one reader.
type reader struct {
	store.Reader        // what is kept
	last         string // the address as last written
	index        uint32
	mine         *Set // kept copies
	incidents    []*incident
	current      map[string]*incident // by key
	digest       *batch               // the open one, if any
	burst        burst
}

// reader finds or enters a reader.
func (l *Ledger) reader(name string) *reader {
	r := l.byReader[name]
	if r == nil {
		r = &reader{mine: roaring64.New(), current: make(map[string]*incident)}
		r.Name = strings.Clone(name) // not to keep the whole mail
		name = r.Name
		r.index = l.readers.add(r)
		l.byReader[name] = r
	}
	return r
}

// waitingAlerts are the copies that a digest would take.
func (l *Ledger) waitingAlerts(r *reader) *Set {
	set := roaring64.And(r.mine, l.fates[waiting])
	set.And(l.alerts)
	return set
}

// shows reports whether Readers should yield the reader.
func (l *Ledger) shows(r *reader) bool {
	return !r.Next.IsZero() || !r.Refused.IsZero() ||
		r.mine.Intersects(l.fates[waiting]) || r.mine.Intersects(l.fates[held]) || r.mine.Intersects(l.fates[flight])
}

// reading is the reader with what is counted.
func (l *Ledger) reading(r *reader) store.Reader {
	s := r.Reader
	if s.To == "" {
		s.To = r.last
	}
	waits := roaring64.And(r.mine, l.fates[waiting])
	s.Waiting = int(waits.AndCardinality(l.alerts))
	s.Pass = int(waits.GetCardinality()) - s.Waiting
	s.Held = int(r.mine.AndCardinality(l.fates[held]))
	if d := r.digest; d != nil {
		s.Open = d.ID
		if d.Pinned {
			s.Pinned = d.ID
		}
	}
	s.News = l.countNews(r)
	s.Openings = l.openings(r)
	return s
}

// countNews counts the incidents that News would tell.
func (l *Ledger) countNews(r *reader) int {
	n := 0
	for _, i := range r.incidents {
		if l.news(i) != 0 {
			n++
		}
	}
	return n
}

// news is the first copy that would announce an incident, 0 if it is none.
func (l *Ledger) news(i *incident) uint64 {
	if !i.fresh() || i.pinned > 0 || i.counts[waiting] == 0 {
		return 0
	}
	for n := i.Number; n < l.next; {
		s := l.holding(n)
		if s == nil {
			n = l.after(n)
			continue
		}
		for ; n < s.end(); n++ {
			r := s.rows[n-s.first]
			if r.incident == i.index && r.fate == waiting && !l.silenced.Contains(n) {
				return n
			}
		}
	}
	return 0
}

// after is the first kept number above n, or the next to be given.
func (l *Ledger) after(n uint64) uint64 {
	for _, s := range l.segments {
		if s.first > n {
			return s.first
		}
	}
	return l.next
}

// most openings are told of a reader.
const most = 256

// openings are the times at which the reader's last incidents opened, but for
// those that operators keep from the reader, or made of others.
func (l *Ledger) openings(r *reader) []time.Time {
	var times []time.Time
	for k := len(r.incidents) - 1; k >= 0 && len(times) < most; k-- {
		i := r.incidents[k]
		row := l.row(i.Number)
		if i.Split != "" || row == nil || row.fate == purged || row.fate == held || l.silenced.Contains(i.Number) {
			continue
		}
		times = append(times, i.Opened)
	}
	for a, b := 0, len(times)-1; a < b; a, b = a+1, b-1 {
		times[a], times[b] = times[b], times[a]
	}
	return times
}

// Plan sets when a reader's next digest is due.
func (l *Ledger) Plan(tx Tx, p store.Plan) error {
	if p.Reader == "" {
		return fmt.Errorf("plan without a reader: %w", store.ErrInvalid)
	}
	r := l.reader(p.Reader)
	r.Next = p.Next
	if p.To != "" {
		r.To = p.To
	}
	tx.PutReader(r.Reader)
	return nil
}

// Refuse records that the mail server refused a reader at RCPT.
func (l *Ledger) Refuse(tx Tx, f store.Refuse) error {
	if err := l.current(f.Term); err != nil {
		return err
	}
	if f.Reader == "" {
		return fmt.Errorf("refusal without a reader: %w", store.ErrInvalid)
	}
	l.follow(tx, f.Term)
	r := l.reader(f.Reader)
	if r.Refused.IsZero() {
		r.Refused = f.At
	}
	r.Reply, r.Retry = f.Reply, f.Next
	tx.PutReader(r.Reader)
	return nil
}
