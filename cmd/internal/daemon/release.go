package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"

	"lull/cmd/internal/config"
)

// releaseCheck knows whether mail that the mail server took really leaves it.
// It asks now and then, and answers from memory.
type releaseCheck struct {
	// send gives the mail server a mail to one of our own addresses.
	send func(ctx context.Context, canary string) error
	// came has an entry when a canary mail came back.
	came chan struct{}

	mu     sync.Mutex
	how    config.Release
	failed error // nil while the check passes, or there is none
	asked  time.Time
}

func (r *releaseCheck) set(how config.Release) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.how != how {
		r.how, r.failed, r.asked = how, nil, time.Time{}
	}
}

// healthy says why the gate must wait, nil if it need not.
func (r *releaseCheck) healthy(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// loop asks as often as is configured, until over ends.
func (r *releaseCheck) loop(over, _ context.Context) {
	for {
		r.mu.Lock()
		how := r.how
		r.mu.Unlock()
		if how.Command != "" || how.URL != "" || how.Canary {
			r.learn(how, r.ask(over, how))
		}
		if !pause(over, time.Duration(how.Every)) {
			return
		}
	}
}

// learn keeps an answer, unless the question has changed meanwhile.
func (r *releaseCheck) learn(how config.Release, failed error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.how != how || errors.Is(failed, context.Canceled) {
		return
	}
	r.failed, r.asked = failed, time.Now()
}

// ask runs the check once.
func (r *releaseCheck) ask(ctx context.Context, how config.Release) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(how.Timeout))
	defer cancel()
	switch {
	case how.Command != "":
		return askCommand(ctx, how.Command)
	case how.URL != "":
		return askURL(ctx, how.URL)
	}
	return r.askCanary(ctx, how.Timeout)
}

// askCanary sends a mail that the mail server must hand back to us. One that
// it does not take says nothing: that the engine finds out by itself.
func (r *releaseCheck) askCanary(ctx context.Context, patience config.Duration) error {
	select {
	case <-r.came: // a late one, of an earlier question
	default:
	}
	if err := r.send(ctx, newID()); err != nil {
		return nil
	}
	select {
	case <-r.came:
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return fmt.Errorf("release check: the mail server took a canary mail, and has not handed it back within %s", patience)
	}
}

// back notes that a canary came back: whichever it was, mail leaves.
func (r *releaseCheck) back() {
	select {
	case r.came <- struct{}{}:
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.how.Canary {
		r.failed = nil
	}
}

func askCommand(ctx context.Context, command string) error {
	c := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.WaitDelay = time.Second // a grandchild may keep the pipe open
	said, err := c.CombinedOutput()
	if err == nil {
		return nil
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return fmt.Errorf("release check %q: %w %s", command, err, first[:min(len(first), 200)])
}

func askURL(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("release check: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("release check: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("release check: %s answers %s", url, resp.Status)
	}
	return nil
}
