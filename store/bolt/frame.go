package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"lull/store"
)

// A frame is what one write appends to the journal. It begins on a block and
// fills its last one, so that no write touches the block of an earlier frame:
// CRC32C of what follows, length of the entries, epoch, place in the half, and
// the entries, each behind its length.
const (
	blockSize   = 4 << 10
	frameHeader = 4 + 4 + 8 + 4
)

// appendFrame appends a frame to empty or block-aligned bytes.
func appendFrame(b []byte, epoch uint64, place uint32, entries []*entry) []byte {
	from := len(b)
	b = append(b, make([]byte, frameHeader)...)
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(len(e.record)))
		b = append(b, e.record...)
	}
	frame := b[from:]
	binary.BigEndian.PutUint32(frame[4:], uint32(len(frame)-frameHeader))
	binary.BigEndian.PutUint64(frame[8:], epoch)
	binary.BigEndian.PutUint32(frame[16:], place)
	binary.BigEndian.PutUint32(frame, crc32.Checksum(frame[4:], crc32.MakeTable(crc32.Castagnoli)))
	return append(b, make([]byte, frameSize(len(frame))-int64(len(frame)))...)
}

// frameSize is how many bytes of the journal so many take.
func frameSize(bytes int) int64 {
	return int64(bytes+blockSize-1) / blockSize * blockSize
}

// frame is one that was read.
type frame struct {
	epoch   uint64
	place   uint32
	records [][]byte
	size    int64
}

// readFrame reads the frame that begins half, if one does.
func readFrame(half []byte) (frame, bool) {
	if len(half) < frameHeader {
		return frame{}, false
	}
	length := int(binary.BigEndian.Uint32(half[4:]))
	if length > len(half)-frameHeader {
		return frame{}, false
	}
	whole := half[:frameHeader+length]
	if binary.BigEndian.Uint32(whole) != crc32.Checksum(whole[4:], crc32.MakeTable(crc32.Castagnoli)) {
		return frame{}, false
	}
	f := frame{epoch: binary.BigEndian.Uint64(whole[8:]), place: binary.BigEndian.Uint32(whole[16:]), size: frameSize(len(whole))}
	for rest := whole[frameHeader:]; len(rest) > 0; {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return frame{}, false
		}
		f.records = append(f.records, rest[k:k+int(n)])
		rest = rest[k+int(n):]
	}
	return f, true
}

// half is what was read of one half.
type half struct {
	epoch   uint64
	records [][]byte
	damage  []error
}

// readHalf reads the frames that follow each other from the begin of a half. A
// frame that is damaged, with others of its epoch behind it, is told.
func readHalf(b []byte) (h half) {
	place := uint32(0)
	for at := int64(0); at < int64(len(b)); {
		f, ok := readFrame(b[at:])
		if at == 0 && !ok {
			return half{} // never written, or the power failed in its first write
		}
		if !ok || place > 0 && (f.epoch != h.epoch || f.place < place) {
			at += blockSize
			continue
		}
		if f.place > place {
			h.damage = append(h.damage, fmt.Errorf("%w: mail was lost from the journal before frame %d of epoch %d", store.ErrCorrupt, f.place, f.epoch))
		}
		h.epoch, place = f.epoch, f.place+1
		h.records = append(h.records, f.records...)
		at += f.size
	}
	return h
}

// entryOf is a message and its packed body as the journal keeps them.
func (r records) entryOf(p prepared, copies []store.Copy) ([]byte, error) {
	tail, err := r.enc.Marshal(copies)
	if err != nil {
		return nil, fmt.Errorf("encode copies: %w", err)
	}
	b := make([]byte, 0, 2*binary.MaxVarintLen32+len(p.bare)+len(tail)+len(p.body))
	b = append(binary.AppendUvarint(b, uint64(len(p.bare))), p.bare...)
	b = append(binary.AppendUvarint(b, uint64(len(tail))), tail...)
	return append(b, p.body[sealSize:]...), nil
}

// entry reads what entryOf wrote.
func (r records) entry(record []byte) (m store.Message, body []byte, err error) {
	bare, rest, ok := cutLength(record)
	tail, packed, ok2 := cutLength(rest)
	if !ok || !ok2 || len(packed) < headSize-sealSize {
		return m, nil, fmt.Errorf("%w: an entry of the journal", store.ErrCorrupt)
	}
	if err := r.dec.Unmarshal(bare, &m); err != nil {
		return m, nil, fmt.Errorf("%w: an entry of the journal: %w", store.ErrCorrupt, err)
	}
	if err := r.dec.Unmarshal(tail, &m.Copies); err != nil {
		return m, nil, fmt.Errorf("%w: an entry of the journal: %w", store.ErrCorrupt, err)
	}
	body, err = opened([]byte(m.ID), packed[0], packed[headSize-sealSize:])
	return m, body, err
}

func cutLength(b []byte) (head, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}
