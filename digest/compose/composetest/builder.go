// Package composetest builds the inputs of digests: by hand, or as the
// scenes that digests are judged by.
package composetest

import (
	"fmt"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// Builder makes the input of one reader's digest, mail by mail, keeping the
// books on incidents as a store does. Ids count up, so that the same calls
// make the same input.
type Builder struct {
	in     compose.Input
	byKey  map[string]int            // title → index in in.Incidents
	byName map[string]map[string]int // title → object → index in Objects
	ids    int
}

// Mail is one alert mail to the reader.
type Mail struct {
	// At is when it was accepted, Sent what it claims itself (zero: At).
	At, Sent time.Time
	Title    string // of the signature; names the incident
	Object   string
	State    store.State
	Kind     string
	Severity store.Severity
	Subject  string
	Excerpt  string
	// Earlier mails were told in a digest before this one.
	Earlier bool
	// Silenced names a rule, Shown a notice, Joined the guard's reason.
	Silenced, Shown, Joined string
}

// New begins the digest that host cuts for the reader at now, an hour after
// the last one.
func New(host, reader string, now time.Time) *Builder {
	b := &Builder{byKey: map[string]int{}, byName: map[string]map[string]int{}}
	b.in = compose.Input{
		ID: "01DPJ9ZG00D1GEST0000000001", Host: host, Reader: reader, To: reader, Now: now,
		Since: now.Add(-time.Hour), LastID: "01DPJ6HM00D1GEST0000000000", Window: time.Hour, LateAfter: time.Hour,
		Next: now.Add(time.Hour),
	}
	return b
}

// Add is one more mail.
func (b *Builder) Add(m Mail) {
	if m.Sent.IsZero() {
		m.Sent = m.At
	}
	b.ids++
	incident := b.count(m)
	if m.Earlier {
		return
	}
	report := store.Report{Object: m.Object, State: m.State, Kind: m.Kind, Severity: m.Severity}
	message := &store.Message{
		ID: fmt.Sprintf("01DPJ%021d", b.ids), Accepted: m.At, Size: 900,
		Reading: store.Reading{
			Signature: store.Signature{ID: incident.Signature, Title: m.Title, Format: "generic"},
			Reports:   []store.Report{report}, Subject: m.Subject, Sent: m.Sent, Excerpt: m.Excerpt,
		},
	}
	c := store.Copy{Index: 1, To: b.in.To, Reader: b.in.Reader, Class: store.Alert, Number: uint64(b.ids),
		Incident: incident.ID, Silenced: m.Silenced}
	if m.Joined != "" {
		c.Class, c.Incident = store.Pass, ""
	}
	message.Copies = []store.Copy{c}
	b.in.Entries = append(b.in.Entries, store.Entry{
		Message: message, Copy: c, Fate: store.InFlight, In: b.in.ID, Shown: m.Shown,
		Progress: store.Progress{Joined: m.Joined},
	})
}

// count enters a mail into its incident.
func (b *Builder) count(m Mail) *store.Incident {
	n, ok := b.byKey[m.Title]
	if !ok {
		n = len(b.in.Incidents)
		b.byKey[m.Title], b.byName[m.Title] = n, map[string]int{}
		b.in.Incidents = append(b.in.Incidents, store.Incident{
			ID: fmt.Sprintf("01DPK%021d", n+1), Reader: b.in.Reader, Title: m.Title,
			Key: fmt.Sprintf("s1-%026d", n+1), Signature: fmt.Sprintf("s1-%026d", n+1),
			Opened: m.At, First: m.At,
		})
	}
	i := &b.in.Incidents[n]
	i.Copies++
	i.Last = m.At
	if m.Earlier {
		i.Before = true
	} else {
		i.Lately++
	}
	if m.Shown != "" {
		i.Notice, i.Announced = m.Shown, m.At.Add(time.Second)
	}
	b.report(i, m)
	return i
}

// report moves the mail's object.
func (b *Builder) report(i *store.Incident, m Mail) {
	n, ok := b.byName[m.Title][m.Object]
	if !ok {
		n = len(i.Objects)
		b.byName[m.Title][m.Object] = n
		i.Objects = append(i.Objects, store.Object{Name: m.Object, First: m.At})
		i.ObjectCount++
	}
	o := &i.Objects[n]
	if o.State != m.State {
		o.Since = m.At
		if m.State == store.Problem {
			o.Problems++
		}
	}
	o.State, o.Kind, o.Severity, o.Last = m.State, m.Kind, m.Severity, m.At
	o.Reports++
}

// Incident is the incident of that title, to be changed by hand.
func (b *Builder) Incident(title string) *store.Incident { return &b.in.Incidents[b.byKey[title]] }

// Input is the digest's input as it stands.
func (b *Builder) Input() compose.Input {
	in := b.in
	in.Incidents = nil
	for _, i := range b.in.Incidents {
		if i.Lately > 0 {
			in.Incidents = append(in.Incidents, i)
		}
	}
	in.Batch = store.Batch{ID: in.ID, Kind: store.KindDigest, Reader: in.Reader, To: in.To, At: in.Now,
		Copies: len(in.Entries), Incidents: len(in.Incidents)}
	in.Body = b.body
	return in
}

// body is what a mail of the builder's may have looked like.
func (b *Builder) body(message string) ([]byte, error) {
	for i := range b.in.Entries {
		if m := b.in.Entries[i].Message; m.ID == message {
			return fmt.Appendf(nil, "Received: from a.example by b.example for <%s>; %s\r\nFrom: alerts@example.org\r\n"+
				"To: %s,\r\n other@example.net\r\nSubject: %q\r\n\r\n%s\r\n",
				b.in.To, m.Accepted.Format(time.RFC1123Z), b.in.To, m.Reading.Subject, m.Reading.Excerpt), nil
		}
	}
	return nil, fmt.Errorf("%s: %w", message, store.ErrNotFound)
}
