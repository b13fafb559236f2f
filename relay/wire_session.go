package relay

import "time"

// What the session, the roster and the server tell a wire.

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
func (w *wire) stop(now bool) { w.dismiss(stopped(), now) }

// evict ends an idle connection whose place somebody else needs.
func (w *wire) evict() {
	w.dismiss(say(421, enhanced{4, 4, 2}, "Idle, and others are waiting"), false)
}

func (w *wire) dismiss(bye *answer, now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bye = bye
	w.giveUp = w.giveUp || now
	if w.mustGo() {
		w.Conn.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed one needs no waking
	}
}

// idle is how long there has been nothing to do at now.
func (w *wire) idle(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.receiving || w.bye != nil:
		return 0
	case w.waiting.IsZero():
		return now.Sub(w.born) // not even greeted
	}
	return now.Sub(w.waiting)
}
