package relay

import (
	"bufio"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Users are those who may send after AUTH, from a file of lines
//
//	name:hash
//
// where the hash is of bcrypt ($2y$…, as htpasswd -B writes it) or argon2id
// ($argon2id$v=19$m=…,t=…,p=…$salt$key). Empty lines and lines that begin with
// # mean nothing. It is safe for use by many goroutines at once.
type Users struct {
	path   string
	hashes atomic.Pointer[map[string]hash]
}

// hash is a password that can be checked.
type hash interface{ matches(password string) bool }

// LoadUsers reads the file at path. It must not be readable by others.
func LoadUsers(path string) (*Users, error) {
	u := &Users{path: path}
	return u, u.Reload()
}

// Reload reads the file anew. If it has a fault, the old users stay.
func (u *Users) Reload() error {
	f, err := os.Open(u.path)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&0o007 != 0 {
		return errors.Join(err, fmt.Errorf("users: %s must not be open to others: chmod 640 it", u.path))
	}
	hashes, err := parseUsers(bufio.NewScanner(f))
	if err != nil {
		return fmt.Errorf("users: %s: %w", u.path, err)
	}
	u.hashes.Store(&hashes)
	return nil
}

func parseUsers(lines *bufio.Scanner) (map[string]hash, error) {
	hashes := make(map[string]hash)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, text, found := strings.Cut(line, ":")
		h, err := parseHash(text)
		if !found || name == "" || err != nil {
			return nil, fmt.Errorf("line %d is not name:hash with a hash of bcrypt or argon2id", n)
		}
		hashes[name] = h
	}
	return hashes, lines.Err()
}

// noPassword is a bcrypt hash of a password that nobody knows. Checking it
// takes as long for unknown names as for known ones.
const noPassword = bcryptHash("$2a$10$htUTYTsKdsSkMI35eMVOt.AFL9HDeViqE556qpH34u//Zwp4k6F86")

// check reports whether a user has that password.
func (u *Users) check(name, password string) bool {
	h, known := (*u.hashes.Load())[name]
	if !known {
		h = noPassword
	}
	return h.matches(password) && known
}

func parseHash(s string) (hash, error) {
	if strings.HasPrefix(s, "$argon2id$") {
		return parseArgon(s)
	}
	cost, err := bcrypt.Cost([]byte(s))
	if err != nil || cost > 16 {
		return nil, fmt.Errorf("bcrypt of cost %d: %w", cost, err)
	}
	return bcryptHash(s), nil
}

type bcryptHash string

func (h bcryptHash) matches(password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(h), []byte(password)) == nil
}

// argonHash is a hash in the string format of the reference implementation.
type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func parseArgon(s string) (hash, error) {
	parts := strings.Split(s, "$") // "", argon2id, v=19, m=,t=,p=, salt, key
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errors.New("argon2id of another version")
	}
	var h argonHash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return nil, err
	}
	if h.memory > 1<<20 || h.time < 1 || h.time > 64 || h.threads < 1 {
		return nil, errors.New("argon2id with parameters out of range")
	}
	var errSalt, errKey error
	h.salt, errSalt = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, errKey = base64.RawStdEncoding.DecodeString(parts[5])
	if len(h.key) < 16 {
		return nil, errors.New("argon2id with a short key")
	}
	return h, errors.Join(errSalt, errKey)
}

func (h argonHash) matches(password string) bool {
	key := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1
}
