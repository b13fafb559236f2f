// Package layers keeps the direction of imports that docs/design.md draws:
// cmd → relay, digest, engines → store.
package layers

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden says which packages of ours a tree must never depend on, at any
// distance.
var forbidden = []struct{ tree, mayNot, because string }{
	{"lull/store", "lull/relay", "the store knows no wire"},
	{"lull/store", "lull/digest", "the store knows no digest"},
	{"lull/store", "lull/cmd", "only cmd knows config"},
	{"lull/relay", "lull/digest", "cmd hands the signature function to the relay"},
	{"lull/relay", "lull/cmd", "only cmd knows config"},
	{"lull/relay", "lull/store/bolt", "the relay knows the contract, not an engine"},
	{"lull/digest", "lull/relay", "cmd hands the sender to the engine"},
	{"lull/digest", "lull/cmd", "only cmd knows config"},
	{"lull/digest", "lull/store/bolt", "the digest knows the contract, not an engine"},
	{"lull/digest/signature", "lull/digest/compose", "a signature is a function of the bytes"},
}

func TestDirection(t *testing.T) {
	for tree, deps := range dependencies(t) {
		for _, f := range forbidden {
			if within(tree, f.tree) && anyWithin(deps, f.mayNot) {
				t.Errorf("%s depends on %s: %s", tree, f.mayNot, f.because)
			}
		}
	}
}

// TestStoreAlone: the contract itself imports nothing of ours.
func TestStoreAlone(t *testing.T) {
	for _, dep := range dependencies(t)["lull/store"] {
		if strings.HasPrefix(dep, "lull/") && dep != "lull/store" {
			t.Errorf("store imports %s; it must import nothing of ours", dep)
		}
	}
}

// TestPureCores: what must be a function of its arguments reads no clock, no
// file and no network.
func TestPureCores(t *testing.T) {
	for _, pkg := range []string{"lull/relay/policy", "lull/store/filter", "lull/digest/compose", "lull/digest/signature"} {
		deps, ok := dependencies(t)[pkg]
		if !ok {
			t.Errorf("%s is gone; say where the pure core lives now", pkg)
		}
		for _, dep := range deps {
			if dep == "net/http" || dep == "os/exec" || dep == "go.etcd.io/bbolt" {
				t.Errorf("%s depends on %s; it must stay pure", pkg, dep)
			}
		}
	}
}

// dependencies lists, for each package of ours, all it depends on without its
// tests.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "lull/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	return all
}

func anyWithin(pkgs []string, tree string) bool {
	for _, p := range pkgs {
		if within(p, tree) {
			return true
		}
	}
	return false
}

func within(pkg, tree string) bool { return pkg == tree || strings.HasPrefix(pkg, tree+"/") }
