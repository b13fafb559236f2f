package daemon

import (
	"time"
)

// gate tells gate time: how long lull has been running, over all restarts. It
// counts on the steady clock; what the store had kept is where it goes on.
type gate struct {
	kept  time.Duration
	began time.Time // has a reading of the steady clock
}

func (g *gate) start(kept time.Duration) {
	g.kept, g.began = kept, time.Now()
}

// now is the gate time at the moment.
func (g *gate) now() time.Duration { return g.kept + time.Since(g.began) }
