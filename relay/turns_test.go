package relay

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestHostsTakeTurns: one of few waits for one of each crowd, and for no crowd.
func TestHostsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &turns{free: 1, waiting: make(map[string][]chan struct{})}
		var served []string
		visit := func(host string) {
			go func() {
				if !line.take(t.Context(), host) {
					t.Errorf("%s had no turn", host)
					return
				}
				<-time.After(time.Second)
				served = append(served, host) // only one at a time
				line.give()
			}()
			synctest.Wait()
		}
		for _, host := range []string{"crowd", "crowd", "crowd", "mob", "mob", "one", "crowd"} {
			visit(host)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		want := []string{"crowd", "crowd", "mob", "one", "crowd", "mob", "crowd"}
		if !slices.Equal(served, want) {
			t.Errorf("served %v, want %v", served, want)
		}
		if line.free != 1 || len(line.hosts) != 0 || len(line.waiting) != 0 {
			t.Errorf("left: %+v", line)
		}
	})
}

// TestGoneBeforeItsTurn: who does not wait any more is passed over.
func TestGoneBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &turns{free: 1, waiting: make(map[string][]chan struct{})}
		line.take(t.Context(), "a")
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan bool)
		go func() { answers <- line.take(ctx, "b") }()
		synctest.Wait()
		cancel()
		if <-answers {
			t.Error("a turn came to one who had left")
		}
		line.give()
		if line.free != 1 || len(line.hosts) != 0 || len(line.waiting) != 0 {
			t.Errorf("left: %+v", line)
		}
	})
}

// TestOneProcessorIsLeft: passwords and handshakes leave one to the others.
func TestOneProcessorIsLeft(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for processors, want := range map[int]int{1: 1, 2: 1, 8: 7} {
		runtime.GOMAXPROCS(processors)
		if got := newTurns().free; got != want {
			t.Errorf("%d at once on %d processors, want %d", got, processors, want)
		}
	}
}

// counted is a key that counts how many signatures are made at once.
type counted struct {
	crypto.Signer
	now, most *int
}

func (c counted) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	*c.now++
	*c.most = max(*c.most, *c.now)
	<-time.After(time.Second)
	defer func() { *c.now-- }()
	return c.Signer.Sign(random, digest, opts)
}

// TestHandshakesTakeTurns: a crowd of handshakes is signed for one by one, and
// one of another host is next.
func TestHandshakesTakeTurns(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"lull.test"}, NotBefore: start.Add(-time.Hour), NotAfter: start.AddDate(100, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var now, most int
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: counted{key, &now, &most}}
	cfg := Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	bubbleAt(t, Door{TLS: true}, cfg, nil, func(t *testing.T, h *house) {
		free := h.server.signing.free
		h.server.signing.free = 1
		ended := make(chan string, 6)
		shake := func(host string) {
			conn := h.pipes.dial(t, host)
			go func() {
				err := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
				ended <- fmt.Sprint(host, err)
				io.Copy(io.Discard, conn) //nolint:errcheck // until the house closes
			}()
			synctest.Wait()
		}
		for range 5 {
			shake("127.0.0.2")
		}
		shake("127.0.0.9")
		var order []string
		for range 6 {
			order = append(order, <-ended)
		}
		h.server.signing.free = free
		if i := slices.Index(order, "127.0.0.9<nil>"); i < 0 || i > 2 {
			t.Errorf("ended in the order %v", order)
		}
		if most != 1 {
			t.Errorf("%d signatures at once", most)
		}
	})
}

// TestAProxyBringsNoPlace: one who comes through a proxy when all places are
// taken is turned away, whatever name the proxy gives.
func TestAProxyBringsNoPlace(t *testing.T) {
	door := Door{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	bubbleAt(t, door, Config{MaxConnections: 1}, nil, func(t *testing.T, h *house) {
		first := newClient(t, h.pipes.dial(t, "127.0.0.1"))
		first.send("PROXY TCP4 192.0.2.1 192.0.2.9 4000 25\r\n")
		first.want("220 *")
		second := newClient(t, h.pipes.dial(t, "127.0.0.1"))
		second.send("PROXY TCP4 192.0.2.2 192.0.2.9 4000 25\r\n")
		second.want("421 4.3.2 *")
		second.want("closed")
		h.clients = append(h.clients, first)
	})
}

// TestEndlessInputIsNotReadForEver: behind what a client may say without a
// command, a little more is read, so that it hears why, and no more.
func TestEndlessInputIsNotReadForEver(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.want("220 *")
		read, block := 0, make([]byte, 4096)
		for {
			n, err := c.conn.Write(block)
			if read += n; err != nil {
				break
			}
		}
		if most := commandBudget + lingerSize + 64<<10; read <= commandBudget || read > most {
			t.Errorf("%d octets were read, want %d at most", read, most)
		}
		c.want("421 4.7.0 *")
		c.want("closed")
	})
}
