package relay

import (
	"sync"

	"github.com/emersion/go-smtp"
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

// enter takes a connection in, or says why not.
func (r *roster) enter(w *wire) *smtp.SMTPError {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopping:
		return say(421, enhanced{4, 3, 2}, "Service is stopping, try again later")
	case len(r.wires) >= r.maxAll:
		return say(421, enhanced{4, 3, 2}, "Too many connections, try again later")
	case w.client.IsValid() && r.hosts[w.name] >= r.maxHost:
		return say(421, enhanced{4, 7, 0}, "Too many connections from your address, try again later")
	}
	r.wires[w] = struct{}{}
	r.hosts[w.name]++
	return nil
}

// leave takes a connection out. It does nothing for one that is not in.
func (r *roster) leave(w *wire) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, in := r.wires[w]; !in {
		return
	}
	delete(r.wires, w)
	if r.hosts[w.name]--; r.hosts[w.name] == 0 {
		delete(r.hosts, w.name)
	}
	r.announce()
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
