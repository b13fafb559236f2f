package relay

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/emersion/go-smtp"

	"lull/store"
)

// What a message can run into on its way from the client to the Acceptor.
var (
	errCutShort = errors.New("the message did not arrive in full")
	errTooLarge = errors.New("the message exceeds the size limit")
	errBusy     = errors.New("no memory is free for the message")
	errLoop     = errors.New("the message loops")
	errHungUp   = fmt.Errorf("the connection was ended: %w", net.ErrClosed)
)

// reply is what a client is told about an error. It is total: an error that
// it does not know is ours, and the sender may try again (451). The text
// never repeats the error's own words, which belong into the log.
func reply(err error) *answer {
	var said *answer
	switch {
	case errors.As(err, &said):
		return said
	case errors.Is(err, store.ErrFull):
		return say(452, enhanced{4, 3, 1}, "Not enough space now, try again later")
	case errors.Is(err, store.ErrTooLarge), errors.Is(err, errTooLarge):
		return say(552, enhanced{5, 3, 4}, "Message is too large")
	case errors.Is(err, errBusy):
		return say(452, enhanced{4, 3, 1}, "Too many messages at once, try again later")
	case errors.Is(err, errLoop):
		return say(554, enhanced{5, 4, 6}, "Too many hops, this message is in a loop")
	case errors.Is(err, store.ErrStopped), errors.Is(err, context.Canceled):
		return say(451, enhanced{4, 3, 2}, stopText)
	case errors.Is(err, errCutShort):
		return say(451, enhanced{4, 4, 2}, "The message did not arrive in full, send it again")
	}
	return say(451, enhanced{4, 3, 0}, "Local error in processing, try again later")
}

// answer is a reply as go-smtp wants it: 250 is one, too.
type answer = smtp.SMTPError

// enhanced is a status code of RFC 3463.
type enhanced = smtp.EnhancedCode

// say makes a reply.
func say(code int, class enhanced, text string) *answer {
	return &answer{Code: code, EnhancedCode: class, Message: text}
}

// line is a reply as it stands on the wire, without its line end.
func line(e *answer) string {
	c := e.EnhancedCode
	return fmt.Sprintf("%d %d.%d.%d %s", e.Code, c[0], c[1], c[2], e.Message)
}

// addressFault is the reply to an address that is refused.
func addressFault(whose string, class enhanced, err error) *answer {
	code := 553
	if errors.Is(err, errNeedsUTF8) {
		class = enhanced{5, 6, 7} // RFC 6531 section 3.5
	}
	return say(code, class, "The "+whose+" address "+err.Error())
}

const stopText = "Service is stopping, try again later"

// stopped is said to clients without a message under way.
func stopped() *answer { return say(421, enhanced{4, 3, 2}, stopText) }
