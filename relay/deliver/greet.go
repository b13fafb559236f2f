package deliver

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// refusal is why a server could not be used: its reply at a stage, or err if
// there was none.
type refusal struct {
	stage string
	reply reply
	err   error
}

func refused(stage string, got reply, err error) *refusal {
	if err == nil && got.ok() {
		return nil
	}
	return &refusal{stage: stage, reply: got, err: err}
}

var (
	errNoTLS     = errors.New("the mail server offers no STARTTLS, which the configuration requires: correct the server, or set tls to opportunistic")
	errNoAuth    = errors.New("the mail server offers neither AUTH PLAIN nor LOGIN, but a user name is configured")
	errClearAuth = errors.New("a password is only sent over TLS: set tls to required or verified")
	errInjected  = errors.New("the mail server sent data between STARTTLS and the handshake")
)

// greet takes a new connection from the greeting to where MAIL may follow.
func (c *conn) greet(ctx context.Context, localName, host string) *refusal {
	if c.server.ImplicitTLS {
		if err := c.handshake(ctx, host); err != nil {
			return refused(stageStartTLS, reply{}, err)
		}
	}
	if got, err := c.hear(c.wait.Greeting); err != nil || got.code != 220 {
		return refused(stageGreeting, failing(got), err)
	}
	if r := c.hello(localName); r != nil {
		return r
	}
	if !c.secure {
		if r := c.startTLS(ctx, localName, host); r != nil {
			return r
		}
	}
	return c.authenticate(host)
}

// failing makes sure that an unexpected 2xx or 3xx does not pass for success.
func failing(r reply) reply {
	if r.ok() {
		r.lines = append([]string{fmt.Sprintf("unexpected %d", r.code)}, r.lines...)
		r.code = 0
	}
	return r
}

// hello says EHLO, or HELO to a server that does not know it (RFC 5321
// section 3.2), or LHLO (RFC 2033 section 4.1).
func (c *conn) hello(localName string) *refusal {
	verb := "EHLO "
	if c.server.LMTP {
		verb = "LHLO "
	}
	got, err := c.command(c.wait.Command, verb+localName)
	if err == nil && !c.server.LMTP && (got.code == 500 || got.code == 502) {
		got, err = c.command(c.wait.Command, "HELO "+localName)
		got.lines = nil
	}
	if r := refused(stageEHLO, got, err); r != nil {
		return r
	}
	c.ext = offered(got.lines)
	return nil
}

func offered(lines []string) extensions {
	ext := extensions{}
	for i, line := range lines {
		if i == 0 {
			continue // the name of the server
		}
		keyword, params, _ := strings.Cut(line, " ")
		ext[strings.ToUpper(keyword)] = params
	}
	return ext
}

func (c *conn) startTLS(ctx context.Context, localName, host string) *refusal {
	must := c.server.TLS == TLSRequired || c.server.TLS == TLSVerified
	if c.server.TLS == TLSNone || c.clear {
		return nil
	}
	if !c.ext.has("STARTTLS") {
		if must {
			return refused(stageStartTLS, reply{}, errNoTLS)
		}
		return nil
	}
	got, err := c.command(c.wait.Command, "STARTTLS")
	if err == nil && got.failed() && !must && !c.broken {
		return nil // RFC 3207 section 4: 454 leaves the session as it was
	}
	if err != nil || got.code != 220 {
		return refused(stageStartTLS, failing(got), err)
	}
	if c.r.Buffered() > 0 {
		return refused(stageStartTLS, reply{}, errInjected)
	}
	if err := c.handshake(ctx, host); err != nil {
		return refused(stageStartTLS, reply{}, err)
	}
	return c.hello(localName) // what was offered in the clear is void
}

func (c *conn) handshake(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, c.wait.Connect)
	defer cancel()
	if err := c.net.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	t := tls.Client(c.net, c.server.tlsConfig(host))
	if err := t.HandshakeContext(ctx); err != nil {
		c.broken = true
		return &handshakeError{waited(err, c.wait.Connect)}
	}
	c.over(t)
	return nil
}

// handshakeError marks what makes an opportunistic client fall back.
type handshakeError struct{ error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.error.Error() }
func (e *handshakeError) Unwrap() error { return e.error }

func (s *server) tlsConfig(host string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLSConfig != nil {
		cfg = s.TLSConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	if s.TLS != TLSVerified {
		cfg.InsecureSkipVerify = true // any certificate is better than the clear
	}
	return cfg
}

// authenticate says AUTH (RFC 4954) where a user is configured: PLAIN (RFC
// 4616), or LOGIN with those that know nothing else.
func (c *conn) authenticate(host string) *refusal {
	if c.server.Username == "" {
		return nil
	}
	if !c.secure && !loopback(host) {
		return refused(stageAuth, reply{}, errClearAuth)
	}
	switch mechanisms := strings.Fields(strings.ToUpper(c.ext["AUTH"])); {
	case slices.Contains(mechanisms, "PLAIN"):
		return c.authPlain()
	case slices.Contains(mechanisms, "LOGIN"):
		return c.authLogin()
	}
	return refused(stageAuth, reply{}, errNoAuth)
}

func (c *conn) authPlain() *refusal {
	got, err := c.command(c.wait.Command, "AUTH PLAIN "+encoded("\x00"+c.server.Username+"\x00"+c.server.Password))
	if err == nil && got.code == 334 {
		c.broken = true // it wants another step, which PLAIN has not
	}
	return refused(stageAuth, got, err)
}

// authLogin answers two questions, for the name and for the password, whatever
// their words (draft-murchison-sasl-login).
func (c *conn) authLogin() *refusal {
	got, err := c.command(c.wait.Command, "AUTH LOGIN")
	for _, answer := range [...]string{c.server.Username, c.server.Password} {
		if err != nil || got.code != 334 {
			return refused(stageAuth, failing(got), err)
		}
		got, err = c.command(c.wait.Command, encoded(answer))
	}
	if err == nil && got.code == 334 {
		c.broken = true // a third question
	}
	return refused(stageAuth, got, err)
}

func encoded(secret string) string { return base64.StdEncoding.EncodeToString([]byte(secret)) }

// loopback reports whether host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || ip != nil && ip.IsLoopback()
}
