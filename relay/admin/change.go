package admin

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"lull/store"
	"lull/store/filter"
)

// read takes the request's object.
func read[T any](r *http.Request) (T, error) {
	var v T
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 2<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		return v, usage("the request cannot be read (" + err.Error() + "); are lull and its daemon of one version?")
	}
	return v, nil
}

// change is hold, release and purge: a dry run, or the act.
func (s *Server) change(w http.ResponseWriter, r *http.Request) error {
	c, err := read[Change](r)
	if err != nil {
		return err
	}
	now := time.Now()
	plan, err := planOf(c, now)
	if err != nil {
		return err
	}
	if c.Act {
		return s.act(w, r, c, plan, now)
	}
	return s.dryRun(w, r, plan, now)
}

// planOf is what a request asks for, checked: from its token, or from itself.
func planOf(c Change, now time.Time) (shown, error) {
	if c.Act && strings.TrimSpace(c.Reason) == "" {
		return shown{}, usage("a " + c.Kind + " needs --reason: it is what the record of operations will tell your colleagues")
	}
	if c.Token != "" {
		return tokenPlan(c, now)
	}
	f, err := wanted(c.Filter, c.All)
	if err != nil {
		return shown{}, err
	}
	plan := shown{Kind: c.Kind, At: now, For: c.For, Forever: c.Forever, Filter: f.String()}
	if err := plan.check(); err != nil {
		return plan, err
	}
	if plan.For > 0 {
		rule, err := standing(f.Fixed(now))
		if err != nil {
			return plan, err
		}
		if rule.Empty() && !c.All {
			return plan, usage("the standing rule of --for would match all mail to come: --id, --incident and --fate tell nothing about it; add a key such as --from or --subject, or type --all")
		}
		plan.Rule = rule.String()
	}
	f, err = fixed(f, now)
	plan.Filter = f.String()
	return plan, err
}

func tokenPlan(c Change, now time.Time) (shown, error) {
	plan, err := parseToken(c.Token, now)
	if err != nil {
		return plan, err
	}
	if plan.Kind != c.Kind {
		return plan, usage(fmt.Sprintf("the token is of a dry run of %s, not of %s", plan.Kind, c.Kind))
	}
	if c.Filter != "" || c.All || c.For != 0 || c.Forever {
		return plan, usage("--token carries the filter and the options of its dry run; give it alone, with --reason")
	}
	return plan, plan.check()
}

// wanted is the request's filter; an empty one must be meant.
func wanted(text string, all bool) (filter.Filter, error) {
	f, err := filter.Parse(text)
	if err != nil {
		return f, err
	}
	if f.Empty() && !all {
		return f, usage("an empty filter would match everything; give a filter, or type --all if that is what you mean")
	}
	if !f.Empty() && all {
		return f, usage("--all and a filter contradict each other; give one of them")
	}
	return f, nil
}

func (s shown) check() error {
	kinds := []string{string(store.OpHold), string(store.OpRelease), string(store.OpPurge)}
	switch {
	case !slices.Contains(kinds, s.Kind):
		return usage(fmt.Sprintf("there is no operation %q; there are %s", s.Kind, strings.Join(kinds, ", ")))
	case s.For < 0:
		return usage("--for must be a length of time, such as 6h")
	case s.For > 0 && s.Kind == string(store.OpRelease):
		return usage("--for leaves a standing rule, which release cannot; end a rule with `lull rule rm`")
	case s.Forever && s.Kind != string(store.OpPurge):
		return usage("--forever is for purge alone")
	case s.Kind == string(store.OpPurge) && !s.Forever && s.inTrash():
		return usage("what --fate purged selects is in the trash already; add --forever to delete it for good, or see `lull trash`")
	}
	return nil
}

// inTrash reports whether the plan is about nothing but the trash.
func (s shown) inTrash() bool {
	f, err := filter.Parse(s.Filter)
	fates := f.Values("fate")
	return err == nil && len(fates) == 1 && fates[0] == string(store.Purged)
}

// operate is the plan as a command for the store.
func (s *Server) operate(r *http.Request, plan shown, reason string, now time.Time) store.Operate {
	o := store.Operate{
		ID: newID("o", now), Term: s.cfg.Term, At: now, Kind: store.OpKind(plan.Kind),
		By: author(r), Reason: strings.TrimSpace(reason), Filter: plan.Filter,
		UpTo: plan.UpTo, Seen: plan.Copies, Forever: plan.Forever,
	}
	if plan.For > 0 {
		o.Rule = &store.Rule{
			ID: newID("r", now), Kind: store.RuleKind(plan.Kind), Filter: plan.Rule, By: o.By,
			Reason: o.Reason, Created: now, Expires: now.Add(plan.For), Operation: o.ID,
		}
	}
	return o
}

