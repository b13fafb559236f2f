package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
)

// NewKey draws what the store is to know a message by that sendmail gives to
// the daemon. If it never hears what became of it, it leaves the message in the
// spool with that key in [Envelope.Once]: the daemon knows what it took.
func NewKey(message []byte) string {
	sum := sha256.Sum256(message)
	return keyOf(ulid.Make().String(), hex.EncodeToString(sum[:]))
}

func keyOf(name, sum string) string { return "spool:" + name + ":" + sum }

// Key is what the store knows an entry by: what it was offered to the daemon
// with, else the entry's name, which is unique, and the hash of what it says.
func (e Entry) Key() string {
	if e.Whole() {
		return e.Once
	}
	return keyOf(e.Name, e.Sum)
}

// Whole reports whether all recipients of the entry are taken together.
func (e Entry) Whole() bool {
	key, _ := WithoutKey(e.Once)
	return key != "" && key == e.Once
}

// Part is what of an entry is taken in one transaction, and under what key.
type Part struct {
	Key string
	To  []string
}

// Parts are those of an entry with that key: all recipients, if it is whole.
// Otherwise each is taken alone, so that whoever takes up what another one left
// half done, the daemon or sendmail -q, gives none of them the message twice.
func Parts(key string, to []string, whole bool) []Part {
	if whole || len(to) == 1 {
		return []Part{{key, to}}
	}
	parts := make([]Part, len(to))
	for i, one := range to {
		parts[i] = Part{fmt.Sprintf("%s:%d", key, i+1), []string{one}}
	}
	return parts
}

// isKey reports whether a text is a key, as NewKey and Parts make them.
func isKey(text string) bool {
	const digits, upper, hexadecimal = "0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789abcdef"
	parts := strings.Split(text, ":")
	if len(parts) == 4 && (len(parts[3]) > 5 || !of(parts[3], digits)) {
		return false
	}
	return (len(parts) == 3 || len(parts) == 4) && parts[0] == "spool" &&
		len(parts[1]) == 26 && of(parts[1], upper) && len(parts[2]) == 64 && of(parts[2], hexadecimal)
}

// of reports whether a text is made of some characters.
func of(text, characters string) bool { return text != "" && strings.Trim(text, characters) == "" }

// WithKey puts a key before an envelope id (RFC 3461 section 4.4), which is how
// sendmail tells the daemon.
func WithKey(key, envID string) string {
	if envID == "" {
		return key
	}
	return key + ";" + envID
}

// WithoutKey takes the key from an envelope id: "" if there is none.
func WithoutKey(envID string) (key, rest string) {
	key, rest, _ = strings.Cut(envID, ";")
	if !isKey(key) {
		return "", envID
	}
	return key, rest
}
