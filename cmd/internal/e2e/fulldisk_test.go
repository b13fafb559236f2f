package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// try hands one mail in, and gives the answer's code.
func try(addr string, m letter) int {
	c, err := smtp.Dial(addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	var said *smtp.SMTPError
	switch err := c.SendMail(m.from, m.to, strings.NewReader(m.body)); {
	case err == nil:
		return 250
	case errors.As(err, &said):
		return said.Code
	}
	return 0
}

// large is an alert that does not compress.
func large(i int) letter {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	var text strings.Builder
	for range 2000 {
		fmt.Fprintf(&text, "%016x%016x%016x%016x\n", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	}
	return alert("root", "ops", fmt.Sprintf("dump %d", i), text.String())
}

// TestFullDisk: when the disk has no room left, mail is put off with 452, what
// was answered with 250 is there, lull stays up, also over a restart, and takes
// mail again when there is room.
func TestFullDisk(t *testing.T) {
	needs(t)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"); err != nil {
		t.Fatalf("a small file system needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	d := configured(t, "reserve = '8MB'\nstate = %q\n", filepath.Join(dir, "state"))
	d.stop(syscall.SIGTERM)
	d.state = filepath.Join(dir, "state")
	d.args = []string{"serve", "--listen", d.addr, "--state", d.state, "--config", d.args[len(d.args)-1], "--smarthost", "127.0.0.1:1"}
	d.restart(t)
	accepted, sent := 0, 0
	for ; sent < 600; sent++ {
		code := try(d.addr, large(sent))
		if code == 452 {
			break
		}
		if code != 250 {
			t.Fatalf("mail %d is answered %d", sent, code)
		}
		accepted++
	}
	if accepted == 0 || sent == 600 {
		t.Fatalf("%d of %d accepted", accepted, sent)
	}
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	for range 5 {
		if code := try(d.addr, large(sent)); code != 452 {
			t.Errorf("on a disk full to the last byte: %d", code)
		}
	}
	same := func(when string) {
		t.Helper()
		if n := count(d.objects(t, "status")[0], "accepted"); n != accepted {
			t.Errorf("%s: %d accepted, %d answered with 250", when, n, accepted)
		}
	}
	same("full")
	d.stop(syscall.SIGKILL)
	d.restart(t)
	same("after kill -9 on a full disk")
	if code := try(d.addr, large(sent)); code != 452 {
		t.Errorf("after the restart: %d", code)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, "size=96m"); err != nil {
		t.Fatal(err)
	}
	until(t, 30*time.Second, "mail is taken again", func() bool { return try(d.addr, large(sent)) == 250 })
	accepted++
	same("with room again")
	d.audit(t)
}

// fill writes until there is no room.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
