package admin

import (
	"net/http"
	"strings"
	"time"

	"lull/store"
)

func (s *Server) show(w http.ResponseWriter, r *http.Request) error {
	entries, err := s.entries(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	now := time.Now()
	return lines(w, Page{}, mapped(values(entries), func(e store.Entry) Detail { return detailOf(e, now) }))
}

func detailOf(e store.Entry, now time.Time) Detail {
	m := e.Message
	d := Detail{
		Copy: copyOf(e, now), HeaderFrom: m.Reading.From, MessageID: m.Reading.MessageID,
		Sent: utc(m.Reading.Sent), Helo: m.Envelope.Helo, Auth: m.Envelope.Auth,
		Hops: m.Reading.Hops, Marks: m.Reading.Marks, Excerpt: m.Reading.Excerpt,
		Format: m.Reading.Signature.Format, Options: optionsOf(e),
	}
	for _, report := range m.Reading.Reports {
		d.Reports = append(d.Reports, Affected{
			Object: report.Object, State: string(report.State), Kind: report.Kind,
			Severity: string(report.Severity), Since: utc(report.Time),
		})
	}
	return d
}

func optionsOf(e store.Entry) map[string]string {
	all := map[string]string{
		"ret": e.Message.Envelope.Ret, "envid": e.Message.Envelope.EnvID,
		"notify": strings.Join(e.Copy.Notify, ","), "orcpt": e.Copy.ORcpt,
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// raw answers with the message as it was received.
func (s *Server) raw(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entry(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	body, err := s.cfg.Store.Body(r.Context(), e.Message.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "message/rfc822")
	_, err = w.Write(body)
	return err
}
