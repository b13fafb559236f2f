package relay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
)

// fakeEnds are the nine endings by which a mail has been smuggled into
// another (CVE-2023-51764 to -51766, and the sequences of SMTP-Smuggling-Tools).
var fakeEnds = map[string]string{
	"LF.CRLF":       "\n.\r\n",
	"LF.LF":         "\n.\n",
	"CR.CRLF":       "\r.\r\n",
	"CR.CR":         "\r.\r",
	"CRLF.LF":       "\r\n.\n",
	"CRLF.CR":       "\r\n.\r",
	"CRLF NUL.CRLF": "\r\n\x00.\r\n",
	"CRLF.NUL CRLF": "\r\n.\x00\r\n",
	"LF.CRCRLF":     "\n.\r\r\n",
}

const smuggled = "MAIL FROM:<admin@bank.test>\r\nRCPT TO:<victim@d.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"

// TestSmuggling: none of the fake endings ends a text, over DATA and over BDAT.
func TestSmuggling(t *testing.T) {
	for name, fake := range fakeEnds {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, nil, func(t *testing.T, h *house) {
				text := "Subject: a\r\n\r\nbefore" + fake + smuggled
				c := h.connect(t, "127.0.0.1")
				c.hello()
				c.post(text)
				c.say("QUIT", "221 *")
				if n := h.box.count(); n != 1 {
					t.Fatalf("%d messages, want 1", n)
				}
				// A dot at the beginning of a line is transparency.
				want := strings.ReplaceAll(text, "\r\n.", "\r\n") + "\r\n"
				if got := string(h.box.bodies[0]); got != want {
					t.Errorf("body %q, want %q", got, want)
				}
			})
		})
	}
}

// TestDottedMatchesTheRFC compares with a reader that is slow and plain, with
// the input cut at every place.
func TestDottedMatchesTheRFC(t *testing.T) {
	pieces := []string{"", "a", ".", "..", "\r", "\n", "\r\n", "\r\n.", "\r\r\n", ".\r", ".\n", ".\r\r\n", "\r\n..\r\n", strings.Repeat("x", 20)}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				checkDotted(t, a+b+c+"\r\n.\r\nNOOP\r\n")
			}
		}
	}
}

// checkDotted compares both readers on one input, whole and octet by octet.
func checkDotted(t *testing.T, input string) {
	t.Helper()
	want, rest, ended := undot(input)
	for name, r := range map[string]io.Reader{
		"whole":       strings.NewReader(input),
		"octetwise":   iotest.OneByteReader(strings.NewReader(input)),
		"with errors": iotest.DataErrReader(strings.NewReader(input)),
	} {
		buffered := bufio.NewReaderSize(r, 16) // lines exceed it
		var got []byte
		err := (&dotted{r: buffered}).each(func(p []byte) error { got = append(got, p...); return nil })
		if !ended {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s %q: %v, want an unexpected end", name, input, err)
			}
			continue
		}
		left, _ := io.ReadAll(buffered)
		if err != nil || string(got) != want || string(left) != ".\r\n"+rest {
			t.Fatalf("%s %q:\n got %q, left %q, %v\nwant %q, left %q", name, input, got, left, err, want, ".\r\n"+rest)
		}
	}
}

// undot reads the text after DATA by the letter of RFC 5321 section 4.5.2.
func undot(input string) (text, rest string, ended bool) {
	var b strings.Builder
	atStart := true
	for i := 0; i < len(input); i++ {
		if atStart && strings.HasPrefix(input[i:], ".\r\n") {
			return b.String(), input[i+3:], true
		}
		if !atStart || input[i] != '.' {
			b.WriteByte(input[i])
		}
		atStart = i > 0 && input[i-1:i+1] == "\r\n"
	}
	return b.String(), "", false
}

func FuzzDotted(f *testing.F) {
	for _, s := range fakeEnds {
		f.Add("a" + s + "b\r\n.\r\n")
	}
	f.Add(".\r\n")
	f.Add("..\r\n.\r\n")
	f.Fuzz(func(t *testing.T, input string) { checkDotted(t, input) })
}

