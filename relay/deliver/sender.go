package deliver

import (
	"context"
	"io"

	"lull/store"
)

// Ready is called at most once an attempt, when the mail server has accepted
// the sender and at least one recipient, immediately before DATA. accepted
// holds the indexes into [store.Outgoing].To that were accepted.
//
// It returns the body, which is closed after use if it is an [io.Closer].
// Lines may end in any way: bare CR and bare LF become CRLF on the wire, dots
// are stuffed. If it also has a method Len() int, as [bytes.Reader] has, the
// length is held against the limit of the mail server before DATA.
//
// An error ends the attempt as refused, without DATA.
type Ready = func(ctx context.Context, accepted []int) (io.Reader, error)

// Sender makes one attempt to send one mail.
type Sender interface {
	// Send never returns without an outcome, and has one reply for each
	// recipient. It ends when ctx does, and by deadlines of its own.
	Send(ctx context.Context, mail store.Outgoing, ready Ready) store.Sent
}

// The stages of the dialogue, as [store.Reply].Stage names them.
const (
	stageConnect  = "connect"
	stageGreeting = "greeting"
	stageEHLO     = "ehlo"
	stageStartTLS = "starttls"
	stageAuth     = "auth"
	stageMail     = "mail"
	stageRcpt     = "rcpt"
	stageData     = "data"
	stageBody     = "body"
	stageDot      = "dot"
)
