package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"lull/store"
)

// blockSize is how much of the body is written at a time.
const blockSize = 32 << 10

// answer is what was read while and after the body was written.
type answer struct {
	reply reply
	err   error
}

// data sends the body after 354 and gives the attempt its outcome. The
// connection is read all the time: a server that refuses in the middle of the
// body is heard, and no error of a write hides what it said.
func (c *conn) data(ctx context.Context, a *attempt, body io.Reader) {
	body, err := c.fitting(a, body)
	if err != nil {
		c.abandon()
		a.fault(stageBody, err)
		return
	}
	if err := c.net.SetReadDeadline(time.Time{}); err != nil {
		c.abandon()
		a.refuse(a.silence(ctx, stageBody, err))
		return
	}
	expected := 1
	if c.server.LMTP {
		expected = len(a.open()) // RFC 2033 section 4.2: one for each
	}
	heard := c.listen(expected)
	c.conclude(ctx, a, c.write(a, body, heard), heard)
	for range heard { // until it has ended and leaves the connection alone
	}
}

// listen hears the given number of replies, or fewer and an error. The first
// of either cuts the writing of the body, which is over or of no use then.
func (c *conn) listen(expected int) <-chan answer {
	heard := make(chan answer, expected)
	go func() {
		defer close(heard)
		for range expected {
			got, err := readReply(c.r)
			c.guard.cutWrites()
			heard <- answer{got, err}
			if err != nil {
				return
			}
		}
	}()
	return heard
}

// fitting is the body as this server can take it.
func (c *conn) fitting(a *attempt, body io.Reader) (io.Reader, error) {
	if c.ext.has("8BITMIME") && (c.ext.has("SMTPUTF8") || !a.mail.UTF8) {
		return body, nil
	}
	whole, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	recoded, changed := sevenBit(whole, !c.ext.has("8BITMIME"))
	a.sent.Recoded = changed
	return bytes.NewReader(recoded), nil
}

// written is how the writing of a body ended.
type written struct {
	dot   bool    // the last octet of the final dot was handed over
	early *answer // what the server said before that
	err   error   // why the body could not be written
	read  error   // why it could not be read, a fault of ours
}

// write sends the body until it ends, fails, or the server speaks.
func (c *conn) write(a *attempt, body io.Reader, heard <-chan answer) written {
	w := wire{out: c.out[:0]}
	defer func() { a.sent.LineEnds, c.out = w.converted, w.out }()
	if c.block == nil {
		c.block = make([]byte, blockSize)
	}
	for {
		n, err := fill(body, c.block)
		last := err == io.EOF
		if err != nil && !last {
			return written{read: err}
		}
		w.write(c.block[:n])
		if last {
			w.end()
		}
		select {
		case early := <-heard:
			return written{early: &early}
		default:
		}
		if _, err := c.net.Write(w.out); err != nil {
			return written{err: err}
		}
		if last {
			return written{dot: true}
		}
		w.out = w.out[:0]
	}
}

// fill reads until the block is full or the body ends. It is not
// [io.ReadFull], whose error for a short last block is the one by which a
// decompressor says that its data are cut off: that is no end of a mail.
func fill(body io.Reader, block []byte) (n int, err error) {
	for n < len(block) && err == nil {
		var m int
		m, err = body.Read(block[n:])
		n += m
	}
	return n, err
}

// conclude hears the server out and gives the attempt its outcome.
func (c *conn) conclude(ctx context.Context, a *attempt, w written, heard <-chan answer) {
	switch {
	case w.dot:
		c.concludeDot(ctx, a, heard)
	case w.early != nil:
		c.abandon()
		a.refuse(a.refusedEarly(ctx, *w.early))
	case w.read != nil:
		c.abandon()
		a.fault(stageBody, w.read)
	default:
		a.refuse(a.refusedEarly(ctx, c.lastAnswer(heard, w.err)))
	}
}

// concludeDot awaits the reply to the final dot, or with LMTP those of all
// recipients. Only when all are 2xx is the connection used again: after a
// refusal it is not certain that the server read the body to its end, and a
// reply that comes late would pass for the next.
func (c *conn) concludeDot(ctx context.Context, a *attempt, heard <-chan answer) {
	if err := c.net.SetReadDeadline(time.Now().Add(c.wait.Dot)); err != nil {
		c.close()
	}
	outcome, keep := store.Rejected, true
	open, decisive := a.open(), store.Reply{}
	for n := 0; ; n++ {
		got, more := <-heard
		if !more {
			break
		}
		r := a.answered(ctx, stageDot, got.reply, waited(got.err, c.wait.Dot))
		keep = keep && r.OK()
		outcome, decisive = weigh(outcome, decisive, r, got.reply.failed())
		if c.server.LMTP && got.err == nil {
			a.drop(open[n], r)
		}
	}
	a.end(outcome, decisive)
	if keep {
		c.guard.cut.Store(false)
		return
	}
	c.abandon()
}

// weigh takes one more reply to the final dot into account. Silence outweighs
// all: what became of the mail is then unknown. One recipient who has it makes
// it delivered.
func weigh(outcome store.Outcome, decisive, r store.Reply, failed bool) (store.Outcome, store.Reply) {
	switch {
	case !r.OK() && !failed:
		return store.Uncertain, r
	case r.OK() && outcome == store.Rejected:
		return store.Delivered, r
	case outcome == store.Rejected && (decisive.Stage == "" || weight(r) > weight(decisive)):
		return store.Rejected, r
	}
	return outcome, decisive
}

// lastAnswer gives the server a moment to say why it takes no more of the
// body. If it does not, the error of the write is what is known.
func (c *conn) lastAnswer(heard <-chan answer, err error) answer {
	if c.net.SetReadDeadline(time.Now().Add(c.wait.Courtesy)) != nil {
		c.close()
	}
	got := <-heard
	c.abandon()
	if got.err != nil && !errors.Is(err, errCut) {
		got.err = err
	}
	return got
}

// refusedEarly is what the server said, or did not say, before the final dot.
// A 2xx there answers nothing that was asked.
func (a *attempt) refusedEarly(ctx context.Context, early answer) store.Reply {
	if early.err == nil && !early.reply.failed() {
		early.err = fmt.Errorf("%w: %d before the end of the body", errReply, early.reply.code)
	}
	return a.answered(ctx, stageBody, early.reply, early.err)
}

// abandon closes the connection in the middle of a body, so that the server
// drops what it has (RFC 5321 section 4.1.1.4).
func (c *conn) abandon() {
	c.broken = true
	c.close()
}
