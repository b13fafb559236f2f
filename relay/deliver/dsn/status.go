package dsn

import (
	"strings"

	"lull/store"
)

// status is the part that programs read (RFC 3464 section 2.1): one group of
// fields about the message, one about each recipient.
func status(r Report) []byte {
	w := &writer{}
	w.exact("Original-Envelope-Id", visible(r.Message.Envelope.EnvID))
	w.field("Reporting-MTA", "dns; "+visible(r.Host))
	if helo := r.Message.Envelope.Helo; helo != "" {
		w.field("Received-From-MTA", "dns; "+visible(helo))
	}
	w.field("Arrival-Date", date(r.Message.Accepted))
	for i, c := range r.Copies {
		w.line("")
		w.recipient(r, c, r.Replies[i])
	}
	return w.out
}

func (w *writer) recipient(r Report, c store.Copy, reply store.Reply) {
	w.exact("Original-Recipient", typed(c.ORcpt))
	w.exact("Final-Recipient", final(c.To))
	w.field("Action", string(r.Action))
	w.field("Status", statusCode(r, reply))
	w.field("Diagnostic-Code", diagnostic(reply))
	if !reply.At.IsZero() {
		w.field("Last-Attempt-Date", date(reply.At))
	}
	if r.Action == Delayed && !r.Until.IsZero() {
		w.field("Will-Retry-Until", date(r.Until))
	}
}

// typed is "type; address" of an ORCPT, "" if there is none.
func typed(orcpt string) string {
	kind, address, ok := strings.Cut(orcpt, ";")
	if !ok {
		return ""
	}
	return visible(kind) + "; " + visible(address)
}

// final is the type and address of a recipient (RFC 6533 section 3 for those
// that are not ASCII).
func final(to string) string {
	if strings.ContainsFunc(to, func(c rune) bool { return c > '~' }) {
		return "utf-8; " + visible(strings.ReplaceAll(to, `\`, `\x{5C}`))
	}
	return "rfc822; " + visible(to)
}

// statusCode is the code of RFC 3463 that fits the action: that of the reply if
// its class does.
func statusCode(r Report, reply store.Reply) string {
	class := "5"
	switch r.Action {
	case Delayed:
		class = "4"
	case Relayed:
		class = "2"
	}
	switch {
	case r.Action == Failed && r.Expired:
		return "4.4.7" // delivery time expired
	case strings.HasPrefix(reply.Enhanced, class+"."):
		return reply.Enhanced
	}
	return class + ".0.0"
}

// diagnostic is what the mail server said, or why it said nothing.
func diagnostic(r store.Reply) string {
	_, ours := notSent(r)
	switch {
	case ours, r.Code == 0 && r.Text != "":
		return "x-lull; " + visible(r.Text)
	case r.Code != 0:
		return "smtp; " + visible(smtpReply(r))
	}
	return ""
}
