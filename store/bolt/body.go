package bolt

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"github.com/klauspost/compress/zstd"

	"lull/store"
)

// A body is packed and kept in pieces of at most pieceSize: the first under
// its key, the others under the key and two bytes that count. bbolt writes a
// leaf of up to four values anew for each one that is added to it, in one run
// of pages; pieces keep that small, and free runs easy to find.
const pieceSize = 32 << 10

// The first piece begins, behind its seal, with how the body is packed and the
// length of what is packed in all pieces.
const (
	plain    = 0
	packed   = 1 // zstd
	headSize = sealSize + 1 + 4
)

// bodies packs and unpacks bodies. It is safe for use by many goroutines.
type bodies struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
	max int64
}

// newBodies refuses bodies over max bytes, also when a record claims to be one.
func newBodies(max int64) (bodies, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithEncoderCRC(false), // pieces have their own
		zstd.WithWindowSize(1<<20),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		return bodies{}, err
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(max)+mebibyte))
	return bodies{enc, dec, max}, err
}

// fits says whether a body can be kept.
func (b bodies) fits(body []byte) error {
	if int64(len(body)) > b.max {
		return fmt.Errorf("%w: %d bytes, the limit is %d", store.ErrTooLarge, len(body), b.max)
	}
	return nil
}

// pack packs a body behind a head, to be cut into pieces.
func (b bodies) pack(body []byte) []byte {
	value := make([]byte, headSize, headSize+len(body)/2+64)
	value[sealSize] = packed
	value = b.enc.EncodeAll(body, value)
	if len(value) >= headSize+len(body) {
		value = append(value[:headSize], body...)
		value[sealSize] = plain
	}
	binary.BigEndian.PutUint32(value[sealSize+1:], uint32(len(value)-headSize))
	return value
}

// pieces cuts a packed body and gives each piece, sealed, with its key.
func pieces(key, value []byte, give func(key, piece []byte)) {
	first := min(len(value), headSize+pieceSize)
	rest := value[first:]
	give(key, seal(key, value[:first:first]))
	for i := 1; len(rest) > 0; i++ {
		n := min(len(rest), pieceSize)
		piece := append(make([]byte, sealSize, sealSize+n), rest[:n]...)
		give(pieceKey(key, i), seal(pieceKey(key, i), piece))
		rest = rest[n:]
	}
}

func pieceKey(key []byte, i int) []byte {
	return binary.BigEndian.AppendUint16(key[:len(key):len(key)], uint16(i))
}

// pieceCount is how many pieces a body has, by its first.
func pieceCount(first []byte) int {
	if len(first) < headSize {
		return 1
	}
	total := int(binary.BigEndian.Uint32(first[sealSize+1:]))
	return 1 + max(0, total-1)/pieceSize
}

// unpack is the body that begins with a piece; get finds the others. It is in
// memory of its own.
func (b bodies) unpack(key, first []byte, get func(key []byte) []byte) ([]byte, error) {
	if _, err := unseal(key, first); err != nil {
		return nil, err
	}
	if len(first) < headSize {
		return nil, damaged(key, "a body without a head")
	}
	data := first[headSize:len(first):len(first)]
	for i := 1; i < pieceCount(first); i++ {
		piece, err := unseal(pieceKey(key, i), get(pieceKey(key, i)))
		if err != nil {
			return nil, err
		}
		data = append(data, piece...)
	}
	if len(data) != int(binary.BigEndian.Uint32(first[sealSize+1:])) {
		return nil, damaged(key, "the pieces of a body do not fit its length")
	}
	return b.open(key, first[sealSize], data)
}

func (b bodies) open(key []byte, how byte, data []byte) ([]byte, error) {
	switch how {
	case plain:
		return append([]byte{}, data...), nil
	case packed:
		body, err := b.dec.DecodeAll(data, nil)
		if err != nil {
			return nil, damaged(key, err.Error())
		}
		return body, b.fits(body)
	}
	return nil, damaged(key, "a body that is packed in an unknown way")
}
