package relay

import (
	"sync"
	"time"
)

// roster knows every open connection, and how many each host has.
type roster struct {
	maxAll, maxHost int

	mu       sync.Mutex
	wires    map[*wire]struct{}
	hosts    map[string]int
	stopping bool
	empty    chan struct{} // closed when stopping and no wire is left
}

func newRoster(maxAll, maxHost int) *roster {
	return &roster{
		maxAll:  maxAll,
		maxHost: maxHost,
		wires:   make(map[*wire]struct{}),
		hosts:   make(map[string]int),
		empty:   make(chan struct{}),
	}
}

// evictAfter is how long a connection must have been idle before it makes
// room for another.
const evictAfter = 10 * time.Second

// enter takes a connection in, or says why not. Where there is no place left,
// one that has been idle for long gives up its own.
func (r *roster) enter(w *wire) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopping:
		return stopped()
	case len(r.wires) >= r.maxAll && !r.makeRoom(""):
		return say(421, enhanced{4, 3, 2}, "Too many connections, try again later")
	case w.client.IsValid() && !w.proxied && r.hosts[w.name] >= r.maxHost && !r.makeRoom(w.name):
		return tooManyOfHost()
	}
	r.wires[w] = struct{}{}
	r.hosts[w.name]++
	return nil
}

// makeRoom ends the connection that has been idle the longest, of one host or
// of all ("").
func (r *roster) makeRoom(host string) bool {
	var idlest *wire
	now, longest := time.Now(), evictAfter
	for w := range r.wires {
		if host != "" && w.name != host {
			continue
		}
		if d := w.idle(now); d >= longest {
			idlest, longest = w, d
		}
	}
	if idlest == nil {
		return false
	}
	idlest.evict()
	return true
}

// leave takes a connection out. It does nothing for one that is not in.
func (r *roster) leave(w *wire) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, in := r.wires[w]; !in {
		return
	}
	delete(r.wires, w)
	r.uncount(w.name)
	r.announce()
}

func (r *roster) uncount(host string) {
	if r.hosts[host]--; r.hosts[host] == 0 {
		delete(r.hosts, host)
	}
}

func tooManyOfHost() *answer {
	return say(421, enhanced{4, 7, 0}, "Too many connections from your address, try again later")
}

// stop lets nobody in any more, and returns a channel that is closed when
// everybody has left.
func (r *roster) stop() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopping {
		r.stopping = true
		r.announce()
	}
	return r.empty
}

func (r *roster) announce() {
	if !r.stopping || len(r.wires) > 0 {
		return
	}
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}

// all are the connections that are open now.
func (r *roster) all() []*wire {
	r.mu.Lock()
	defer r.mu.Unlock()
	wires := make([]*wire, 0, len(r.wires))
	for w := range r.wires {
		wires = append(wires, w)
	}
	return wires
}
