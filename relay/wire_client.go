package relay

import (
	"net/netip"
	"time"
)

// How a wire comes to know its client, and lets it in or not.

// proxyTimeout is how long a proxy may take to name its client.
const proxyTimeout = 10 * time.Second

// identify reads whom a proxy speaks for.
func (w *wire) identify() {
	w.proxied = false
	w.Conn.SetReadDeadline(time.Now().Add(proxyTimeout)) //nolint:errcheck // the read fails then
	client, err := readProxy(w.Conn)
	if err != nil {
		w.tell(Event{Kind: Trouble, Client: w.name, Err: err})
		w.kill()
		return
	}
	if client.IsValid() && w.refusal == nil {
		w.refusal = w.roster.rename(w, client)
	}
	w.welcome()
}

// welcome tells of a client that is let in, or is about to be turned away.
func (w *wire) welcome() {
	if w.refusal != nil {
		w.tell(Event{Kind: TurnedAway, Client: w.name, Reply: line(w.refusal)})
		return
	}
	w.tell(Event{Kind: Connected, Client: w.name})
}

// turnAway says why instead of the greeting. Before a handshake it can only
// close.
func (w *wire) turnAway() {
	if !w.secured {
		w.out = append(w.out, line(w.refusal)+"\r\n"...)
		w.flush() //nolint:errcheck // it is goodbye
	}
	w.kill()
}

// rename takes a client by the name that its proxy gave, or says why not.
func (r *roster) rename(w *wire, client netip.Addr) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.uncount(w)
	w.client, w.name = client, client.String()
	host := w.host()
	full := r.crowded(host, time.Now())
	r.count(w, host)
	if full {
		return tooManyOfHost()
	}
	return nil
}
