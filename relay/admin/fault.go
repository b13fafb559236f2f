package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"lull/store"
	"lull/store/filter"
)

// Code says what kind of failure an answer tells.
type Code string

// The codes.
const (
	NotFound Code = "not_found" // no record has that id
	Usage    Code = "usage"     // the request is wrong as it stands
	Refused  Code = "refused"   // not now, or not in this state
	Full     Code = "full"      // no space left
	Stopped  Code = "stopped"   // the store has stopped; the daemon is about to end
	Internal Code = "internal"  // a fault of ours
)

// Fault is a failed request, as the caller reads it: what, why, what to do.
type Fault struct {
	Code Code   `json:"code"`
	Text string `json:"error"`
}

func (f *Fault) Error() string { return f.Text }

func usage(text string) error { return &Fault{Usage, text} }

func refused(text string) error { return &Fault{Refused, text} }

// fault is the one mapping from errors to answers.
func fault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	if fe := (*filter.Error)(nil); errors.As(err, &fe) {
		return &Fault{Usage, err.Error()}
	}
	for _, c := range []struct {
		is   error
		code Code
		hint string
	}{
		{store.ErrNotFound, NotFound, "; it may have been removed after its time: see `lull list` and `lull operations`"},
		{store.ErrNothing, NotFound, ""},
		{store.ErrInvalid, Usage, ""},
		{store.ErrNoSlot, Refused, "; `lull forecast` tells when the next one is free"},
		{store.ErrPinned, Refused, "; see `lull status` for the mail server's answer"},
		{store.ErrGone, Refused, "; run the command again"},
		{store.ErrStaleTerm, Refused, "; another lull sends mail now"},
		{store.ErrFull, Full, "; free space, or delete for good: `lull purge --fate purged --forever` empties the trash, `lull purge FILTER --forever` deletes what waits"},
		{store.ErrStopped, Stopped, "; the daemon ends and must be started again: see its log"},
	} {
		if errors.Is(err, c.is) {
			return &Fault{c.code, err.Error() + c.hint}
		}
	}
	return &Fault{Internal, "lull could not do this by a fault of its own (" + err.Error() + "); its log says more"}
}

// status is the HTTP status of a code.
func (c Code) status() int {
	switch c {
	case NotFound:
		return http.StatusNotFound
	case Usage:
		return http.StatusBadRequest
	case Refused:
		return http.StatusConflict
	case Full:
		return http.StatusInsufficientStorage
	case Stopped:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// faultTrailer carries a fault that came up after the first line was sent.
const faultTrailer = "Lull-Fault"

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault(err)
	ours := f.Code == Internal || f.Code == Stopped
	if ours && r.Context().Err() == nil { // else the caller went away
		s.event(Event{Request: r.Method + " " + r.URL.Path, By: author(r), Err: err})
	}
	text, _ := json.Marshal(f) // strings always marshal
	if begun(w) {
		w.Header().Set(faultTrailer, string(text))
		return
	}
	w.Header().Del("Trailer")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Code.status())
	_, _ = w.Write(append(text, '\n'))
}

// begun reports whether a stream of lines has started its answer.
func begun(w http.ResponseWriter) bool { return w.Header().Get("Content-Type") == linesType }
