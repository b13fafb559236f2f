package admin

import (
	"errors"
	"net/http"
	"time"

	"lull/store"
)

// preview answers with the mail that the reader's digest would be.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) error {
	reader := r.URL.Query().Get("reader")
	mail, err := s.cfg.Previewer.Preview(r.Context(), reader, time.Now())
	if err != nil {
		return noDigest(reader, err)
	}
	w.Header().Set("Content-Type", "message/rfc822")
	_, err = w.Write(mail)
	return err
}

func (s *Server) send(w http.ResponseWriter, r *http.Request) error {
	c, err := read[Sending](r)
	if err != nil {
		return err
	}
	sent, err := s.cfg.Sender.SendNow(r.Context(), c.Reader, time.Now())
	if err != nil {
		return noDigest(c.Reader, err)
	}
	s.event(Event{Request: "send", By: author(r), Operation: sent.Digest, Copies: sent.Copies})
	s.cfg.Wake()
	return answer(w, sent)
}

// noDigest says why there is none to make. A reader for whom nothing waits may
// not be known to the store at all.
func noDigest(reader string, err error) error {
	if errors.Is(err, store.ErrNothing) || errors.Is(err, store.ErrNotFound) {
		return &Fault{NotFound, "nothing waits for " + reader + ", so there is no digest to make; `lull forecast` lists the readers for whom something does"}
	}
	return err
}
