package e2e

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
)

// openUp lets the servers' own accounts reach a test's folder.
func openUp(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && len(dir) > 1; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// chownToMailOwner gives a folder to the account that Postfix's configuration
// names as mail_owner: "news" exists on every Debian.
func chownToMailOwner(t *testing.T, dir string) {
	t.Helper()
	u, err := user.Lookup("news")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatalf("the end-to-end tests need root: %v", err)
	}
}
