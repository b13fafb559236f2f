package demo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"lull/store"
)

// Row compares what one kind of reader got.
type Row struct {
	Kind          string    `json:"kind"`
	Readers       int       `json:"readers"`
	MailsWithout  int       `json:"mails_without"`
	MailsWith     int       `json:"mails_with"`
	WorstWithout  int       `json:"worst_without"` // most mails that one reader got in any hour
	WorstWith     int       `json:"worst_with"`
	WorstReader   string    `json:"worst_reader"`
	WhenWithout   time.Time `json:"when_without"`
	FirstNoticeS  float64   `json:"first_notice_s"` // median time from a cause to the first mail about it, while the mail server worked
	LateNoticeS   float64   `json:"late_notice_s"`  // the same for the outage, which the mail server slept through
	WithoutNotice float64   `json:"late_notice_without_s"`
}

// Report is what a replay found.
type Report struct {
	Variant      Variant               `json:"variant"`
	Mails        int                   `json:"mails"`
	Readers      int                   `json:"readers"`
	Dropped      int                   `json:"dropped_without"` // purged by hand on the day
	WorstWithout int                   `json:"worst_without"`
	WorstWith    int                   `json:"worst_with"`
	MaxInWindow  int                   `json:"max_in_window"`
	Budget       int                   `json:"budget"`
	FirstNotice  float64               `json:"first_notice_s"`
	Differences  int                   `json:"differences"`
	Fates        map[store.Fate]uint64 `json:"fates"`
	Rows         []Row                 `json:"rows"`
	Digests      []Digest              `json:"-"`
	Faults       []string              `json:"faults,omitempty"` // what the recount found
}

// Digest is one digest of the reader who would have got most mails.
type Digest struct {
	ID   string
	At   time.Time
	To   string
	Data []byte
}

func (r *replay) report(ctx context.Context, o Options, letters []letter) (Report, error) {
	audit, err := r.store.Audit(ctx)
	if err != nil {
		return Report{}, err
	}
	most, err := r.mostInWindow(ctx)
	if err != nil {
		return Report{}, err
	}
	before, dropped := without(r.day, letters)
	after := r.deliveries(letters)
	rep := Report{
		Variant: o.Variant, Mails: len(letters), Dropped: dropped, MaxInWindow: most, Budget: 6,
		Differences: len(audit.Differences), Faults: audit.Differences, Fates: audit.ByFate,
	}
	rep.Rows = rows(r.day, before, after)
	for _, row := range rep.Rows {
		rep.Readers += row.Readers
		if row.Kind == string(people) {
			continue
		}
		rep.WorstWithout, rep.WorstWith = max(rep.WorstWithout, row.WorstWithout), max(rep.WorstWith, row.WorstWith)
		rep.FirstNotice = max(rep.FirstNotice, row.FirstNoticeS)
	}
	rep.Digests = r.digestsOf(rep.worstReader())
	return rep, nil
}

// worstReader is whom the storm hit hardest.
func (r Report) worstReader() string {
	worst := slices.MaxFunc(r.Rows, func(a, b Row) int { return cmp.Compare(a.WorstWithout, b.WorstWithout) })
	return worst.WorstReader
}

// deliveries are what left the mail server with lull in front of it; kinds come
// from the letters, as readers do not overlap between them.
func (r *replay) deliveries(letters []letter) []delivery {
	kinds := make(map[string]kind)
	for _, l := range letters {
		for _, to := range l.to {
			kinds[to] = l.kind
		}
	}
	var all []delivery
	for _, p := range r.server.parcels() {
		all = append(all, delivery{at: p.at, reader: p.to, kind: kinds[p.to], digest: p.digest() != ""})
	}
	return all
}

func (r *replay) digestsOf(reader string) []Digest {
	var all []Digest
	for _, p := range r.server.parcels() {
		if id := p.digest(); id != "" && p.to == reader {
			all = append(all, Digest{ID: id, At: p.at, To: p.to, Data: p.data})
		}
	}
	return all
}

// mostInWindow recomputes the bound from the slots: for each attempt, the slots
// of its reader that counted when it began, itself included.
func (r *replay) mostInWindow(ctx context.Context) (int, error) {
	byReader := make(map[string][]store.Slot)
	for s, err := range r.store.Slots(ctx) {
		if err != nil {
			return 0, err
		}
		if s.Kind == store.KindDigest || s.Kind == store.KindNotice {
			byReader[s.Reader] = append(byReader[s.Reader], s)
		}
	}
	most := 0
	for _, slots := range byReader {
		for _, at := range slots {
			n := 0
			for _, s := range slots {
				if s.Began <= at.Began && s.Counts(at.Began, time.Hour) {
					n++
				}
			}
			most = max(most, n)
		}
	}
	return most, nil
}

func rows(d day, before, after []delivery) []Row {
	was, is := tally(before), tally(after)
	var all []Row
	for _, k := range []kind{maintainers, staff, people} {
		a, b := was[k], is[k]
		all = append(all, Row{
			Kind: string(k), Readers: a.readers, MailsWithout: a.mails, MailsWith: b.mails,
			WorstWithout: a.worst, WorstWith: b.worst, WorstReader: a.reader, WhenWithout: a.when,
			FirstNoticeS: first(after, k, d.upgrade, d.outage), LateNoticeS: first(after, k, d.outage, d.end),
			WithoutNotice: first(before, k, d.outage, d.end),
		})
	}
	return all
}

// first is the median over readers of one kind of the time from a cause to the
// first mail after it, in seconds; 0 if there is none.
func first(all []delivery, k kind, cause, until time.Time) float64 {
	earliest := make(map[string]time.Duration)
	for _, a := range all {
		if a.kind != k || a.at.Before(cause) || !a.at.Before(until) {
			continue
		}
		if d, ok := earliest[a.reader]; !ok || a.at.Sub(cause) < d {
			earliest[a.reader] = a.at.Sub(cause)
		}
	}
	if len(earliest) == 0 {
		return 0
	}
	waits := make([]float64, 0, len(earliest))
	for _, d := range earliest {
		waits = append(waits, d.Seconds())
	}
	slices.Sort(waits)
	return waits[len(waits)/2]
}
