package relay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lull/store"
)

func TestSubmit(t *testing.T) {
	full, gone := fmt.Errorf("commit: %w", store.ErrFull), errors.New("disk on fire")
	known := fmt.Errorf("key: %w", store.ErrKnown)
	usual := Submission{Key: "k", From: "root@a.example", To: []string{"ops@example.org"}, Host: "a.example\r\nX: y", Notify: []string{"NEVER"}, Body: []byte("Subject: x\r\n\r\n")}
	for name, c := range map[string]struct {
		change  func(*Submission)
		store   error
		err     error // nil: taken
		forEver bool
		to      []string // that the message was accepted for
	}{
		"one recipient":      {to: []string{"ops@example.org"}},
		"the null sender":    {change: func(s *Submission) { s.From = "" }, to: []string{"ops@example.org"}},
		"named twice":        {change: func(s *Submission) { s.To = []string{"ops@example.org", "ops@example.org"} }, to: []string{"ops@example.org"}},
		"outside of ASCII":   {change: func(s *Submission) { s.To = []string{"bär@example.org"} }, to: []string{"bär@example.org"}},
		"quoted":             {change: func(s *Submission) { s.To = []string{`"a b"@example.org`} }, to: []string{`"a b"@example.org`}},
		"a route":            {change: func(s *Submission) { s.To = []string{"a%b@example.org"} }, err: ErrRefused, forEver: true},
		"an injection":       {change: func(s *Submission) { s.To = []string{"a@example.org>\r\nDATA"} }, err: ErrRefused, forEver: true},
		"a bad sender":       {change: func(s *Submission) { s.From = "root" }, err: ErrRefused, forEver: true},
		"one of two is bad":  {change: func(s *Submission) { s.To = []string{"a", "b@example.org"} }, err: ErrRefused, forEver: true, to: []string{"b@example.org"}},
		"a domain not taken": {change: func(s *Submission) { s.To = []string{"a@elsewhere.example"} }, err: ErrRefused, forEver: true},
		"too large":          {change: func(s *Submission) { s.Body = make([]byte, 101) }, err: ErrRefused, forEver: true},
		"no space":           {store: full, err: store.ErrFull},
		"our fault":          {store: gone, err: gone},
		"known":              {store: known, err: store.ErrKnown},
		"bad, and no space":  {change: func(s *Submission) { s.To = []string{"a", "b@example.org"} }, store: full, err: store.ErrFull},
		"bad, and known":     {change: func(s *Submission) { s.To = []string{"a", "b@example.org"} }, store: known, err: store.ErrKnown, forEver: true},
	} {
		t.Run(name, func(t *testing.T) {
			b, e := &box{err: c.store}, &events{}
			s := New(Config{Hostname: "lull.test", MaxMessage: 100, RecipientDomains: []string{"example.org"}}, testDeps(t, b, e))
			sub := usual
			if c.change != nil {
				c.change(&sub)
			}
			err := s.Submit(sub)
			if !errors.Is(err, c.err) || errors.Is(err, ErrRefused) != c.forEver {
				t.Fatalf("got %v", err)
			}
			if len(c.to) == 0 {
				if b.count() > 0 {
					t.Error("it was accepted")
				}
				return
			}
			m := b.messages[0]
			var to []string
			for _, copy := range m.Copies {
				to = append(to, copy.To)
			}
			if !slices.Equal(to, c.to) || m.Key != "k" || m.Envelope.From != sub.From || m.Copies[0].Notify[0] != "NEVER" {
				t.Errorf("accepted: %+v", m)
			}
			if m.Envelope.UTF8 != strings.Contains(c.to[0], "ä") || !strings.HasPrefix(m.Trace, "Received: from a.exampleX:y (unix)\r\n\tby lull.test (lull) with local") {
				t.Errorf("UTF8 %v, trace %q", m.Envelope.UTF8, m.Trace)
			}
			if len(e.of(Accepted)) != 1 {
				t.Error("nobody was told")
			}
		})
	}
}
