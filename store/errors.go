package store

import "errors"

// What a command or a read may answer. Engines wrap these with %w; each edge
// maps them in one total place, and takes any other error for a fault of ours.
var (
	// ErrFull: not enough space for the commit. Nothing was written; the
	// store goes on, and commands that free space still work.
	ErrFull = errors.New("no space left for the store")
	// ErrStopped: an earlier commit ended in a way that leaves its effect
	// unknown, or the store was closed. Nothing is accepted any more; the
	// process must end and read its state anew.
	ErrStopped = errors.New("the store has stopped")
	// ErrInvalid: the command breaks its own rules. Nothing was written.
	ErrInvalid = errors.New("invalid command")
	// ErrTooLarge: a record exceeds what the store can hold.
	ErrTooLarge = errors.New("message is too large for the store")
	// ErrNotFound: no record has that id.
	ErrNotFound = errors.New("not found")
	// ErrKnown: a message with that key is kept already.
	ErrKnown = errors.New("already known")
	// ErrStaleTerm: a newer term has been seen; somebody else releases now.
	ErrStaleTerm = errors.New("stale term")
	// ErrNoSlot: the bound (or a budget) leaves no room in this window.
	ErrNoSlot = errors.New("no slot is free in this window")
	// ErrNothing: there is no copy that the command could take.
	ErrNothing = errors.New("nothing to take")
	// ErrGone: a copy that was named is no longer waiting.
	ErrGone = errors.New("a copy is no longer waiting")
	// ErrPinned: the reader has a digest of unknown outcome; it goes first.
	ErrPinned = errors.New("a digest of unknown outcome goes first")
	// ErrCorrupt: a record does not match its checksum.
	ErrCorrupt = errors.New("damaged record")
)