// TestUpstreamFields fails when go-smtp renames what we look at in upstream.go.
func TestUpstreamFields(t *testing.T) {
	bubble(t, Config{}, nil, func(t *testing.T, h *house) {
		seen := make(chan bool, 1)
		probe := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
			return probeSession{conn: c, seen: seen}, nil
		}))
		probe.ErrorLog = troubles(h.events.tell)
		l := newPipes()
		go probe.Serve(l)   //nolint:errcheck // the client would notice
		defer probe.Close() //nolint:errcheck // the test is over
		c := newClient(t, l.dial(t, "127.0.0.1"))
		h.clients = append(h.clients, c)
		c.hello()
		c.post("x")
		if !<-seen {
			t.Error("the reader of DATA has no buffered reader named r any more")
		}
		c.say("MAIL FROM:<a@client.test>", "250 *")
		c.say("RCPT TO:<r@reader.test>", "250 *")
		c.send("BDAT 3\r\nabc")
		c.want("250 *")
		c.send("BDAT 2 LAST\r\nde")
		c.want("250 *")
		if !<-seen {
			t.Error("Conn does not count the octets of chunks in bytesReceived any more")
		}
		c.say("QUIT", "221 *")
		c.want("closed")
	})
}

type probeSession struct {
	bareSession
	conn *smtp.Conn
	seen chan<- bool
}

func (p probeSession) Data(r io.Reader) error {
	_, chunked := r.(*io.PipeReader)
	found := below(r) != nil
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	if chunked {
		found = announced(p.conn) == 5
	}
	p.seen <- found
	return nil
}

func TestBelowOtherReaders(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "dialogues", "simple.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	for _, r := range []io.Reader{strings.NewReader(""), io.LimitReader(file, 1), file, iotest.ErrReader(io.EOF)} {
		if below(r) != nil {
			t.Errorf("%T has a buffered reader", r)
		}
	}
}

func TestIntakeKeepsToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(20 << 10)
		in := &intake{ctx: t.Context(), max: 1 << 20, budget: b, took: func() {}}
		if err := in.take(make([]byte, 15<<10)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := in.take(make([]byte, 6<<10)); !errors.Is(err, errBusy) || time.Since(began) != budgetPatience {
			t.Errorf("took more than there is, or did not wait: %v after %v", err, time.Since(began))
		}
		in.release()
		if b.left != 20<<10 {
			t.Errorf("%d bytes are left, want all", b.left)
		}
	})
}

func TestIntakeLimit(t *testing.T) {
	for _, c := range []struct {
		size int
		err  error
	}{{0, nil}, {99, nil}, {100, nil}, {101, errTooLarge}, {20000, errTooLarge}} {
		text := bytes.Repeat([]byte("x"), c.size)
		in := &intake{ctx: context.Background(), max: 100, budget: newBudget(1 << 20), took: func() {}}
		if err := in.take(text); !errors.Is(err, c.err) {
			t.Errorf("take of %d: %v, want %v", c.size, err, c.err)
		}
		in = &intake{ctx: context.Background(), max: 100, budget: newBudget(1 << 20), took: func() {}}
		_, err := in.ReadFrom(iotest.HalfReader(bytes.NewReader(text)))
		if !errors.Is(err, c.err) || err == nil && !bytes.Equal(in.buf, text) {
			t.Errorf("ReadFrom of %d: %v, want %v", c.size, err, c.err)
		}
	}
}

func TestBudgetWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10)
		ctx := t.Context()
		if !b.take(ctx, 10, 0) {
			t.Fatal("a free budget gives nothing")
		}
		began := time.Now()
		if b.take(ctx, 1, 5*time.Second) || time.Since(began) != 5*time.Second {
			t.Errorf("gave too much, or gave up after %v", time.Since(began))
		}
		go func() {
			<-time.After(time.Second)
			b.give(4)
			<-time.After(time.Second)
			b.give(6)
		}()
		began = time.Now()
		if !b.take(ctx, 8, 5*time.Second) || time.Since(began) != 2*time.Second {
			t.Errorf("did not get what became free (%v)", time.Since(began))
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if b.take(cancelled, 8, time.Hour) {
			t.Error("gave too much")
		}
	})
}
