package admin

import (
	"cmp"
	"iter"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"lull/store"
)

func (s *Server) status(w http.ResponseWriter, r *http.Request) error {
	st, err := s.cfg.Store.Status(r.Context(), time.Now())
	if err != nil {
		return err
	}
	live := s.cfg.Live()
	return answer(w, Status{
		Accepted: st.Accepted, Waiting: st.Fates[store.Waiting], Held: st.Fates[store.Held],
		InFlight: st.Fates[store.InFlight], Passed: st.Fates[store.Passed], Told: st.Fates[store.Told],
		Purged: st.Fates[store.Purged], Bounced: st.Fates[store.Bounced], Expired: st.Fates[store.Expired],
		IncidentsOpen: st.IncidentsOpen, Readers: st.Readers, Oldest: utc(st.Oldest),
		Uncertain: st.Uncertain, Disk: st.Bytes, Free: live.Free, Spool: live.Spool, SpoolFailed: live.SpoolFailed,
		Storm: len(live.Storms) > 0, Storms: live.Storms,
		Smarthost: live.Smarthost, Note: live.Note, Intake: live.Intake, Listen: live.Listen,
		Next: utc(live.Next), Started: utc(live.Started), Version: live.Version, PID: os.Getpid(), Counters: live.Counters,
	})
}

func (s *Server) verify(w http.ResponseWriter, r *http.Request) error {
	a, err := s.cfg.Store.Audit(r.Context())
	if err != nil {
		return err
	}
	return answer(w, verifiedOf(a))
}

func verifiedOf(a store.Audit) Verified {
	v := Verified{
		Accepted: a.Accepted, ByFate: map[string]uint64{}, SealedBy: map[string]uint64{},
		Differences: len(a.Differences), Found: a.Differences,
	}
	for _, f := range store.Fates() {
		v.ByFate[string(f)] = a.ByFate[f]
		v.Sealed += a.Sealed[f]
		if a.Sealed[f] > 0 {
			v.SealedBy[string(f)] = a.Sealed[f]
		}
	}
	return v
}

func (s *Server) bound(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	live := s.cfg.Live()
	list, err := bounds(s.cfg.Store.Slots(r.Context()), live.Budget, live.Window)
	if err != nil {
		return err
	}
	id := func(b Bound) string { return b.Reader }
	return lines(w, p, after(p.After, id, values(list)))
}

// bounds recounts the slots of digests and notices: a mail is counted against
// its reader, and against every other reader whose address it went to.
func bounds(slots iter.Seq2[store.Slot, error], budget int, window time.Duration) ([]Bound, error) {
	byAddress, readers := map[string][]store.Slot{}, map[string]map[string]bool{}
	for slot, err := range slots {
		if err != nil {
			return nil, err
		}
		if slot.Kind != store.KindDigest && slot.Kind != store.KindNotice || slot.Outcome == store.Refused {
			continue
		}
		to := cmp.Or(strings.ToLower(slot.To), slot.Reader)
		byAddress[to] = append(byAddress[to], slot)
		if readers[slot.Reader] == nil {
			readers[slot.Reader] = map[string]bool{}
		}
		readers[slot.Reader][to] = true
	}
	var list []Bound
	for reader, addresses := range readers {
		var all []store.Slot
		for to := range addresses {
			all = append(all, byAddress[to]...)
		}
		b := Bound{Reader: reader, Max: MaxInWindow(all, window), Budget: budget, Window: window.Seconds(), Slots: len(all)}
		b.Over = budget > 0 && b.Max > budget
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b Bound) int {
		return cmp.Or(cmp.Compare(b.Max, a.Max), cmp.Compare(a.Reader, b.Reader))
	})
	return list, nil
}

// MaxInWindow is the most attempts that may have ended in a mail within any
// one window. An attempt sent its mail at some moment between its begin and
// its end, so two belong to one window unless the later began a whole window
// after the earlier had ended.
func MaxInWindow(slots []store.Slot, window time.Duration) int {
	begins, ends := make([]time.Duration, 0, len(slots)), make([]time.Duration, 0, len(slots))
	for _, s := range slots {
		begins = append(begins, s.Began)
		if !s.Open {
			ends = append(ends, s.Ended+window)
		}
	}
	slices.Sort(begins)
	slices.Sort(ends)
	most, free := 0, 0
	for n, begin := range begins {
		for free < len(ends) && ends[free] <= begin {
			free++
		}
		most = max(most, n+1-free)
	}
	return most
}
