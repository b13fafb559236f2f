package daemon

import (
	"crypto/tls"
	"errors"

	"lull/cmd/internal/config"
	"lull/relay"
)

// keys are what the doors know clients by, and are known by: files that may
// change while lull runs. Each may be nil.
type keys struct {
	certificate *relay.Certificate
	users       *relay.Users
}

// loadKeys reads them for the first time.
func (d *daemon) loadKeys(cfg config.Config) (err error) {
	if cfg.TLS.Certificate != "" {
		trouble := func(err error) { d.log.Error("the new certificate is refused; the old one stays", "err", err) }
		if d.keys.certificate, err = relay.LoadCertificate(cfg.TLS.Certificate, cfg.TLS.Key, trouble); err != nil {
			return err
		}
	}
	if cfg.Users != "" {
		d.keys.users, err = relay.LoadUsers(cfg.Users)
	}
	return err
}

// tls is that of the doors.
func (k keys) tls() *tls.Config {
	if k.certificate == nil {
		return nil
	}
	return &tls.Config{GetCertificate: k.certificate.Get, MinVersion: tls.VersionTLS12}
}

// reload reads the files anew; where one has a fault, what it held stays.
func (k keys) reload() error {
	var faults []error
	if k.certificate != nil {
		faults = append(faults, k.certificate.Reload())
	}
	if k.users != nil {
		faults = append(faults, k.users.Reload())
	}
	return errors.Join(faults...)
}
