package relay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// The header by which a proxy names the client that it speaks for (PROXY
// protocol, versions 1 and 2).

const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

const (
	maxProxyLine = 107 // version 1, with CRLF
	maxProxyBody = 536 // version 2, of which addresses are the first part
)

var errProxy = errors.New("malformed PROXY header")

// readProxy reads the header and not an octet more. An address that is not
// valid means that the proxy speaks for itself.
func readProxy(r io.Reader) (netip.Addr, error) {
	head := make([]byte, 13)
	if _, err := io.ReadFull(r, head); err != nil {
		return netip.Addr{}, fmt.Errorf("PROXY header: %w", err)
	}
	if bytes.HasPrefix(head, []byte(proxySignature)) {
		return readProxy2(r, head[12])
	}
	return readProxy1(r, head)
}

// readProxy1 reads "PROXY TCP4 192.0.2.1 192.0.2.2 4000 25" and its CRLF.
func readProxy1(r io.Reader, line []byte) (netip.Addr, error) {
	octet := make([]byte, 1)
	for line[len(line)-1] != '\n' {
		if len(line) == maxProxyLine {
			return netip.Addr{}, errProxy
		}
		if _, err := io.ReadFull(r, octet); err != nil {
			return netip.Addr{}, fmt.Errorf("PROXY header: %w", err)
		}
		line = append(line, octet[0])
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if words[0] != "PROXY" || len(words) < 2 {
		return netip.Addr{}, errProxy
	}
	if words[1] == "UNKNOWN" {
		return netip.Addr{}, nil
	}
	if len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6" {
		return netip.Addr{}, errProxy
	}
	client, err := netip.ParseAddr(words[2])
	if err != nil || client.Is4() != (words[1] == "TCP4") {
		return netip.Addr{}, errProxy
	}
	return client.Unmap(), nil
}

// readProxy2 reads the rest of a binary header behind its version octet.
func readProxy2(r io.Reader, version byte) (netip.Addr, error) {
	rest := make([]byte, 3)
	if _, err := io.ReadFull(r, rest); err != nil {
		return netip.Addr{}, fmt.Errorf("PROXY header: %w", err)
	}
	family, size := rest[0], int(binary.BigEndian.Uint16(rest[1:]))
	if version>>4 != 2 || size > maxProxyBody {
		return netip.Addr{}, errProxy
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return netip.Addr{}, fmt.Errorf("PROXY header: %w", err)
	}
	switch command := version & 0xf; {
	case command == 0: // LOCAL: a health check of the proxy
		return netip.Addr{}, nil
	case command != 1:
		return netip.Addr{}, errProxy
	case family == 0x11 && size >= 12:
		return netip.AddrFrom4([4]byte(body[:4])), nil
	case family == 0x21 && size >= 36:
		return netip.AddrFrom16([16]byte(body[:16])).Unmap(), nil
	case family == 0x00:
		return netip.Addr{}, nil
	}
	return netip.Addr{}, errProxy
}
