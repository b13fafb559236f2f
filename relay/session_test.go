package relay

import (
	"testing"
)

func TestFirstMail(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		c := h.connect(t, "127.0.0.1")
		c.hello()
		c.post("Subject: hello\r\n\r\n..dot\r\nbody")
		if got, want := string(h.box.bodies[0]), "Subject: hello\r\n\r\n.dot\r\nbody\r\n"; got != want {
			t.Errorf("body %q, want %q", got, want)
		}
		t.Logf("%s", h.box.messages[0].Trace)
		c.say("QUIT", "221 *")
		c.want("closed")
	})
}