func (s *Server) dryRun(w http.ResponseWriter, r *http.Request, plan shown, now time.Time) error {
	p, err := s.cfg.Store.Preview(r.Context(), s.operate(r, plan, "", now))
	if err != nil {
		return err
	}
	plan.UpTo, plan.Copies, plan.At = p.Highest, p.Copies, now
	if p.Copies == 0 && plan.For == 0 {
		return answer(w, Changed{Kind: plan.Kind, DryRun: true, InFlight: p.InFlight})
	}
	token, err := plan.token()
	if err != nil {
		return err
	}
	c := Changed{
		Kind: plan.Kind, DryRun: true, Token: token, Copies: p.Copies, InFlight: p.InFlight,
		Readers: len(p.Readers), Incidents: len(p.Incidents),
		ByReader: most(p.Readers, 20), ByIncident: most(p.Incidents, 20),
	}
	for _, e := range p.Samples {
		c.Samples = append(c.Samples, copyOf(e, now))
	}
	if err := s.entitle(r, c.ByIncident, now); err != nil {
		return err
	}
	if plan.For > 0 {
		c.Expires = now.Add(plan.For).UTC().Format(time.RFC3339)
	}
	return answer(w, c)
}

// entitle gives groups by incident their titles.
func (s *Server) entitle(r *http.Request, groups []Group, now time.Time) error {
	for i, g := range groups {
		incident, err := s.cfg.Store.Incident(r.Context(), g.Key, now)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		groups[i].Title, groups[i].Reader = incident.Title, incident.Reader
		groups[i].First, groups[i].Last = utc(incident.First), utc(incident.Last)
	}
	return nil
}

func (s *Server) act(w http.ResponseWriter, r *http.Request, c Change, plan shown, now time.Time) error {
	op, err := s.cfg.Store.Operate(r.Context(), s.operate(r, plan, c.Reason, now))
	if errors.Is(err, store.ErrNothing) {
		return answer(w, Changed{Kind: plan.Kind})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, string(op.Kind), changedOf(op))
}

// done answers an operation, tells of it, and has what is due looked at anew.
func (s *Server) done(w http.ResponseWriter, r *http.Request, request string, c Changed) error {
	s.event(Event{Request: request, By: author(r), Operation: c.Operation, Copies: c.Copies})
	s.cfg.Wake()
	return answer(w, c)
}

func (s *Server) undo(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	op, err := s.cfg.Store.Undo(r.Context(), store.Undo{Operation: id, Term: s.cfg.Term, At: time.Now(), By: author(r)})
	if errors.Is(err, store.ErrNotFound) {
		return s.noOperation(r, id)
	}
	if errors.Is(err, store.ErrInvalid) { // deleted for good
		return s.noWayBack(r, id)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, "undo", changedOf(op))
}

// noOperation says what the id is of, if not of an operation: people take the
// line below.
func (s *Server) noOperation(r *http.Request, id string) error {
	text := "no operation has the id " + id + "; `lull operations` lists them"
	for rule, err := range s.cfg.Store.Rules(r.Context()) {
		if err != nil {
			return err
		}
		if rule.ID == id {
			text = id + " is a rule; `lull undo " + rule.Operation + "` takes back the operation that left it, with what it did"
		}
	}
	return &Fault{NotFound, text}
}

// noWayBack says why an operation that deleted for good cannot be undone, and
// how to end the rule that it may have left.
func (s *Server) noWayBack(r *http.Request, id string) error {
	text := "operation " + id + " deleted its copies for good; they cannot be restored"
	for rule, err := range s.cfg.Store.Rules(r.Context()) {
		if err != nil {
			return err
		}
		if rule.Operation == id && rule.Active(time.Now()) {
			text += "; `lull rule rm " + rule.ID + " --reason …` ends the rule that it left"
		}
	}
	return refused(text)
}

// most is the greatest counts, at most n.
func most(counts map[string]int, n int) []Group {
	list := make([]Group, 0, len(counts))
	for key, copies := range counts {
		list = append(list, Group{Key: key, Copies: copies})
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Copies, a.Copies), cmp.Compare(a.Key, b.Key))
	})
	return list[:min(n, len(list))]
}

// newID is short enough to be typed, sorts by time, and is not given twice:
// milliseconds since 2020 (40 bits) and 20 random bits, in base 32.
func newID(kind string, now time.Time) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz"
	const epoch = 1577836800000
	var noise [4]byte
	_, _ = rand.Read(noise[:]) // never fails (crypto/rand)
	n := uint64(now.UnixMilli()-epoch)<<20 | uint64(noise[0])<<12 | uint64(noise[1])<<4 | uint64(noise[2])>>4
	id := make([]byte, 12)
	for i := len(id) - 1; i >= 0; i-- {
		id[i] = digits[n&31]
		n >>= 5
	}
	return kind + string(id)
}
