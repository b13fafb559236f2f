package spool

import (
	"fmt"
	"regexp"
	"strings"
)

// Key is what the store knows an entry by. It holds the entry's name, which is
// unique, and the hash of what it says.
func (e Entry) Key() string { return "spool:" + e.Name + ":" + e.Sum }

// KeyOf is what the store knows the i-th of n recipients of an entry by. Each
// recipient is taken alone, so that whoever takes up what another one left half
// done, the daemon or sendmail -q, gives none of them the message twice.
func KeyOf(key string, i, n int) string {
	if n == 1 {
		return key
	}
	return fmt.Sprintf("%s:%d", key, i+1)
}

// WithKey puts a key before an envelope id (RFC 3461 section 4.4), which is how
// sendmail -q tells the daemon.
func WithKey(key, envID string) string {
	if envID == "" {
		return key
	}
	return key + ";" + envID
}

// WithoutKey takes the key from an envelope id: "" if there is none.
func WithoutKey(envID string) (key, rest string) {
	key, rest, _ = strings.Cut(envID, ";")
	if !regexp.MustCompile(`^spool:[0-9A-Z]{26}:[0-9a-f]{64}(:[0-9]{1,5})?$`).MatchString(key) {
		return "", envID
	}
	return key, rest
}
