package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"lull/store"
)

// TestReply is the table of what clients are told. Whatever is wrong with us
// is 4xx, and no word of it gets out.
func TestReply(t *testing.T) {
	secret := errors.New("/var/lib/lull/store.db: input/output error")
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"disk full", store.ErrFull, "452 4.3.1 Not enough space now, try again later"},
		{"store stopped", store.ErrStopped, "451 4.3.2 Service is stopping, try again later"},
		{"server stopped", context.Canceled, "451 4.3.2 Service is stopping, try again later"},
		{"invalid command of ours", store.ErrInvalid, "451 4.3.0 Local error in processing, try again later"},
		{"key known", store.ErrKnown, "451 4.3.0 Local error in processing, try again later"},
		{"damaged record", store.ErrCorrupt, "451 4.3.0 Local error in processing, try again later"},
		{"time over", context.DeadlineExceeded, "451 4.3.0 Local error in processing, try again later"},
		{"too large for the store", store.ErrTooLarge, "552 5.3.4 Message is too large"},
		{"too large", errTooLarge, "552 5.3.4 Message is too large"},
		{"too large for go-smtp", smtp.ErrDataTooLarge, "552 5.3.4 Maximum message size exceeded"},
		{"no memory", errBusy, "452 4.3.1 Too many messages at once, try again later"},
		{"loop", errLoop, "554 5.4.6 Too many hops, this message is in a loop"},
		{"connection lost", fmt.Errorf("%w: %w", errCutShort, io.ErrUnexpectedEOF), "451 4.4.2 The message did not arrive in full, send it again"},
		{"connection of the store lost", &net.OpError{Op: "read", Err: secret}, "451 4.3.0 Local error in processing, try again later"},
		{"anything else", secret, "451 4.3.0 Local error in processing, try again later"},
		{"a reply", say(550, enhanced{5, 7, 1}, "No"), "550 5.7.1 No"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrapped := fmt.Errorf("committing %w: %w", secret, c.err)
			for _, err := range []error{c.err, fmt.Errorf("x: %w", c.err), wrapped} {
				said := line(reply(err))
				if said != c.want {
					t.Errorf("reply(%v) = %q, want %q", err, said, c.want)
				}
				if strings.Contains(said, "/var") {
					t.Errorf("%q tells of our inside", said)
				}
			}
		})
	}
}
