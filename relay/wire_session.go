package relay

import "time"

// What the session and the server tell a wire.

// receive notes that the body of a message begins or ends.
func (w *wire) receive(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receiving = on
}

// progress notes that the body of a message took what was read.
func (w *wire) progress() { w.unanswered.Store(0) }

// accepted notes that the connection has earned its keep.
func (w *wire) accepted() { w.replies.Store(0) }

// endAfterReply ends the connection after the next reply.
func (w *wire) endAfterReply() { w.last.Store(true) }

// stop ends the connection with 421: at the next command, or at once if now
// is set.
func (w *wire) stop(now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopping = true
	w.giveUp = w.giveUp || now
	if w.giveUp || !w.receiving {
		w.Conn.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed one needs no waking
	}
}
