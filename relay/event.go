package relay

import "time"

// Event is something worth a log line or a count.
type Event struct {
	Kind   Kind
	Client string // address of the client, "unix" for a socket
	Helo   string
	// Message is the id of the message, if it got one.
	Message string
	From    string // reverse-path, of a message or of a refused MAIL
	To      string // forward-path, of a refused RCPT
	Copies  int
	Size    int64 // bytes
	Took    time.Duration
	// Reply is what the client was told.
	Reply string
	// Err is what went wrong, in our own words; the client never sees it.
	Err error
}

// Kind says what an Event tells.
type Kind string

// The kinds.
const (
	Connected  Kind = "connected"   // a client was let in
	TurnedAway Kind = "turned away" // a client was sent off with 421 at the door
	Refused    Kind = "refused"     // MAIL, RCPT or AUTH got 4xx or 5xx
	Accepted   Kind = "accepted"    // a message is durable and got its 250
	Failed     Kind = "failed"      // a message got 4xx or 5xx after DATA or BDAT
	HungUp     Kind = "hung up"     // we ended a connection
	Trouble    Kind = "trouble"     // a fault of the protocol engine or of a listener
)
