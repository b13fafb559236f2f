package admin

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"lull/store"
	"lull/store/filter"
)

// Groupings are what copies can be counted by.
func Groupings() []string {
	return []string{"incident", "reader", "sender", "host", "age", "signature", "object", "fate"}
}

// keyOf gives the key of a copy under each grouping; with it, where there is
// one, a title.
func keyOf(by string, now time.Time) func(e store.Entry) (key, title string) {
	switch by {
	case "incident":
		return func(e store.Entry) (string, string) { return e.Copy.Incident, e.Message.Reading.Signature.Title }
	case "reader":
		return func(e store.Entry) (string, string) { return e.Copy.Reader, "" }
	case "sender":
		return func(e store.Entry) (string, string) { return cmp.Or(e.Message.Envelope.From, "<>"), "" }
	case "host":
		return func(e store.Entry) (string, string) { return e.Message.Envelope.Client, e.Message.Envelope.Helo }
	case "age":
		return func(e store.Entry) (string, string) { return ageKey(now.Sub(filter.Sent(e.Message))), "" }
	case "signature":
		return func(e store.Entry) (string, string) {
			return e.Message.Reading.Signature.ID, e.Message.Reading.Signature.Title
		}
	case "object":
		return func(e store.Entry) (string, string) { return objectOf(e), "" }
	case "fate":
		return func(e store.Entry) (string, string) { return string(e.Fate), "" }
	}
	return nil
}

func objectOf(e store.Entry) string {
	if len(e.Message.Reading.Reports) == 0 {
		return ""
	}
	return e.Message.Reading.Reports[0].Object
}

// ageKey is the class of an age; the classes sort as they are written here.
func ageKey(age time.Duration) string {
	for _, c := range ageClasses() {
		if age < c.under {
			return c.name
		}
	}
	return "1w+"
}

type ageClass struct {
	under time.Duration
	name  string
}

func ageClasses() []ageClass {
	return []ageClass{
		{10 * time.Minute, "0-10m"}, {time.Hour, "10m-1h"}, {2 * time.Hour, "1h-2h"},
		{6 * time.Hour, "2h-6h"}, {24 * time.Hour, "6h-1d"}, {7 * 24 * time.Hour, "1d-1w"},
	}
}

// tally is a group as it is counted.
type tally struct {
	Group
	readers map[string]bool
}

func (s *Server) group(w http.ResponseWriter, r *http.Request) error {
	p, err := pageOf(r)
	if err != nil {
		return err
	}
	now := time.Now()
	by := r.URL.Query().Get("by")
	key := keyOf(by, now)
	if key == nil {
		return usage(fmt.Sprintf("cannot group by %q; use --by with one of %s", by, strings.Join(Groupings(), ", ")))
	}
	q, err := s.query(r, now)
	if err != nil {
		return err
	}
	groups := map[string]*tally{}
	for e, err := range s.cfg.Store.Copies(r.Context(), q) {
		if err != nil {
			return err
		}
		k, title := key(e)
		count(groups, k, title, by == "incident", e)
	}
	id := func(g Group) string { return g.Key }
	return lines(w, p, after(p.After, id, values(sorted(groups))))
}

func count(groups map[string]*tally, key, title string, oneReader bool, e store.Entry) {
	g := groups[key]
	if g == nil {
		g = &tally{Group: Group{Key: key, Title: title, First: e.Message.Accepted.UTC()}, readers: map[string]bool{}}
		groups[key] = g
	}
	if oneReader {
		g.Reader = e.Copy.Reader
	}
	g.Copies++
	g.readers[e.Copy.Reader] = true
	at := e.Message.Accepted.UTC()
	if at.Before(g.First) {
		g.First = at
	}
	if at.After(g.Last) {
		g.Last = at
	}
}

// sorted is the groups, most copies first.
func sorted(groups map[string]*tally) []Group {
	list := make([]Group, 0, len(groups))
	for t := range maps.Values(groups) {
		t.Readers = len(t.readers)
		list = append(list, t.Group)
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Copies, a.Copies), cmp.Compare(a.Key, b.Key))
	})
	return list
}
