// Package ledger holds the books of a store: which copy has which fate, the
// batches, operations, rules, incidents, readers and slots. It is one state
// machine under every engine, so that they cannot differ.
//
// An engine keeps records and nothing else. It runs a command inside of a
// [Tx] while it holds the ledger's lock:
//
//	ledger.Lock()
//	err := ledger.Accept(tx, message, body)
//	err = tx.Commit() // for all commands that were waiting
//	ledger.Unlock()
//
// A command checks first and then changes memory and writes records; a command
// that answers with an error has done neither. Writing a record cannot fail
// in the middle: an engine that cannot keep a record remembers that, fails its
// commit, and stops for good. So the ledger never rolls back.
//
// Reads take the lock for themselves and never while a [Source] is open, so
// that an engine may hold the lock over its commit.
//
// A copy's fate is the first of these that holds it: what ended it (told,
// passed, bounced, expired), the open batch it is in flight with, the latest
// purge or expire operation that was not undone, the latest hold or release
// that was not undone. Else it waits.
package ledger
