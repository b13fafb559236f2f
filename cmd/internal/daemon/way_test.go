package daemon

import (
	"testing"

	"lull/cmd/internal/config"
)

// TestPlacesOfAllSmarthosts: as many mails are under way as there are places.
func TestPlacesOfAllSmarthosts(t *testing.T) {
	cfg := config.Defaults(3600e9)
	if n := engineConfig(cfg).Concurrency; n != 8 {
		t.Errorf("%d at once into Maildirs, want 8", n)
	}
	cfg.Smarthost = []config.Smarthost{{Addr: "a:25", MaxConnections: 2}, {Addr: "b:25", MaxConnections: 20}}
	if n := engineConfig(cfg).Concurrency; n != 22 {
		t.Errorf("%d at once, want 22", n)
	}
}
