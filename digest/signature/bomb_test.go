package signature

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestBombs reads mail made to cost a lot. The best of a few tries counts, for
// machines that do other work as well.
func TestBombs(t *testing.T) {
	for _, bomb := range bombs() {
		t.Run(bomb.name, func(t *testing.T) {
			raw := []byte(bomb.mail)
			Read([]byte("Subject: warm\n\n"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			r := Read(raw)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			checkReading(t, r)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%v, %d KiB allocated", took, allocated>>10)
			for try := 0; took > 200*time.Millisecond && try < 5; try++ {
				start := time.Now()
				Read(raw)
				took = min(took, time.Since(start))
			}
			if took > 200*time.Millisecond {
				t.Errorf("took %v, 200 ms are allowed", took)
			}
			if allocated > 64<<20 {
				t.Errorf("allocated %d MiB, 64 are allowed", allocated>>20)
			}
		})
	}
}

type bomb struct{ name, mail string }

func bombs() []bomb {
	return []bomb{
		{"depth 3,000", nested(3000)},
		{"100,000 parts", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100_000)},
		{"part header of 20 MB", "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: " + strings.Repeat("x", 20<<20) + "\n\nx\n--b--\n"},
		{"header of 20 MB", "Subject: x\n" + strings.Repeat("X-A: "+strings.Repeat("x", 1000)+"\n", 20_000) + "\n\n"},
		{"base64 of 25 MB", "Content-Transfer-Encoding: base64\n\n" + strings.Repeat(strings.Repeat("QUFB", 19)+"\n", 330_000)},
		{"words", "Subject: " + strings.Repeat("=?a?q?x", 1<<20) + "\n\n"},
		{"open comments", "Content-Type: text/html\n\n" + strings.Repeat("<!--", 1<<20)},
		{"open styles", "Content-Type: text/html\n\n" + strings.Repeat("<style>", 1<<20)},
		{"cells", "Content-Type: text/html\n\n" + strings.Repeat("<td>x", 1<<20)},
		{"entities", "Content-Type: text/html\n\n" + strings.Repeat("&amp;", 1<<20)},
		{"boundaries", "Content-Type: multipart/mixed; boundary=\"-\"\n\n" + strings.Repeat("-", 4<<20)},
		{"addresses", "From: " + strings.Repeat("<", 1<<20) + "\n\n"},
		{"records", "Subject: [FIRING:1] x\n\n" + strings.Repeat("Labels:\n", 1<<20)},
	}
}

func nested(depth int) string {
	var out strings.Builder
	for range depth {
		out.WriteString("Content-Type: multipart/mixed; boundary=b\n\n--b\n")
	}
	return out.String() + "\n"
}
