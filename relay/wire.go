package relay

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// commandBudget bounds what a client may send without getting a reply
	// and without the body of a message taking it: command lines, and what
	// is buffered ahead. RFC 4954 asks for 12,288 octets.
	commandBudget = 64 << 10
	// replyBuffer bounds the replies that are held back for one write.
	replyBuffer = 4 << 10
	// writeTimeout is how long a client may leave our replies unread.
	writeTimeout = time.Minute
	// lingerTime is how long the rest of an endless input is read, so that
	// the client sees our last words and no reset.
	lingerTime = 10 * time.Second
	// lingerSize is how much of it, where no message was under way: to read on
	// is work, and no honest client has so much to say before it listens.
	lingerSize = 256 << 10
)

// wire is the connection to one client, below TLS. It sees bytes and replies,
// not commands, and it owns what go-smtp leaves to nobody:
//
//   - time: every read has a deadline, renewed only by progress, that is by a
//     reply of ours or by a piece of a message's body;
//   - amount: without progress no more than commandBudget is read;
//   - replies: those to pipelined commands leave in one write, before the next
//     read (RFC 2920 section 3.2);
//   - the end: hangUp says 421 and closes, from whichever side it is asked.
type wire struct {
	net.Conn
	client netip.Addr // not valid for a unix socket
	name   string     // the client's address as recorded, "unix" for a socket
	times  times
	born   time.Time
	roster *roster
	tell   func(Event)

	unanswered atomic.Int64 // octets read since the last progress
	replies    atomic.Int64 // replies since the last message was accepted
	shut       atomic.Bool  // nothing is read or written any more
	last       atomic.Bool  // the connection ends after the reply being written

	// These belong to the goroutine that serves the connection: it alone
	// reads, writes and closes.
	out     []byte    // replies held back
	refusal *answer   // sent instead of the greeting
	greeted bool      // the greeting has been written
	secured bool      // only TLS records may be written
	proxied bool      // the client is named by a header that is to come
	flooded bool      // the client said more than is heard without a command
	upper   io.Writer // where replies are written; nil while the client could not read them

	mu        sync.Mutex
	receiving bool      // the body of a message is being read
	bye       *answer   // to be said at the next opportunity
	giveUp    bool      // also inside of a message
	deadline  time.Time // of the read under way
	waiting   time.Time // since when there is nothing to do
}

// times are the limits of a connection.
type times struct {
	idle, command, session time.Duration
	replies                int64 // without an accepted message
}

// Read reads after the held back replies are on their way.
func (w *wire) Read(p []byte) (int, error) {
	if err := w.ready(); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	if w.unanswered.Add(int64(n)) > commandBudget {
		w.flooded = true
		w.hangUp(say(421, enhanced{4, 7, 0}, "Too much input without a command"))
		return 0, errHungUp
	}
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		w.hangUp(w.late())
		return 0, errHungUp
	}
	return n, err
}

// ready prepares the next read: the client is known and let in, has its
// replies, and has time for the next input.
func (w *wire) ready() error {
	if w.proxied {
		w.identify()
	}
	if err := w.flush(); err != nil {
		return err
	}
	if w.refusal != nil {
		w.turnAway()
		return errHungUp
	}
	if w.last.Load() {
		return errHungUp // what there is to say is about to be said
	}
	if bye := w.arm(); bye != nil {
		w.hangUp(bye)
		return errHungUp
	}
	return nil
}

// arm sets the deadline of the next read. Where there is to be none, it says
// what the client is told instead.
func (w *wire) arm() *answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.mustGo():
		return w.bye
	case w.replies.Load() > w.times.replies:
		return say(421, enhanced{4, 7, 0}, "Too many commands without a message")
	}
	if w.unanswered.Load() == 0 {
		w.waiting = time.Now()
		w.deadline = w.next(w.waiting)
		w.Conn.SetReadDeadline(w.deadline) //nolint:errcheck // the read fails then
	}
	return nil
}

// next is the deadline for input that follows progress at now.
func (w *wire) next(now time.Time) time.Time {
	pause := w.times.command
	if w.receiving {
		pause = w.times.idle
	}
	end := w.born.Add(w.times.session)
	if d := now.Add(pause); d.Before(end) {
		return d
	}
	return end
}

