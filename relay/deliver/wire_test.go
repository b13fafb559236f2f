package deliver

import (
	"bytes"
	"strings"
	"testing"
)

func encode(parts ...string) (string, int) {
	var w wire
	for _, p := range parts {
		w.write([]byte(p))
	}
	w.end()
	return string(w.out), w.converted
}

func TestWire(t *testing.T) {
	tests := []struct {
		name, in, want string
		converted      int
	}{
		{"as it should be", "a\r\nb\r\n", "a\r\nb\r\n.\r\n", 0},
		{"empty", "", ".\r\n", 0},
		{"no last line end", "a", "a\r\n.\r\n", 0},
		{"dots", ".\r\n..\r\na.\r\n", "..\r\n...\r\na.\r\n.\r\n", 0},
		{"LF", "a\nb\n", "a\r\nb\r\n.\r\n", 2},
		{"CR", "a\rb\r", "a\r\nb\r\n.\r\n", 2},
		{"CR CR LF is one line end", "a\r\r\r\nb\r\n", "a\r\nb\r\n.\r\n", 1},
		{"CR CR is two", "a\r\rb\r\n", "a\r\n\r\nb\r\n.\r\n", 2},
		{"LF CR", "a\n\rb", "a\r\n\r\nb\r\n.\r\n", 2},
		{"smuggling LF . LF", "a\n.\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 2},
		{"smuggling LF . CR LF", "a\n.\r\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 1},
		{"smuggling CR LF . LF", "a\r\n.\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 1},
		{"smuggling CR . CR", "a\r.\rMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 2},
		{"smuggling CR . CR LF", "a\r.\r\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 1},
		{"smuggling CR LF . CR", "a\r\n.\rMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 1},
		{"smuggling CR CR LF .", "a\r\r\n.\r\r\nMAIL", "a\r\n..\r\nMAIL\r\n.\r\n", 2},
		{"smuggling NUL", "a\r\n.\x00\r\nMAIL", "a\r\n..\x00\r\nMAIL\r\n.\r\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, converted := encode(tt.in)
			if got != tt.want || converted != tt.converted {
				t.Errorf("%q, %d converted, want %q, %d", got, converted, tt.want, tt.converted)
			}
			if split, n := encode(strings.Split(tt.in, "")...); split != got || n != converted {
				t.Errorf("octet by octet: %q, %d", split, n)
			}
		})
	}
}

// FuzzWire holds for any body, in any two pieces: what travels has CRLF and
// nothing like it, one end, and is the body again when a server has read it.
func FuzzWire(f *testing.F) {
	f.Add([]byte("a\r\n.\r\nb"), 3)
	f.Add([]byte("\r\r\n.\n\r"), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		cut = max(0, min(cut, len(in)))
		out, converted := encode(string(in[:cut]), string(in[cut:]))
		if whole, n := encode(string(in)); whole != out || n != converted {
			t.Fatalf("in pieces %q, whole %q", out, whole)
		}
		bare := strings.ReplaceAll(out, "\r\n", "")
		if strings.ContainsAny(bare, "\r\n") {
			t.Fatalf("bare line end in %q", out)
		}
		if end := strings.Index("\r\n"+out, "\r\n.\r\n"); end != len(out)-3 {
			t.Fatalf("the data end at %d of %q", end, out)
		}
		if converted == 0 && !bytes.Equal(read(out), withLastLineEnd(in)) {
			t.Fatalf("%q is read from %q", read(out), out)
		}
	})
}

// read undoes the encoding as a server does (RFC 5321 section 4.5.2).
func read(out string) []byte {
	out = strings.TrimSuffix(out, ".\r\n")
	return []byte(strings.ReplaceAll("\r\n"+out, "\r\n.", "\r\n")[2:])
}

func withLastLineEnd(in []byte) []byte {
	if len(in) == 0 || bytes.HasSuffix(in, []byte("\r\n")) {
		return in
	}
	return append(bytes.Clone(in), "\r\n"...)
}

func BenchmarkWire(b *testing.B) {
	body := []byte(strings.Repeat("All work and no play makes Jack a dull boy.\r\n", 700))
	b.SetBytes(int64(len(body)))
	var w wire
	for b.Loop() {
		w.out = w.out[:0]
		w.write(body)
	}
}
