package admin

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"lull/store"
	"lull/store/filter"
)

func (s *Server) copies(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	now := time.Now()
	q, err := s.query(r, now)
	if err != nil {
		return err
	}
	if q.After, err = s.numberOf(r.Context(), p.After); err != nil {
		return err
	}
	if p.Count {
		n, known, err := s.cfg.Store.Count(r.Context(), q)
		if err != nil {
			return err
		}
		p.known, p.all = known, int(n)
	}
	return lines(w, p, mapped(s.cfg.Store.Copies(r.Context(), q), func(e store.Entry) Copy { return copyOf(e, now) }))
}

// query is the request's selection of copies.
func (s *Server) query(r *http.Request, now time.Time) (store.Query, error) {
	f, err := filter.Parse(r.URL.Query().Get("filter"))
	if err != nil {
		return store.Query{}, err
	}
	q := store.Query{Filter: f.String(), At: now, Operation: r.URL.Query().Get("operation"), Batch: r.URL.Query().Get("digest")}
	return q, s.knows(r.Context(), q)
}

// knows sees that what a query names is kept: nothing listed would else look
// like nothing told.
func (s *Server) knows(ctx context.Context, q store.Query) error {
	if q.Batch != "" {
		_, _, err := s.cfg.Store.Batch(ctx, q.Batch)
		if errors.Is(err, store.ErrNotFound) {
			return &Fault{NotFound, "no digest or first notice that is kept has the id " + q.Batch + "; a digest has it in its header X-Lull-Digest, and `lull list --fate told --json` as \"in\""}
		}
		if err != nil {
			return err
		}
	}
	if q.Operation == "" {
		return nil
	}
	for o, err := range s.cfg.Store.Operations(ctx) {
		if err != nil || o.ID == q.Operation {
			return err
		}
	}
	return &Fault{NotFound, "no operation has the id " + q.Operation + "; `lull operations` lists them"}
}

// numberOf is the number of a copy, by which lists go on after it.
func (s *Server) numberOf(ctx context.Context, id string) (uint64, error) {
	if id == "" {
		return 0, nil
	}
	e, err := s.entry(ctx, id)
	if err != nil {
		return 0, err
	}
	return e.Copy.Number, nil
}

// entry is the last copy that has the id: a message's id stands for all its copies.
func (s *Server) entry(ctx context.Context, id string) (store.Entry, error) {
	entries, err := s.entries(ctx, id)
	if err != nil {
		return store.Entry{}, err
	}
	return entries[len(entries)-1], nil
}

// entries are the copies of an id of a copy or a message; at least one.
func (s *Server) entries(ctx context.Context, id string) ([]store.Entry, error) {
	var found []store.Entry
	for e, err := range s.cfg.Store.Copies(ctx, store.Query{IDs: []string{id}}) {
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	if len(found) == 0 {
		return nil, &Fault{NotFound, "no kept copy or message has the id " + id + "; `lull list` shows the ids"}
	}
	return found, nil
}

func (s *Server) incidents(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	now := time.Now()
	all := s.cfg.Store.Incidents(r.Context(), "", now)
	q, err := s.query(r, now)
	if err != nil {
		return err
	}
	if q.Filter != "" || q.Batch != "" || q.Operation != "" {
		ids, err := s.incidentsOf(r.Context(), q)
		if err != nil {
			return err
		}
		all = kept(all, func(i store.Incident) bool { return ids[i.ID] })
	}
	id := func(i store.Incident) string { return i.ID }
	return lines(w, p, mapped(after(p.After, id, all), incidentOf))
}

// incidentsOf are the incidents of the copies that a query selects.
func (s *Server) incidentsOf(ctx context.Context, q store.Query) (map[string]bool, error) {
	ids := map[string]bool{}
	for e, err := range s.cfg.Store.Copies(ctx, q) {
		if err != nil {
			return nil, err
		}
		if e.Copy.Incident != "" {
			ids[e.Copy.Incident] = true
		}
	}
	return ids, nil
}

func (s *Server) operations(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	all := s.cfg.Store.Operations(r.Context())
	if r.URL.Query().Get("trash") != "" {
		all = kept(all, restorable)
	}
	id := func(o store.Operation) string { return o.ID }
	return lines(w, p, mapped(after(p.After, id, all), operationOf))
}

// restorable reports whether an operation's copies are in the trash.
func restorable(o store.Operation) bool {
	return o.Kind == store.OpPurge && !o.Forever && o.Undone.IsZero() && (o.Gone == 0 || o.Gone < o.Copies+o.Caught)
}

func (s *Server) rules(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	now := time.Now()
	all := s.cfg.Store.Rules(r.Context())
	if r.URL.Query().Get("ended") == "" {
		all = kept(all, func(rule store.Rule) bool { return rule.Active(now) })
	}
	id := func(rule store.Rule) string { return rule.ID }
	return lines(w, p, mapped(after(p.After, id, all), func(rule store.Rule) Rule { return ruleOf(rule, now) }))
}

func (s *Server) forecast(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	reader := r.URL.Query().Get("reader")
	list, err := s.cfg.Forecaster.Forecast(r.Context(), reader, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return &Fault{NotFound, "there has been no mail for " + reader + "; `lull group --by reader` lists the readers"}
	}
	if err != nil && !errors.Is(err, store.ErrNothing) {
		return err
	}
	id := func(f Forecast) string { return f.Reader }
	var all iter.Seq2[Forecast, error] = values(list)
	return lines(w, p, after(p.After, id, all))
}
