package demo

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"lull/store"
)

// Row compares what one kind of reader got.
type Row struct {
	Kind               string    `json:"kind"`
	Readers            int       `json:"readers"`
	MailsWithout       int       `json:"mails_without"`
	MailsWith          int       `json:"mails_with"`
	WorstWithout       int       `json:"worst_without"` // most mails that one reader got in any hour
	WorstWith          int       `json:"worst_with"`
	WorstReader        string    `json:"worst_reader"`
	WhenWithout        time.Time `json:"when_without"`
	FirstNoticeS       float64   `json:"first_notice_s"` // median time from a cause to the first mail about it, while the mail server worked
	LateNoticeS        float64   `json:"late_notice_s"`  // the same for the outage, which the mail server slept through
	LateNoticeWithoutS float64   `json:"late_notice_without_s"`
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
	rep.Rows = rows(r.day, letters, before, after)
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

func rows(d day, letters []letter, before, after []delivery) []Row {
	was, is := tally(before), tally(after)
	var all []Row
	for _, k := range []kind{maintainers, staff, people} {
		a, b := was[k], is[k]
		all = append(all, Row{
			Kind: string(k), Readers: a.readers, MailsWithout: a.mails, MailsWith: b.mails,
			WorstWithout: a.worst, WorstWith: b.worst, WorstReader: a.reader, WhenWithout: a.when,
			FirstNoticeS: notice(letters, after, k, d.begin, d.outage), LateNoticeS: notice(letters, after, k, d.outage, d.end),
			LateNoticeWithoutS: notice(letters, before, k, d.outage, d.end),
		})
	}
	return all
}

// notice is the median, over readers of one kind and causes that began in
// [from, until), of the time from the cause to the first mail that could tell
// of it, in seconds; 0 if there is none.
func notice(letters []letter, arrived []delivery, k kind, from, until time.Time) float64 {
	inbox := make(map[string][]time.Time)
	for _, a := range arrived {
		inbox[a.reader] = append(inbox[a.reader], a.at)
	}
	for _, times := range inbox {
		slices.SortFunc(times, time.Time.Compare)
	}
	type trouble struct {
		reader string
		cause  time.Time
	}
	waits := make(map[trouble]float64)
	for _, l := range letters {
		if l.kind != k || l.cause.Before(from) || !l.cause.Before(until) {
			continue
		}
		for _, to := range l.to {
			if _, known := waits[trouble{to, l.cause}]; !known {
				waits[trouble{to, l.cause}] = wait(inbox[to], l)
			}
		}
	}
	return middle(waits)
}

// wait is the time from a letter's cause to the first mail after the letter.
func wait(inbox []time.Time, l letter) float64 {
	i, _ := slices.BinarySearchFunc(inbox, l.at, time.Time.Compare)
	if i == len(inbox) {
		return math.Inf(1)
	}
	return inbox[i].Sub(l.cause).Seconds()
}

func middle[K comparable](values map[K]float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(maps.Values(values))
	return sorted[len(sorted)/2]
}
