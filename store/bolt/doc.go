// Package bolt keeps a store in one file of bbolt, for one machine.
//
// One caller at a time takes every command that waits, runs them against the
// ledger, and commits their records in one transaction; only then are they
// answered. Mail need not wait for that: it is answered when it is durable in
// the journal, and goes into the database with the next commit. Every read and
// every command sees all mail that was answered before it.
//
// The folder holds lull.db, lull.journal, and lull.lock, which is held while
// the store is open. Move or copy the first two together.
//
// The file has these buckets at its root. Every value begins with a CRC32C
// over key and value, because bbolt has none; one damaged record is reported
// as such and takes nothing else down.
//
//	format      "format": the version of this layout
//	head        the one record of what belongs to no other
//	readers rules incidents keys mail          by name
//	slots                                      by the time they were taken
//	batches operations seals                   by sequence
//	batch sets, operation sets                 roaring bitmaps, by sequence
//	dropped                                    the set of bodies still to remove
//	journal                                    the last epoch of the journal that is over
//	messages 00…, bodies 00…, progress 00…, endings 00…
//	            one of each per segment (an accept interval), named by the
//	            number of its first copy; dropped whole
package bolt
