package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"lull/store"
)

// sealSize is the length of the checksum in front of every value.
const sealSize = 4

// seal fills in the checksum of a value that was built behind sealSize bytes
// of room. The key is part of it: a page that turns up in another place must
// not pass for what belongs there.
func seal(key, value []byte) []byte {
	binary.BigEndian.PutUint32(value, checksum(key, value[sealSize:]))
	return value
}

// unseal checks a value, and is what was sealed in it. Nothing is copied.
func unseal(key, value []byte) ([]byte, error) {
	if len(value) < sealSize || binary.BigEndian.Uint32(value) != checksum(key, value[sealSize:]) {
		return nil, damaged(key, "the checksum does not match")
	}
	return value[sealSize:], nil
}

func checksum(key, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(key, table), table, payload)
}

func damaged(key []byte, why string) error {
	return fmt.Errorf("%w: key %x: %s", store.ErrCorrupt, key, why)
}
