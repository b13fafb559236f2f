package relay

import (
	"net/netip"
	"sync"
	"time"
)

// host is whom connections and wrong passwords are counted against: the client's
// address, or of IPv6 the network of 64 bits, whose addresses are any host's to
// choose.
func (w *wire) host() string {
	if !w.client.Is6() {
		return w.name
	}
	return netip.PrefixFrom(w.client, 64).Masked().String()
}

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
// one that has been idle for long gives up its own, or one of the host that
// has the most: a crowd keeps nobody out.
func (r *roster) enter(w *wire) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopping:
		return stopped()
	case len(r.wires) >= r.maxAll && !r.makeRoom("", evictAfter) && !r.thin(w.host()):
		return say(421, enhanced{4, 3, 2}, "Too many connections, try again later")
	case w.client.IsValid() && !w.proxied && r.hosts[w.host()] >= r.maxHost && !r.makeRoom(w.host(), evictAfter):
		return tooManyOfHost()
	}
	r.wires[w] = struct{}{}
	r.hosts[w.host()]++
	return nil
}

// thin ends the idlest connection of the host that has the most, among those
// that have more than the newcomer's would have.
func (r *roster) thin(newcomer string) bool {
	var found *wire
	now, most, longest := time.Now(), r.hosts[newcomer]+2, time.Duration(0)
	for w := range r.wires {
		n := r.hosts[w.host()]
		d := w.idle(now)
		if d > 0 && (n > most || n == most && d > longest) {
			found, most, longest = w, n, d
		}
	}
	if found == nil {
		return false
	}
	found.evict()
	return true
}

// makeRoom ends the connection that has been idle the longest, and for as long
// as that, of one host or of all ("").
func (r *roster) makeRoom(host string, longest time.Duration) bool {
	var idlest *wire
	now := time.Now()
	for w := range r.wires {
		if host != "" && w.host() != host {
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
	r.uncount(w.host())
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
