package e2e

import (
	"context"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestOpenRelay: nmap's smtp-open-relay finds nothing from an address that may
// not send, and none of its tricks helps a client to domains that are not
// named. From a client that may send anywhere it finds just that.
func TestOpenRelay(t *testing.T) {
	needs(t, "nmap")
	for _, c := range []struct {
		who, settings string
		ways          bool
	}{
		{"a stranger", "networks = ['127.0.0.2/32']\n", false},
		{"a client that may send to some domains", "[limits]\nrecipient_domains = ['lull.test', '[127.0.0.1]']\n", false},
		{"a client", "networks = ['127.0.0.1/32']\n", true},
	} {
		t.Run(c.who, func(t *testing.T) {
			far := newSink(t)
			h := newHouse(t, c.settings+"[[smarthost]]\naddr = %q\n", far.addr)
			ways, tricks, report := openRelay(t, h.addr)
			if (ways > 0) != c.ways || tricks > 0 {
				t.Errorf("%d ways, %d of them by tricks:\n%s", ways, tricks, report)
			}
			if n := count(h.status(t), "accepted") + len(far.arrivals()); n > 0 {
				t.Errorf("%d mails", n) // the script sends none
			}
			t.Logf("%s: %d of 16 ways", c.who, ways)
		})
	}
}

var (
	noWay    = regexp.MustCompile(`Server doesn't seem to be an open relay, all tests failed`)
	someWays = regexp.MustCompile(`Server is an open relay \((\d+)/16 tests\)`)
	// trick is a recipient that names a host on the way; a source route is
	// none, as lull ignores it (RFC 5321 appendix C).
	trick = regexp.MustCompile(`RCPT TO:<[^@>]*[%!"]`)
)

// openRelay runs nmap's script, which asks for 16 ways, and counts those that
// it found.
func openRelay(t *testing.T, addr string) (ways, tricks int, report string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(ctx, "nmap", "-n", "-Pn", "-vv", "-p", port, "--script", "+smtp-open-relay", "127.0.0.1").CombinedOutput()
	if err != nil {
		t.Fatalf("nmap: %v\n%s", err, out)
	}
	found := someWays.FindSubmatch(out)
	if found == nil {
		if !noWay.Match(out) {
			t.Fatalf("nmap did not get through its tests:\n%s", out)
		}
		return 0, 0, string(out)
	}
	ways, err = strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return ways, len(trick.FindAll(out, -1)), string(out)
}
