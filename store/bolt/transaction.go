package bolt

import (
	"encoding/binary"
	"errors"
	"math"

	"go.etcd.io/bbolt"

	"lull/store"
	"lull/store/ledger"
)

// transaction is what one group of commands writes. The first write that
// fails is remembered; the transaction is then not committed.
type transaction struct {
	source
	prepared prepared // of the command that runs
	drops    []uint64 // bodies to remove, by the number of the first copy
	written  bool
	err      error
}

// prepared is the part of an Accept that its caller did: what can be encoded
// and packed before the message has its numbers.
type prepared struct {
	id   string
	bare []byte
	body []byte // packed
}

func isMissing(err error) bool { return errors.Is(err, store.ErrNotFound) }

func fromNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key) }

// note remembers the first failure.
func (t *transaction) note(err error) {
	if t.err == nil {
		t.err = err
	}
}

// put keeps a value that is sealed.
func (t *transaction) put(bucket, key, value []byte, err error) {
	t.written = true
	if err != nil {
		t.note(err)
		return
	}
	b, err := t.bucket(bucket)
	if err == nil {
		err = b.Put(key, value)
	}
	t.note(err)
}

// bucket is one of the root's; those of segments are made when first needed.
func (t *transaction) bucket(bucket []byte) (*bbolt.Bucket, error) {
	b := t.tx.Bucket(bucket)
	if b == nil {
		made, err := t.tx.CreateBucket(bucket)
		if err != nil {
			return nil, err
		}
		b = made
	}
	b.FillPercent = full
	return b, nil
}

// keep encodes a record and puts it.
func (t *transaction) keep(bucket string, key []byte, record any) {
	value, err := t.records.encode(key, record)
	t.put([]byte(bucket), key, value, err)
}

// drop removes a key, if it is there.
func (t *transaction) drop(bucket, key []byte) {
	t.written = true
	if b := t.tx.Bucket(bucket); b != nil {
		t.note(b.Delete(key))
	}
}

// inSegment is the name of the bucket of a kind that a copy's records are in.
func (t *transaction) inSegment(kind string, n uint64) []byte {
	segment, ok := segmentOf(t.tx, n)
	if !ok {
		t.note(damaged(number(n), "no segment holds this number"))
	}
	return segmentName(kind, segment)
}

// PutMessage keeps a message.
func (t *transaction) PutMessage(segment uint64, m *store.Message, body []byte) {
	key := number(m.Copies[0].Number)
	p := t.prepared
	if p.id != m.ID {
		p = t.prepare(m, body)
	}
	record, err := t.records.encodeMessage(key, p.bare, m.Copies)
	t.put(segmentName(messagesOf, segment), key, record, err)
	if body != nil {
		t.putBody(segmentName(bodiesOf, segment), key, p.body)
	}
}

// prepare does in the writer's turn what an Accept did before.
func (t *transaction) prepare(m *store.Message, body []byte) prepared {
	bare, err := t.records.bare(*m)
	t.note(err)
	if body == nil {
		return prepared{bare: bare}
	}
	return prepared{bare: bare, body: pack(body)}
}

func (t *transaction) putBody(bucket, key, packed []byte) {
	pieces(key, packed, func(key, piece []byte) { t.put(bucket, key, piece, nil) })
}

// DropBody removes a body: at the end of the commit, or with one of the next.
func (t *transaction) DropBody(segment, first uint64) {
	t.drops = append(t.drops, first)
}

// DropSegment removes a segment with all that is in it.
func (t *transaction) DropSegment(segment, first, last uint64) {
	t.written = true
	for _, kind := range segmentBuckets() {
		if bucket := segmentName(kind, segment); t.tx.Bucket(bucket) != nil {
			t.note(t.tx.DeleteBucket(bucket))
		}
	}
}

// PutProgress keeps what happened to a copy that could not be sent yet.
func (t *transaction) PutProgress(n uint64, p store.Progress) {
	t.keep(string(t.inSegment(progressOf, n)), number(n), p)
}

