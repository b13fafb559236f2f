package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lull/store"
)

// templates are the incident keys by which an incident can be split.
func templates() map[string]string {
	return map[string]string{
		"object":    "{signature} {object}",
		"from":      "{signature} {from}",
		"client":    "{signature} {client}",
		"signature": "{signature}",
		"mail":      "{id}",
	}
}

// Splits are what incidents can be split by.
func Splits() []string { return []string{"object", "from", "client", "signature", "mail"} }

// correction is the grouping rule that a split or merge of incidents asks
// for: it maps the mail of their signatures, for every reader.
func (s *Server) correction(ctx context.Context, verb string, c RuleChange, now time.Time) (RuleChange, error) {
	if c.Filter != "" || c.Key != "" || c.All {
		return c, usage(verb + " finds filter and key from the incidents; `lull rule add group` takes your own")
	}
	incidents, err := s.named(ctx, c.Incidents, now)
	if err != nil {
		return c, err
	}
	if verb == "split" {
		c.Key, err = splitKey(incidents, c.By)
	} else {
		c.Key, err = mergeKey(incidents)
	}
	if err != nil {
		return c, err
	}
	c.Kind, c.Incidents, c.By = string(store.RuleGroup), nil, ""
	c.Filter, err = s.signatures(ctx, incidents)
	return c, err
}

// named are the incidents of some ids.
func (s *Server) named(ctx context.Context, ids []string, now time.Time) ([]store.Incident, error) {
	var all []store.Incident
	for _, id := range ids {
		i, err := s.cfg.Store.Incident(ctx, id, now)
		if errors.Is(err, store.ErrNotFound) {
			return nil, &Fault{NotFound, "no incident has the id " + id + "; `lull incidents` lists them" + s.incidentHint(ctx, id)}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, nil
}

// incidentHint helps who named a copy or a message in place of its incident.
func (s *Server) incidentHint(ctx context.Context, id string) string {
	entries, err := s.entries(ctx, id)
	if err != nil || entries[0].Copy.Incident == "" {
		return ""
	}
	return "; " + id + " is mail of incident " + entries[0].Copy.Incident
}

func splitKey(incidents []store.Incident, by string) (string, error) {
	if len(incidents) != 1 {
		return "", usage("split needs one incident; `lull incidents` lists them")
	}
	key := templates()[by]
	if key == "" {
		return "", usage(fmt.Sprintf("an incident cannot be split by %q; --by takes one of %s", by, strings.Join(Splits(), ", ")))
	}
	return key, nil
}

func mergeKey(incidents []store.Incident) (string, error) {
	if len(incidents) < 2 {
		return "", usage("merge needs two incidents or more; `lull incidents` lists them")
	}
	first := incidents[0]
	same := true
	for _, i := range incidents[1:] {
		if i.Copies == 0 || first.Copies == 0 {
			return "", usage(fmt.Sprintf("no mail is left in one of %s and %s: a rule took it elsewhere, or all of it was purged; `lull incidents` lists those that have some", first.ID, i.ID))
		}
		if i.Reader != first.Reader {
			return "", usage(fmt.Sprintf("%s is an incident of %s, %s one of %s; incidents of two readers cannot be one", first.ID, first.Reader, i.ID, i.Reader))
		}
		same = same && i.ID == first.ID
	}
	if same {
		return "", usage("this is one incident already: name the others that belong to it, too")
	}
	if strings.Contains(first.Key, "{") {
		return "", usage(fmt.Sprintf("the key of %s, %q, cannot be written as a template; name another first, or use `lull rule add group`", first.ID, first.Key))
	}
	return first.Key, nil
}

// mostSignatures bounds the filter of a correction.
const mostSignatures = 100

// signatures is the filter for mail of the kinds that incidents hold.
func (s *Server) signatures(ctx context.Context, incidents []store.Incident) (string, error) {
	var all []string
	for _, i := range incidents {
		all = append(all, newer(i)...)
		for e, err := range s.cfg.Store.Copies(ctx, store.Query{Filter: "--incident " + i.ID}) {
			if err != nil {
				return "", err
			}
			if id := e.Message.Reading.Signature.ID; !slices.Contains(all, id) {
				all = append(all, id)
			}
			if len(all) > mostSignatures {
				return "", refused(fmt.Sprintf("incident %s holds mail of more than %d signatures; write a rule with `lull rule add group` and a filter that tells them", i.ID, mostSignatures))
			}
		}
	}
	if len(all) == 0 {
		return "", &Fault{NotFound, "none of the mail of these incidents is kept"}
	}
	return "--signature " + strings.Join(all, " --signature "), nil
}

// newer are the signatures that mail of an incident has since an upgrade: none
// of it need have come yet. What rules make of signatures is left out.
func newer(i store.Incident) []string {
	return slices.DeleteFunc(slices.Clone(i.Also), func(key string) bool {
		version, id, _ := strings.Cut(strings.TrimPrefix(key, "s"), "-")
		_, err := strconv.Atoi(version)
		return err != nil || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" || len(id) != 26
	})
}
