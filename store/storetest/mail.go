package storetest

import (
	"fmt"
	"time"

	"lull/store"
)

// mail is an alert of one signature to one reader.
func mail(id string, at time.Time, reader, signature, object string, state store.State) store.Message {
	return store.Message{
		ID: id, Accepted: at,
		Envelope: store.Envelope{From: "icinga@" + object + ".example.org", Client: "192.0.2.7", Helo: object},
		Trace:    "Received: from " + object + "\r\n",
		Reading: store.Reading{
			Signature: store.Signature{ID: signature, Title: "title of " + signature, Format: "icinga", Version: 1},
			Reports:   []store.Report{{Object: object, State: state, Severity: store.Critical}},
			Subject:   fmt.Sprintf("%s %s on %s", state, signature, object),
			From:      "Icinga <icinga@example.org>",
			MessageID: "<same@example.org>", Sent: at,
		},
		Copies: []store.Copy{{Index: 1, To: reader, Reader: reader, Class: store.Alert, Reason: "format icinga"}},
	}
}

// human is mail that passes.
func human(id string, at time.Time, to string) store.Message {
	m := mail(id, at, to, "s1-human", "", store.Notice)
	m.Envelope.From = "alice@example.org"
	m.Copies[0].Class = store.Pass
	return m
}

// also adds a copy for another recipient.
func also(m store.Message, to string, class store.Class) store.Message {
	m.Copies = append(m.Copies, store.Copy{Index: len(m.Copies) + 1, To: to, Reader: to, Class: class})
	return m
}

// recovers makes the signature one of a format that sends recoveries.
func recovers(m store.Message) store.Message {
	m.Reading.Signature.Recovers = true
	return m
}

// body is what is kept of a message.
func body(m store.Message) []byte {
	return fmt.Appendf(nil, "Subject: %s\r\n\r\nbody of %s\r\n", m.Reading.Subject, m.ID)
}
