package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKillNine kills the daemon again and again while 32 senders are at it and
// write down each 250. What was answered must be there, once, and the books
// must balance: promises 1 and 2. LULL_E2E=1 does 50 rounds.
func TestKillNine(t *testing.T) {
	rounds := 5
	if os.Getenv("LULL_E2E") != "" {
		rounds = 50
	}
	if testing.Short() {
		rounds = 2
	}
	k := &killing{t: t, state: filepath.Join(t.TempDir(), "s"), answered: map[string]bool{}}
	for round := range rounds {
		k.round(round)
	}
	k.check(rounds)
}

// senders is how many clients send at once.
const senders = 32

type killing struct {
	t     *testing.T
	state string

	mu       sync.Mutex
	answered map[string]bool // marks of mails that got a 250
	tried    int
}

// round runs the daemon under load, and kills it at a moment of its own.
func (k *killing) round(n int) {
	d, address := k.serve()
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() { k.send(address, fmt.Sprintf("r%d-s%d", n, s)) })
	}
	before := k.count()
	if !eventually(func() bool { return k.count() >= before+50*(1+n%7) }) {
		k.t.Fatalf("round %d: the daemon takes no mail: %s", n, k.log())
	}
	if err := d.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	_ = d.Wait()
	all.Wait()
}

func (k *killing) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.answered)
}

func (k *killing) log() string {
	b, _ := os.ReadFile(k.state + ".log")
	return string(b[max(0, len(b)-4000):])
}

// serve starts the daemon; digests leave each two seconds, so that kills hit
// cuts and attempts, too.
func (k *killing) serve() (*exec.Cmd, string) {
	log, err := os.Create(k.state + ".log")
	if err != nil {
		k.t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command("lull", "serve", "--listen", "127.0.0.1:0", "--state", k.state, "--window", "1m", "--schedule", "@every 10s")
	c.Stderr = log
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	listening := regexp.MustCompile(`msg="taking mail in" listen=\[([^\]]+)\]`)
	var address string
	if !eventually(func() bool {
		if m := listening.FindStringSubmatch(k.log()); m != nil {
			address = m[1]
		}
		return address != ""
	}) {
		k.t.Fatalf("the daemon does not start: %s", k.log())
	}
	return c, address
}

// send sends mails until the daemon is gone, and notes each 250.
func (k *killing) send(address, name string) {
	c, err := smtp.Dial(address)
	if err != nil {
		return
	}
	defer c.Close()
	for n := 0; ; n++ {
		mark := fmt.Sprintf("%s-%d", name, n)
		text := fmt.Sprintf("From: root@%s.example.org\r\nTo: ops@example.org\r\nSubject: mark %s\r\nAuto-Submitted: auto-generated\r\nDate: %s\r\n\r\n%s\r\n",
			name, mark, time.Now().UTC().Format(time.RFC1123Z), strings.Repeat("disk is full\r\n", 40))
		k.mu.Lock()
		k.tried++
		k.mu.Unlock()
		if err := sendOne(c, mark+"@example.org", []string{"ops@example.org"}, text); err != nil {
			return
		}
		k.mu.Lock()
		k.answered[mark] = true
		k.mu.Unlock()
	}
}

// check counts what the store has against what was answered.
func (k *killing) check(rounds int) {
	d, _ := k.serve()
	defer func() { _ = d.Process.Kill() }()
	found := map[string]int{}
	for line := range strings.Lines(k.run("list", "--json")) {
		var c struct{ From string }
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			k.t.Fatalf("%v in %q", err, line)
		}
		found[strings.TrimSuffix(c.From, "@example.org")]++
	}
	lost := 0
	for mark := range k.answered {
		if found[mark] == 0 {
			lost++
		}
	}
	twice := 0
	for _, n := range found {
		if n > 1 {
			twice++
		}
	}
	var v struct{ Accepted, Differences int }
	if err := json.Unmarshal([]byte(k.run("verify", "--json")), &v); err != nil {
		k.t.Fatal(err)
	}
	k.t.Logf("%d rounds, %d senders: %d tried, %d answered with 250, %d kept, %d lost, %d twice, %d differences",
		rounds, senders, k.tried, len(k.answered), len(found), lost, twice, v.Differences)
	if lost > 0 || twice > 0 || v.Differences > 0 {
		k.t.Errorf("lost %d, twice %d, differences %d", lost, twice, v.Differences)
	}
	if v.Accepted != len(found) {
		k.t.Errorf("verify counts %d copies, list shows %d", v.Accepted, len(found))
	}
	for line := range strings.Lines(k.run("bound", "--json")) {
		var b struct{ Max, Budget int }
		_ = json.Unmarshal([]byte(strings.ReplaceAll(line, "max_in_window", "max")), &b)
		if b.Max == 0 || b.Max > b.Budget {
			k.t.Errorf("bound: %s", line)
		}
	}
}

func (k *killing) run(args ...string) string {
	out, err := exec.Command("lull", append(args, "--state", k.state)...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		k.t.Fatalf("lull %v: %v: %s", args, err, exit.Stderr)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return string(out)
}