// PutEnding keeps how a copy ended.
func (t *transaction) PutEnding(n uint64, e ledger.Ending) {
	t.keep(string(t.inSegment(endingsOf, n)), number(n), e)
}

// PutBatch keeps a batch.
func (t *transaction) PutBatch(b ledger.Batch) {
	t.keep(batchesBucket, number(b.Sequence), b.Batch)
	t.putSet(batchSets, b.Sequence, b.Set)
}

// DropBatch removes a batch.
func (t *transaction) DropBatch(sequence uint64) {
	t.drop([]byte(batchesBucket), number(sequence))
	t.drop([]byte(batchSets), number(sequence))
}

// PutOperation keeps an operation.
func (t *transaction) PutOperation(o ledger.Operation) {
	t.keep(operationsBucket, number(o.Sequence), o.Operation)
	t.putSet(operationSets, o.Sequence, o.Set)
}

// DropOperation removes an operation.
func (t *transaction) DropOperation(sequence uint64) {
	t.drop([]byte(operationsBucket), number(sequence))
	t.drop([]byte(operationSets), number(sequence))
}

// PutMoves keeps where copies were moved.
func (t *transaction) PutMoves(m ledger.Moves) { t.keep(movesBucket, number(m.Sequence), m) }

// DropMoves removes such a record.
func (t *transaction) DropMoves(sequence uint64) { t.drop([]byte(movesBucket), number(sequence)) }

// putSet keeps a set; nil leaves what is kept.
func (t *transaction) putSet(bucket string, sequence uint64, set *ledger.Set) {
	if set == nil {
		return
	}
	bits, err := set.ToBytes()
	value := append(make([]byte, sealSize, sealSize+len(bits)), bits...)
	t.put([]byte(bucket), number(sequence), seal(number(sequence), value), err)
}

// PutMail keeps the bytes of an open batch.
func (t *transaction) PutMail(batch string, mail []byte) {
	budget := int64(math.MaxInt64)
	t.dropBody([]byte(mailBucket), name(batch), &budget)
	if mail != nil {
		t.putBody([]byte(mailBucket), name(batch), pack(mail))
	}
}

// PutRule keeps a rule.
func (t *transaction) PutRule(r store.Rule) { t.keep(rulesBucket, name(r.ID), r) }

// DropRule removes a rule.
func (t *transaction) DropRule(id string) { t.drop([]byte(rulesBucket), name(id)) }

// PutSlot keeps a slot.
func (t *transaction) PutSlot(s store.Slot) { t.keep(slotsBucket, slotKey(s), s) }

// DropSlot removes a slot.
func (t *transaction) DropSlot(s store.Slot) { t.drop([]byte(slotsBucket), slotKey(s)) }

// PutReader keeps a reader.
func (t *transaction) PutReader(r store.Reader) { t.keep(readersBucket, name(r.Name), r) }

// DropReader removes a reader.
func (t *transaction) DropReader(reader string) { t.drop([]byte(readersBucket), name(reader)) }

// PutIncident keeps an incident.
func (t *transaction) PutIncident(i ledger.Incident) { t.keep(incidentsBucket, name(i.ID), i) }

// DropIncident removes an incident.
func (t *transaction) DropIncident(id string) { t.drop([]byte(incidentsBucket), name(id)) }

// PutKey keeps the key of a message.
func (t *transaction) PutKey(k ledger.Key) { t.keep(keysBucket, name(k.Key), k) }

// DropKey removes a key.
func (t *transaction) DropKey(key string) { t.drop([]byte(keysBucket), name(key)) }

// PutSeal keeps a seal.
func (t *transaction) PutSeal(s store.Seal) { t.keep(sealsBucket, number(s.Sequence), s) }

// PutHead keeps the head.
func (t *transaction) PutHead(h ledger.Head) { t.keep(headBucket, name("head"), h) }

var _ ledger.Tx = (*transaction)(nil)
