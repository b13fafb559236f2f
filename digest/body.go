package digest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"lull/store"
)

// whole is a mail to be sent, of known length.
type whole struct {
	io.Reader
	size int
}

// Len is the length of the mail in bytes.
func (w whole) Len() int { return w.size }

// original is a message as it was received, below the field that we add.
func original(trace string, body []byte) io.Reader {
	return whole{io.MultiReader(strings.NewReader(trace), bytes.NewReader(body)), len(trace) + len(body)}
}

// lineLimit is how long a line may be without its end (RFC 5322 section 2.1.1).
const lineLimit = 998

// refusesLines reports whether a mail may have been refused for its long lines.
func refusesLines(sent store.Sent, body []byte) bool {
	if sent.Outcome != store.Refused && sent.Outcome != store.Rejected || sent.Reply.Verdict != store.MailFailed {
		return false
	}
	for line := range bytes.Lines(body) {
		if len(bytes.TrimRight(line, "\r\n")) > lineLimit {
			return true
		}
	}
	return false
}

// attached is a mail of ours that has a message in it which the mail server
// does not take as it is. Nothing of the message is in its header.
func attached(p *plan, id string, m *store.Message, body []byte) []byte {
	var b bytes.Buffer
	edge := "lull-" + id
	fmt.Fprintf(&b, "From: lull <%s>\r\nTo: undisclosed-recipients:;\r\nSubject: Mail with overlong lines, attached\r\n", p.from())
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s@%s>\r\n", m.Accepted.UTC().Format(time.RFC1123Z), id, p.Host)
	fmt.Fprintf(&b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=%q\r\n\r\n", edge)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", edge)
	b.WriteString("The mail server does not take lines of more than 998 characters. The mail\r\nthat has them is attached as it was received.\r\n")
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream; name=\"mail.eml\"\r\n", edge)
	b.WriteString("Content-Disposition: attachment; filename=\"mail.eml\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	encoded := base64.StdEncoding.EncodeToString(append([]byte(m.Trace), body...))
	for len(encoded) > 0 {
		n := min(76, len(encoded))
		b.WriteString(encoded[:n] + "\r\n")
		encoded = encoded[n:]
	}
	fmt.Fprintf(&b, "--%s--\r\n", edge)
	return b.Bytes()
}
