package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"lull/store"
)

// canaryTag begins the sub-address of canary mails.
const canaryTag = "canary-"

// sendCanary gives the mail server a mail to one of our own addresses.
func (d *daemon) sendCanary(ctx context.Context, canary string) error {
	cfg := d.settings.Load().config
	local, domain, _ := strings.Cut(cfg.Digest.From, "@")
	to := local + "+" + canaryTag + canary + "@" + domain
	mail := fmt.Sprintf("From: <%s>\r\nTo: <%s>\r\nSubject: canary\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nAuto-Submitted: auto-generated\r\n\r\n"+
		"lull asks whether mail leaves this mail server: it must be handed back.\r\n",
		cfg.Digest.From, to, time.Now().UTC().Format(time.RFC1123Z), canary, cfg.Hostname)
	sent := d.out.Send(ctx, store.Outgoing{To: []store.Target{{Address: to}}, Size: int64(len(mail))},
		func(context.Context, []int) (io.Reader, error) { return bytes.NewReader([]byte(mail)), nil })
	if sent.Outcome != store.Delivered {
		return fmt.Errorf("canary: %s", sent.Reply)
	}
	return nil
}

// returned takes in what comes back to the address of a digest, or of a
// canary. A report that
// only tells of a delay gives nothing back.
func (d *daemon) returned(ctx context.Context, digest string, m store.Message) (bool, error) {
	if strings.HasPrefix(digest, canaryTag) {
		d.release.back()
		return true, nil
	}
	if delayed(m.Reading) {
		return true, nil
	}
	err := d.store.Return(ctx, digest, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err == nil {
		d.log.Warn("a digest came back", "digest", digest, "subject", m.Reading.Subject)
		d.stir()
	}
	return err == nil, err
}

// delayed reports whether a delivery report says that the mail is still being
// tried, as mail servers word it.
func delayed(r store.Reading) bool {
	text := strings.ToLower(r.Subject + " " + r.Excerpt)
	for _, words := range []string{"delayed", "still being retried", "will continue to be attempted", "warning: could not send", "you do not need to resend"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
