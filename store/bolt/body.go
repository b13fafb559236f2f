package bolt

import (
	"fmt"
	"runtime"

	"github.com/klauspost/compress/zstd"

	"lull/store"
)

// How the bytes of a body are kept, in the byte after its checksum.
const (
	plain  = 0
	packed = 1 // zstd
)

// bodies packs and unpacks bodies. It is safe for use by many goroutines.
type bodies struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
	max int64
}

// newBodies refuses to unpack more than max bytes, whatever a record claims.
func newBodies(max int64) (bodies, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithEncoderCRC(false), // values have their own
		zstd.WithWindowSize(1<<20),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		return bodies{}, err
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(max)))
	return bodies{enc, dec, max}, err
}

// pack is the value of a body, with room for the seal.
func (b bodies) pack(body []byte) []byte {
	const head = sealSize + 1
	value := make([]byte, head, head+len(body)/2+64)
	value[sealSize] = packed
	value = b.enc.EncodeAll(body, value)
	if len(value) >= head+len(body) {
		value = append(value[:head], body...)
		value[sealSize] = plain
	}
	return value
}

// unpack is the body in a sealed value, in memory of its own.
func (b bodies) unpack(key, value []byte) ([]byte, error) {
	payload, err := unseal(key, value)
	if err != nil {
		return nil, err
	}
	switch {
	case len(payload) > 0 && payload[0] == plain:
		return append([]byte{}, payload[1:]...), nil
	case len(payload) > 0 && payload[0] == packed:
		body, err := b.dec.DecodeAll(payload[1:], nil)
		if err != nil {
			return nil, damaged(key, err.Error())
		}
		return body, nil
	}
	return nil, damaged(key, "the body is packed in an unknown way")
}

// fits says whether a body can be kept.
func (b bodies) fits(body []byte) error {
	if int64(len(body)) > b.max {
		return fmt.Errorf("%w: %d bytes, the limit is %d", store.ErrTooLarge, len(body), b.max)
	}
	return nil
}
