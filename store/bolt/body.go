package bolt

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"
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
	packed   = 1 // s2, a quarter of the processor time of the fastest zstd
	headSize = sealSize + 1 + 4
)

// mostUnpacked bounds what a record may claim to unpack to.
const mostUnpacked = 1 << 30

// pack packs a body behind a head, to be cut into pieces.
func pack(body []byte) []byte {
	value := make([]byte, headSize+s2.MaxEncodedLen(len(body)))
	value[sealSize] = packed
	value = value[:headSize+len(s2.Encode(value[headSize:], body))]
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
func unpack(key, first []byte, get func(key []byte) []byte) ([]byte, error) {
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
	return opened(key, first[sealSize], data)
}

func opened(key []byte, how byte, data []byte) ([]byte, error) {
	switch how {
	case plain:
		return append([]byte{}, data...), nil
	case packed:
		n, err := s2.DecodedLen(data)
		if err != nil || n > mostUnpacked {
			return nil, damaged(key, "a body that claims an impossible length")
		}
		body, err := s2.Decode(make([]byte, n), data)
		if err != nil {
			return nil, damaged(key, err.Error())
		}
		return body, nil
	}
	return nil, damaged(key, "a body that is packed in an unknown way")
}