// late is what a client is told whose time is over.
func (w *wire) late() *answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.mustGo():
		return w.bye
	case time.Since(w.born) >= w.times.session:
		return say(421, enhanced{4, 7, 0}, "This connection has lasted long enough")
	}
	return say(421, enhanced{4, 4, 2}, "Idle for too long")
}

// mustGo reports whether the connection is to end now.
func (w *wire) mustGo() bool { return w.bye != nil && (w.giveUp || !w.receiving) }

// Write takes one reply, or one record of TLS.
func (w *wire) Write(p []byte) (int, error) {
	if w.proxied {
		w.identify()
	}
	switch {
	case w.shut.Load():
		return 0, net.ErrClosed
	case w.refusal != nil:
		w.turnAway()
		return 0, errHungUp
	case w.secured && !isRecord(p):
		// After STARTTLS nothing is said in the clear: a failed handshake
		// ends the connection, where go-smtp would go on without TLS.
		w.kill()
		return 0, errHungUp
	}
	w.out = append(w.out, p...)
	w.unanswered.Store(0)
	w.replies.Add(1)
	w.followGreeting(p)
	if w.last.Load() {
		w.part()
	}
	if len(w.out) >= replyBuffer {
		return len(p), w.flush()
	}
	return len(p), nil
}

// followGreeting notes that the next octets are those of a TLS handshake: 220
// is the greeting, and after it the answer to STARTTLS alone.
func (w *wire) followGreeting(p []byte) {
	if w.secured || len(p) < 4 || string(p[:4]) != "220 " {
		return
	}
	if w.greeted {
		w.secured, w.upper = true, nil
	}
	w.greeted = true
}

// isRecord reports whether p begins like a record of TLS (RFC 8446 section 5.1).
func isRecord(p []byte) bool { return len(p) > 0 && p[0] >= 20 && p[0] <= 24 }

// flush sends the replies that were held back.
func (w *wire) flush() error {
	if w.shut.Load() {
		return net.ErrClosed
	}
	var err error
	if len(w.out) > 0 {
		w.Conn.SetWriteDeadline(time.Now().Add(writeTimeout)) //nolint:errcheck // the write fails then
		_, err = w.Conn.Write(w.out)
		w.out = w.out[:0]
	}
	if err != nil {
		w.kill()
	}
	return err
}

// Close sends what is held back and ends the connection. go-smtp calls it
// last, when it is done with the connection.
func (w *wire) Close() error {
	err := w.flush()
	w.kill()
	w.roster.leave(w)
	return err
}

// hangUp says bye to the client and ends the connection.
func (w *wire) hangUp(bye *answer) {
	if w.shut.Load() {
		return
	}
	w.tell(Event{Kind: HungUp, Client: w.name, Reply: line(bye)})
	if w.unanswered.Load() > 0 {
		w.last.Store(true)
	}
	if w.upper != nil {
		io.WriteString(w.upper, line(bye)+"\r\n") //nolint:errcheck // it is goodbye
	}
	w.part()
}

// part sends our last words and ends the connection.
func (w *wire) part() {
	if w.flush() == nil && w.unheard() {
		w.linger()
	}
	w.kill()
}

// unheard reports whether the client may be sending still. A connection that
// is closed with input unread is reset, and the client might never see our
// last words; so it is heard for a moment. It sets the end of that.
func (w *wire) unheard() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bye != nil || !w.last.Load() {
		return false
	}
	return w.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil
}

func (w *wire) linger() {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite() //nolint:errcheck // it is goodbye
	}
	rest := io.Reader(w.Conn)
	if w.flooded {
		rest = io.LimitReader(rest, lingerSize)
	}
	io.Copy(io.Discard, rest) //nolint:errcheck // it is goodbye
}

// kill ends the connection without a word, from any goroutine.
func (w *wire) kill() {
	if !w.shut.Swap(true) {
		w.Conn.Close() //nolint:errcheck // nothing is left to lose
	}
}

// SetDeadline and its kin are go-smtp's, which does not know of progress.
// They only tell it when there is nothing left to wait for.
func (w *wire) SetDeadline(time.Time) error { return w.ended() }

// SetReadDeadline is like SetDeadline.
func (w *wire) SetReadDeadline(time.Time) error { return w.ended() }

// SetWriteDeadline is like SetDeadline.
func (w *wire) SetWriteDeadline(time.Time) error { return w.ended() }

func (w *wire) ended() error {
	if w.shut.Load() {
		return net.ErrClosed
	}
	return nil
}
