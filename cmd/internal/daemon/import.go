package daemon

import (
	"context"
	"errors"

	"lull/relay"
	"lull/relay/admin"
)

// Known reports whether a message of that key was taken before.
func (d *daemon) Known(key string) bool { return d.store.Known(key) }

// Import takes a message in that comes from another program's queue.
func (d *daemon) Import(_ context.Context, m admin.Import, body []byte) error {
	if in := d.intake.Load(); in.state != openIntake { // before that there is no relay
		return &admin.Fault{Code: admin.Refused, Text: "no mail is taken in: " + in.state}
	}
	err := d.relay.Submit(relay.Submission{
		Key: m.Key, From: m.From, To: m.To, Notify: m.Notify, Ret: m.Ret, EnvID: m.EnvID, Host: m.Host, Body: body,
	})
	if errors.Is(err, relay.ErrRefused) {
		return &admin.Fault{Code: admin.Refused, Text: err.Error()}
	}
	return err
}
