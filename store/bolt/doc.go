// Package bolt keeps a store in one file of bbolt, for one machine.
//
// One goroutine takes every command that waits, runs them against the ledger,
// and commits their records in one transaction; only then are they answered.
// So a lone mail costs one commit, and a storm costs few.
//
// The folder is for this store alone: lull.db, lull.lock (held while it is
// open), and lull.ballast, blocks that are given up when the disk is full so
// that an operator's commands still have room.
//
// The file has these buckets at its root. Every value begins with a CRC32C
// over key and value, because bbolt has none; one damaged record is reported
// as such and takes nothing else down.
//
//	format      "format": the version of this layout
//	head        the one record of what belongs to no other
//	readers rules incidents slots keys mail    by name
//	batches operations seals                   by sequence
//	batch sets, operation sets                 roaring bitmaps, by sequence
//	messages 00…, bodies 00…, progress 00…, endings 00…
//	            one of each per segment (an accept interval), named by the
//	            number of its first copy; dropped whole
package bolt
