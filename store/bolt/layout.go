package bolt

import (
	"crypto/sha256"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"lull/store"
)

// format is the version of the layout in doc.go. A lull that finds another one
// does not touch the file.
const format = 1

// The buckets that there is one of.
const (
	formatBucket     = "format"
	headBucket       = "head"
	readersBucket    = "readers"
	rulesBucket      = "rules"
	incidentsBucket  = "incidents"
	slotsBucket      = "slots"
	keysBucket       = "keys"
	mailBucket       = "mail"
	batchesBucket    = "batches"
	batchSets        = "batch sets"
	operationsBucket = "operations"
	operationSets    = "operation sets"
	movesBucket      = "moves"
	sealsBucket      = "seals"
	droppedBucket    = "dropped"
	journalBucket    = "journal"
)

func fixedBuckets() []string {
	return []string{
		formatBucket, headBucket, readersBucket, rulesBucket, incidentsBucket, slotsBucket, keysBucket,
		mailBucket, batchesBucket, batchSets, operationsBucket, operationSets, sealsBucket, droppedBucket,
		journalBucket, movesBucket,
	}
}

// The buckets that every segment has of its own, as the segment needs them.
const (
	messagesOf = "messages "
	bodiesOf   = "bodies "
	progressOf = "progress "
	endingsOf  = "endings "
)

func segmentBuckets() []string { return []string{messagesOf, bodiesOf, progressOf, endingsOf} }

// full lets pages fill up: keys only grow in most buckets.
const full = 0.95

// number is the key of what is known by a number, and part of the name of a
// segment's buckets.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func segmentName(kind string, segment uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(kind), segment)
}

// longest is the greatest length of a name that is its own key.
const longest = 512

// name is the key of what is known by a name, whatever the name is.
func name(id string) []byte {
	if len(id) > longest {
		sum := sha256.Sum256([]byte(id))
		return append([]byte("#"), sum[:]...)
	}
	return append([]byte("="), id...)
}

// slotKey puts slots in the order in which they were taken.
func slotKey(s store.Slot) []byte { return append(number(uint64(s.Began)), name(s.ID)...) }

// segmentOf is the segment that holds a number: the last that begins at or
// before it.
func segmentOf(tx *bbolt.Tx, n uint64) (segment uint64, ok bool) {
	c := tx.Cursor()
	want := segmentName(messagesOf, n)
	k, _ := c.Seek(want)
	if string(k) != string(want) {
		k, _ = c.Prev()
	}
	return segmentNumber(k)
}

// segmentAt is the first segment that begins at a number or after it.
func segmentAt(tx *bbolt.Tx, n uint64) (segment uint64, ok bool) {
	k, _ := tx.Cursor().Seek(segmentName(messagesOf, n))
	return segmentNumber(k)
}

// segmentAfter is the first segment that begins after a number.
func segmentAfter(tx *bbolt.Tx, n uint64) (segment uint64, ok bool) {
	return segmentAt(tx, n+1)
}

// segmentNumber reads the number from the name of a bucket of messages.
func segmentNumber(bucket []byte) (segment uint64, ok bool) {
	if len(bucket) != len(messagesOf)+8 || string(bucket[:len(messagesOf)]) != messagesOf {
		return 0, false
	}
	return binary.BigEndian.Uint64(bucket[len(messagesOf):]), true
}
