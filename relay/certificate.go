package relay

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// recheck is how often the files of a certificate are looked at.
const recheck = time.Minute

// Certificate is a certificate and its key in two PEM files. It is read anew
// when the files change, without a restart; Get goes into
// tls.Config.GetCertificate.
type Certificate struct {
	certFile, keyFile string
	trouble           func(error)

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the files that were read last
	looked  time.Time
}

// LoadCertificate reads the files. If a later reading fails, the certificate
// stays what it was, and trouble (which may be nil) is told.
func LoadCertificate(certFile, keyFile string, trouble func(error)) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, trouble: trouble}
	return c, c.Reload()
}

// Reload reads the files now.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load(c.modified())
}

// Get is the current certificate.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= recheck {
		c.looked = now
		c.follow()
	}
	return c.current, nil
}

// follow reads the files if they have changed.
func (c *Certificate) follow() {
	at := c.modified()
	if at.Equal(c.changed) {
		return
	}
	if err := c.load(at); err != nil && c.trouble != nil {
		c.trouble(err)
	}
}

func (c *Certificate) load(at time.Time) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	c.changed = at
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current = &pair
	return nil
}

// modified is when the newer of the files was written.
func (c *Certificate) modified() time.Time {
	var newest time.Time
	for _, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}
