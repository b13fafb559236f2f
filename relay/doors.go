package relay

import "time"

// add notes a listener in use; false if the server is closing.
func (d *doors) add(l *entrance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed() {
		return false
	}
	d.open[l] = struct{}{}
	return true
}

// remove closes a listener and forgets it.
func (d *doors) remove(l *entrance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.Close() //nolint:errcheck // nothing more comes out of it
	delete(d.open, l)
}

// close closes all listeners, now and to come.
func (d *doors) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed() {
		return
	}
	close(d.closing)
	for l := range d.open {
		l.Close() //nolint:errcheck // nothing more comes out of it
	}
}

func (d *doors) closed() bool {
	select {
	case <-d.closing:
		return true
	default:
		return false
	}
}

// pause waits, unless the doors close.
func (d *doors) pause(t time.Duration) {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.closing:
	}
}
