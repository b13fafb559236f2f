// Package importer reads the queues of other programs, message by message. It
// writes nothing: what becomes of the source is the caller's decision.
package importer

import (
	"iter"
	"time"

	"lull/relay/spool"
)

// Message is one message in another program's queue.
type Message struct {
	// Key is the same whenever the message is read: the source, the name of
	// the message there, and the SHA-256 of all that was read. The store
	// takes a key once.
	Key string
	// Name is the message's name in the source, for people.
	Name string
	From string // reverse-path without brackets, "" for the null sender
	To   []string
	// Notify, Ret and EnvID are DSN parameters (RFC 3461), decoded.
	Notify []string
	Ret    string
	EnvID  string
	// Host is the machine that the message comes from.
	Host string
	// At is when it came into the queue.
	At   time.Time
	Body []byte
}

// Spool reads what our sendmail has left, oldest first; messages are of at
// most max bytes. Nobody else is given a message while it is yielded. An error
// that is a *spool.Bad is about one message, others end the list.
func Spool(folder spool.Folder, max int64) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for e, err := range folder.All(max) {
			if !yield(fromSpool(e), err) {
				return
			}
		}
	}
}

func fromSpool(e spool.Entry) Message {
	return Message{
		Key: "spool:" + e.Name + ":" + e.Sum, Name: e.Name, From: e.From, To: e.To,
		Notify: e.Notify, Ret: e.Ret, EnvID: e.EnvID, Host: e.Host, At: e.At, Body: e.Message,
	}
}
