package relay

import (
	"context"
	"crypto"
	"crypto/tls"
	"io"
)

// handshakes is how clients are greeted over TLS: as in cfg, but the signature
// of a handshake, which with RSA takes a processor for a millisecond and more,
// waits for its turn.
func (s *Server) handshakes(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		return nil
	}
	cfg = cfg.Clone()
	get := cfg.GetCertificate
	if get == nil {
		get = suitable(cfg.Certificates)
	}
	cfg.Certificates = nil // which a client that names no server would be given
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := get(hello)
		if err != nil || c == nil {
			return c, err
		}
		key, ok := c.PrivateKey.(crypto.Signer)
		if !ok {
			return c, nil
		}
		slow := *c
		slow.PrivateKey = signer{Signer: key, turns: s.signing, ctx: s.ctx, host: wireOf(hello.Conn).host()}
		return &slow, nil
	}
	return cfg
}

// suitable chooses among certificates as crypto/tls does.
func suitable(list []tls.Certificate) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		for i := range list {
			if hello.SupportsCertificate(&list[i]) == nil {
				return &list[i], nil
			}
		}
		if len(list) == 0 {
			return nil, nil // which crypto/tls has an error for
		}
		return &list[0], nil
	}
}

// signer signs when its host's turn has come.
type signer struct {
	crypto.Signer
	turns *turns
	ctx   context.Context
	host  string
}

// Sign implements [crypto.Signer].
func (s signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if !s.turns.take(s.ctx, s.host) {
		return nil, context.Cause(s.ctx)
	}
	defer s.turns.give()
	return s.Signer.Sign(random, digest, opts)
}
