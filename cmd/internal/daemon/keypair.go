package daemon

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// keyPair is a certificate with its key, read again when a file has changed.
type keyPair struct {
	cert, key string

	mu   sync.Mutex
	at   time.Time // of the newer file when they were read
	pair *tls.Certificate
}

// get has the shape of [tls.Config.GetCertificate]. A new pair that cannot be
// read leaves the old one in use.
func (p *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	changed := later(modified(p.cert), modified(p.key))
	if p.pair != nil && !changed.After(p.at) {
		return p.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		if p.pair != nil {
			return p.pair, nil
		}
		return nil, fmt.Errorf("reading the certificate %s: %w", p.cert, err)
	}
	p.pair, p.at = &pair, changed
	return p.pair, nil
}

func modified(file string) time.Time {
	info, err := os.Stat(file)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
