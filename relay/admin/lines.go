package admin

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
)

// Page narrows a list.
type Page struct {
	Limit int    // 0 is all
	After string // only what follows this id
	Count bool   // beyond Limit, count what is left

	known bool // how many there are in all is known
	all   int
}

// CountMost is how many lines beyond a page are counted by reading them; that
// many stand for so many or more.
const CountMost = 200

const (
	linesType   = "application/jsonl"
	moreTrailer = "Lull-More"
	// flushAfter lines, so that the first screen is there before the rest is read.
	flushAfter = 100
)

func pageOf(r *http.Request) (Page, error) {
	q := r.URL.Query()
	p := Page{After: q.Get("after"), Count: q.Get("count") != ""}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return p, usage(fmt.Sprintf("limit %q must be a number, 0 for all", text))
		}
		p.Limit = n
	}
	return p, nil
}

// lines writes one JSON object a line. What went wrong after the first line,
// and how many more there are, follow as trailers.
func lines[T any](w http.ResponseWriter, p Page, all iter.Seq2[T, error]) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	written, more := 0, 0
	for v, err := range all {
		if err != nil {
			return err
		}
		if p.Limit > 0 && written == p.Limit {
			if p.known {
				more = p.all - written
				break
			}
			if more++; !p.Count || more == CountMost {
				break
			}
			continue
		}
		if written == 0 {
			startLines(w)
		}
		if err := out.Encode(v); err != nil {
			return fmt.Errorf("writing the answer: %w", err)
		}
		if written++; written%flushAfter == 0 || written == p.Limit {
			_ = http.NewResponseController(w).Flush()
		}
	}
	if written == 0 {
		startLines(w)
	}
	w.Header().Set(moreTrailer, strconv.Itoa(more))
	return nil
}

func startLines(w http.ResponseWriter) {
	w.Header().Set("Trailer", strings.Join([]string{moreTrailer, faultTrailer}, ", "))
	w.Header().Set("Content-Type", linesType)
}

// after skips everything up to and including the record with that id.
func after[T any](id string, idOf func(T) string, all iter.Seq2[T, error]) iter.Seq2[T, error] {
	if id == "" {
		return all
	}
	return func(yield func(T, error) bool) {
		found := false
		for v, err := range all {
			if err != nil || found {
				if !yield(v, err) {
					return
				}
				continue
			}
			found = idOf(v) == id
		}
		if !found {
			var none T
			yield(none, &Fault{NotFound, fmt.Sprintf("nothing in this list has the id %q that --after names", id)})
		}
	}
}

// mapped turns each record into what the answer shows.
func mapped[A, B any](all iter.Seq2[A, error], f func(A) B) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for a, err := range all {
			if err != nil {
				var none B
				yield(none, err)
				return
			}
			if !yield(f(a), nil) {
				return
			}
		}
	}
}

// kept leaves out what does not pass.
func kept[T any](all iter.Seq2[T, error], pass func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range all {
			if (err != nil || pass(v)) && !yield(v, err) {
				return
			}
		}
	}
}

// values is a list that is there already.
func values[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// answer writes one object.
func answer(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}
