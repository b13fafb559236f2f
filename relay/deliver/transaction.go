package deliver

import (
	"context"
	"errors"
	"io"
	"strconv"

	"lull/store"
)

// groupLimit bounds the commands sent before their replies are read (RFC 2920
// section 3.2). They and their replies fit into the smallest buffers on the
// way, so that neither side can wait for the other for ever.
const groupLimit = 1400

// sizeLimit is the parameter of SIZE, 0 if the server names none.
func (e extensions) sizeLimit() int64 {
	n, err := strconv.ParseInt(e["SIZE"], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// run makes the attempt over the connection: MAIL, RCPT, DATA. It ends with an
// outcome, and with the connection ready for the next MAIL or broken.
func (c *conn) run(ctx context.Context, a *attempt) {
	a.fit(c.ext)
	if a.ended() {
		return
	}
	c.mails++
	a.sent.DSN = c.ext.has("DSN")
	c.envelope(ctx, a)
	if a.ended() {
		return
	}
	body, err := c.fetch(ctx, a)
	if err != nil {
		c.reset()
		return
	}
	defer closeBody(body)
	got, err := c.command(c.wait.Data, "DATA")
	if r := a.answered(ctx, stageData, got, err); r.Verdict != "" {
		a.refuse(r)
		c.reset()
		return
	}
	c.data(ctx, a, body)
}

// envelope says MAIL and RCPT. What it leaves open was accepted.
func (c *conn) envelope(ctx context.Context, a *attempt) {
	open := a.open()
	lines := []string{mailLine(a.from, a.mail, c.ext)}
	for _, i := range open {
		lines = append(lines, rcptLine(a.paths[i], a.mail.To[i], c.ext))
	}
	replies, err := c.dialogue(lines)
	if len(replies) == 0 {
		a.refuse(a.silence(ctx, stageMail, err))
		return
	}
	if r := a.judged(stageMail, replies[0]); r.Verdict != "" {
		a.refuse(r)
		return
	}
	for n, got := range replies[1:] {
		if r := a.judged(stageRcpt, got); r.Verdict != "" {
			a.drop(open[n], r)
		}
	}
	if err != nil {
		a.refuse(c.cutShort(ctx, a, replies, err))
		return
	}
	if a.endIfNobodyLeft(); a.ended() {
		c.reset()
	}
}

// cutShort is why the dialogue ended at RCPT: the 421 that announced it (RFC
// 5321 section 3.8), or the loss of the connection.
func (c *conn) cutShort(ctx context.Context, a *attempt, replies []reply, err error) store.Reply {
	if last := replies[len(replies)-1]; last.code == 421 {
		return a.judged(stageRcpt, last)
	}
	return a.silence(ctx, stageRcpt, err)
}

// dialogue says the lines, the first of which must be accepted for the others
// to make sense, and returns the replies until the first error or 421. With
// PIPELINING (RFC 2920) several lines go at once.
func (c *conn) dialogue(lines []string) ([]reply, error) {
	var replies []reply
	for said := 0; said < len(lines); {
		group := c.group(lines[said:])
		if err := c.say(group...); err != nil {
			if got, _ := c.lastWords(err); got.code == 421 {
				replies = append(replies, got)
			}
			return replies, err
		}
		said += len(group)
		for range group {
			got, err := c.hear(c.wait.Command)
			if err != nil {
				return replies, err
			}
			replies = append(replies, got)
			if got.code == 421 {
				return replies, io.EOF // the server closes after it
			}
		}
		if !replies[0].ok() {
			return replies, nil
		}
	}
	return replies, nil
}

// group is how many of the lines can be said before a reply is awaited.
func (c *conn) group(lines []string) []string {
	if !c.ext.has("PIPELINING") {
		return lines[:1]
	}
	size := 0
	for n, line := range lines {
		size += len(line) + 2
		if n > 0 && size > groupLimit {
			return lines[:n]
		}
	}
	return lines
}

var errTooLarge = errors.New("too large")

// fetch asks for the body, and holds what is known of its length against the
// limit of the server. If it fails, the attempt has ended.
func (c *conn) fetch(ctx context.Context, a *attempt) (io.Reader, error) {
	a.asked = true
	body, err := a.ready(ctx, a.open())
	if err != nil {
		a.fault(stageData, err)
		return nil, err
	}
	limit := c.ext.sizeLimit()
	known, ok := body.(interface{ Len() int })
	if ok && limit > 0 && int64(known.Len()) > limit {
		closeBody(body)
		a.refuse(a.tooLarge(stageData, int64(known.Len()), limit))
		return nil, errTooLarge
	}
	return body, nil
}

func closeBody(body io.Reader) {
	if closer, ok := body.(io.Closer); ok {
		_ = closer.Close() // it was read; nothing is to be saved
	}
}
