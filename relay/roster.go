package relay

import (
	"cmp"
	"net/netip"
	"slices"
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

// roster knows every open connection, and those of each host.
type roster struct {
	maxAll, maxHost int

	mu       sync.Mutex
	everyone guests
	hosts    map[string]*guests
	stopping bool
	empty    chan struct{} // closed when stopping and no wire is left
}

func newRoster(maxAll, maxHost int) *roster {
	return &roster{
		maxAll:   maxAll,
		maxHost:  maxHost,
		everyone: guests{wires: make(map[*wire]struct{})},
		hosts:    make(map[string]*guests),
		empty:    make(chan struct{}),
	}
}

// evictAfter is how long a connection must have been idle before it makes
// room for another.
const evictAfter = 10 * time.Second

// enter takes a connection in, or says why not. Where there is no place left,
// one that has been idle for long gives up its own, or one of the host that
// has the most: a crowd keeps nobody out. To be refused costs little, however
// many there are, or a crowd that knocks would keep the processor busy.
func (r *roster) enter(w *wire) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	host, now := w.host(), time.Now()
	switch {
	case r.stopping:
		return stopped()
	case len(r.everyone.wires) >= r.maxAll && !r.everyone.makeRoom(now) && !r.thin(host, now):
		return say(421, enhanced{4, 3, 2}, "Too many connections, try again later")
	case w.client.IsValid() && !w.proxied && r.crowded(host, now):
		return tooManyOfHost()
	}
	r.everyone.wires[w] = struct{}{}
	r.count(w, host)
	return nil
}

// of is how many connections a host has.
func (r *roster) of(host string) int {
	if g := r.hosts[host]; g != nil {
		return len(g.wires)
	}
	return 0
}

// crowded reports whether a host has all the connections that it may have, and
// needs all of them.
func (r *roster) crowded(host string, now time.Time) bool {
	return r.of(host) >= r.maxHost && !r.hosts[host].makeRoom(now)
}

// thin ends the idlest connection of the host that has the most, among those
// that have more than the newcomer's would have.
func (r *roster) thin(newcomer string, now time.Time) bool {
	var crowds []*guests
	for _, g := range r.hosts {
		if len(g.wires) >= r.of(newcomer)+2 {
			crowds = append(crowds, g)
		}
	}
	slices.SortFunc(crowds, func(a, b *guests) int { return cmp.Compare(len(b.wires), len(a.wires)) })
	for _, g := range crowds {
		if w, _ := g.idlest(now); w != nil {
			w.evict()
			return true
		}
	}
	return false
}

// leave takes a connection out. It does nothing for one that is not in.
func (r *roster) leave(w *wire) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, in := r.everyone.wires[w]; !in {
		return
	}
	delete(r.everyone.wires, w)
	r.uncount(w)
	r.announce()
}

func (r *roster) count(w *wire, host string) {
	g := r.hosts[host]
	if g == nil {
		g = &guests{wires: make(map[*wire]struct{})}
		r.hosts[host] = g
	}
	g.wires[w] = struct{}{}
}

func (r *roster) uncount(w *wire) {
	host := w.host()
	g := r.hosts[host]
	if delete(g.wires, w); len(g.wires) == 0 {
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
	if !r.stopping || len(r.everyone.wires) > 0 {
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
	wires := make([]*wire, 0, len(r.everyone.wires))
	for w := range r.everyone.wires {
		wires = append(wires, w)
	}
	return wires
}

// guests are connections, of one host or of all.
type guests struct {
	wires map[*wire]struct{}
	busy  time.Time // until then none of them can have been idle for evictAfter
}

// makeRoom ends the connection that has been idle the longest, and for as long
// as evictAfter.
func (g *guests) makeRoom(now time.Time) bool {
	if now.Before(g.busy) {
		return false
	}
	w, d := g.idlest(now)
	if d < evictAfter {
		g.busy = now.Add(evictAfter - d)
		return false
	}
	w.evict()
	return true
}

// idlest is the connection that has been idle the longest, nil if none is idle.
func (g *guests) idlest(now time.Time) (found *wire, longest time.Duration) {
	for w := range g.wires {
		if d := w.idle(now); d > longest {
			found, longest = w, d
		}
	}
	return found, longest
}
