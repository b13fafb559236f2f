package relay

import (
	"context"
	"runtime"
	"slices"
	"sync"
)

// turns lets only a few do at a time what takes a processor for long, so that
// the others are there for mail. Hosts take turns: one with a crowd of
// connections waits for others, not they for all of its crowd.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting map[string][]chan struct{} // of each host, those who came first first
	hosts   []string                   // those that wait, the next one first
}

// newTurns leaves one processor to others, where there is more than one.
func newTurns() *turns {
	return &turns{free: max(1, runtime.GOMAXPROCS(0)-1), waiting: make(map[string][]chan struct{})}
}

// take waits for the host's turn, which ends with give. It reports false if ctx
// ended before.
func (t *turns) take(ctx context.Context, host string) bool {
	granted := t.line(host)
	select {
	case <-granted:
		return true
	case <-ctx.Done():
	}
	if !t.abandon(host, granted) {
		t.give() // it came just now
	}
	return false
}

// line puts one more of a host into the line, and returns what is closed when
// its turn has come.
func (t *turns) line(host string) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	granted := make(chan struct{})
	if t.free > 0 {
		t.free--
		close(granted)
		return granted
	}
	if len(t.waiting[host]) == 0 {
		t.hosts = append(t.hosts, host)
	}
	t.waiting[host] = append(t.waiting[host], granted)
	return granted
}

// abandon leaves the line, if the turn has not come.
func (t *turns) abandon(host string, granted chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting[host], granted)
	if i < 0 {
		return false
	}
	t.waiting[host] = slices.Delete(t.waiting[host], i, i+1)
	t.forget(host)
	return true
}

// forget takes a host out of the line that has nobody there any more.
func (t *turns) forget(host string) {
	if len(t.waiting[host]) > 0 {
		return
	}
	delete(t.waiting, host)
	t.hosts = slices.DeleteFunc(t.hosts, func(h string) bool { return h == host })
}

// give ends a turn. The next is that of the host that has waited the longest
// since it had one.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.hosts) == 0 {
		t.free++
		return
	}
	host := t.hosts[0]
	line := t.waiting[host]
	close(line[0])
	t.hosts, t.waiting[host] = append(t.hosts[1:], host), line[1:]
	t.forget(host)
}
