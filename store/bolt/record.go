package bolt

import (
	"encoding/binary"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"lull/store"
)

// records turns records into sealed values and back.
type records struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// newRecords keeps times exact, to the nanosecond. Fields that a later lull
// added are skipped.
func newRecords() (records, error) {
	enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode()
	if err != nil {
		return records{}, err
	}
	dec, err := cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid}.DecMode()
	return records{enc, dec}, err
}

func (r records) encode(key []byte, record any) ([]byte, error) {
	payload, err := r.enc.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode a record: %w", err)
	}
	value := make([]byte, sealSize, sealSize+len(payload))
	return seal(key, append(value, payload...)), nil
}

func (r records) decode(key, value []byte, record any) error {
	payload, err := unseal(key, value)
	if err != nil {
		return err
	}
	if err := r.dec.Unmarshal(payload, record); err != nil {
		return damaged(key, err.Error())
	}
	return nil
}

// message encodes what does not change at admission, so that it can be done
// before the writer's turn.
func (r records) bare(m store.Message) ([]byte, error) {
	m.Copies = nil
	return r.enc.Marshal(m)
}

// encodeMessage is a message's value: its bare record, behind its length, and
// its copies.
func (r records) encodeMessage(key, bare []byte, copies []store.Copy) ([]byte, error) {
	tail, err := r.enc.Marshal(copies)
	if err != nil {
		return nil, fmt.Errorf("encode copies: %w", err)
	}
	value := make([]byte, sealSize, sealSize+binary.MaxVarintLen32+len(bare)+len(tail))
	value = binary.AppendUvarint(value, uint64(len(bare)))
	value = append(value, bare...)
	return seal(key, append(value, tail...)), nil
}

func (r records) decodeMessage(key, value []byte) (*store.Message, error) {
	payload, err := unseal(key, value)
	if err != nil {
		return nil, err
	}
	length, n := binary.Uvarint(payload)
	if n <= 0 || length > uint64(len(payload)-n) {
		return nil, damaged(key, "the length of a message does not fit")
	}
	m := new(store.Message)
	if err := r.dec.Unmarshal(payload[n:n+int(length)], m); err != nil {
		return nil, damaged(key, err.Error())
	}
	if err := r.dec.Unmarshal(payload[n+int(length):], &m.Copies); err != nil {
		return nil, damaged(key, err.Error())
	}
	return m, nil
}
