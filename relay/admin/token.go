package admin

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// tokenLife is how long what a dry run showed may be acted on.
const tokenLife = time.Hour

// shown is what a dry run showed, and a token names: it stands for itself, so
// that it survives a restart of the daemon. It grants nothing.
type shown struct {
	_       struct{}      `cbor:",toarray"`
	Kind    string        // of the operation
	Filter  string        // with ages as times
	Rule    string        // the standing rule's filter
	At      time.Time     // of the dry run
	UpTo    uint64        // the highest number shown
	Copies  int           // how many were shown
	For     time.Duration // of a standing rule
	Forever bool
}

// token is printable, safe in a shell, and carries a checksum against a
// mistake in copying it.
func (s shown) token() (string, error) {
	b, err := cbor.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("making the token: %w", err)
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return "t" + base64.RawURLEncoding.EncodeToString(b), nil
}

func parseToken(text string, now time.Time) (shown, error) {
	var s shown
	bad := usage("the token is damaged or not complete; copy it again, or run the command without it for a new one")
	if text == "" || text[0] != 't' {
		return s, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(text[1:])
	if err != nil || len(b) < 4 {
		return s, bad
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum || cbor.Unmarshal(body, &s) != nil {
		return s, bad
	}
	if age := now.Sub(s.At); age > tokenLife || age < -tokenLife {
		return s, refused(fmt.Sprintf("the token is %s old, and things have changed since; run the command without it for a new one", age.Round(time.Minute)))
	}
	return s, nil
}
