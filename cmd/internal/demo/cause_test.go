package demo

import (
	"strings"
	"testing"
)

// TestOneCause replays the outage: the digest after it tells each check once,
// with all its hosts, and all that is open as one cause.
func TestOneCause(t *testing.T) {
	rep, err := Run(t.Context(), Options{Dir: t.TempDir(), Variant: Refuses, Seed: 1, Tools: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range rep.Digests {
		if text := string(d.Data); strings.Contains(text, "PROBABLY ONE CAUSE") {
			for _, want := range []string{"  NFS on 81 objects", "  Earliest at 15:4", "began within "} {
				if !strings.Contains(text, want) {
					t.Errorf("the digest of %s does not say %q", d.At, want)
				}
			}
			for _, check := range []string{"Puppet errors", "Free space - all mounts", "High iowait"} {
				if n := strings.Count(text, "  CRITICAL  "+check) + strings.Count(text, "  UNKNOWN  "+check); n != 1 {
					t.Errorf("the digest of %s has %d entries of %s", d.At, n, check)
				}
			}
			if strings.Contains(text, "NEW AND OPEN") {
				t.Error("something of the outage is told beside its cause")
			}
			if !strings.Contains(text, "Host check; on ") {
				t.Error("the checks of hosts have no title that says so")
			}
			return
		}
	}
	t.Errorf("none of %d digests tells a cause", len(rep.Digests))
}
