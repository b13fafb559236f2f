package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeEnds are the nine endings by which a mail has been smuggled into another
// (CVE-2023-51764 to -51766, and the sequences of SMTP-Smuggling-Tools), and
// some of their kin.
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

	"LF.CR":         "\n.\r",
	"CR.LF":         "\r.\n",
	"CRCRLF..CRLF":  "\r\r\n..\r\n",
	"CRLF.CRCRLF":   "\r\n.\r\r\n",
	"CRLF.CR NUL":   "\r\n.\r\x00\n",
	"LF.LF and end": "\n.\n\r\n",
}

// smuggledMail is what an attacker hides behind a fake end.
const smuggledMail = "MAIL FROM:<admin@bank.example>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nSubject: smuggled\r\n\r\npay\r\n"

// TestSmuggling: a mail with another hidden in it stays one mail, through lull
// into real servers, and what lull writes has no bare CR or LF.
func TestSmuggling(t *testing.T) {
	needs(t)
	for name, newServer := range map[string]newServer{"exim": newExim, "postfix": newPostfix} {
		t.Run(name, func(t *testing.T) {
			far := newSink(t)
			wire := newRecorder(t, newServer(t, far.addr).addr)
			h := newHouse(t, "[[smarthost]]\naddr = %q\n", wire.addr)
			var sent []string
			for end, fake := range fakeEnds {
				raw := "From: ann@example.org\r\nSubject: letter\r\n\r\nbefore" + fake + smuggledMail
				for _, how := range []string{"DATA", "BDAT"} {
					handFake(t, h.addr, fmt.Sprintf("r%d@example.net", len(sent)), how, raw)
					sent = append(sent, end+" over "+how)
				}
			}
			until(t, time.Minute, "all are passed", func() bool { return count(h.status(t), passed) >= len(sent) })
			until(t, time.Minute, "all arrive", func() bool { return len(far.arrivals()) >= len(sent) })
			whole(t, far, sent)
			if s := h.status(t); count(s, "accepted") != len(sent) {
				t.Errorf("lull has accepted %d mails, want %d", count(s, "accepted"), len(sent))
			}
			if bare := wire.bare(); bare > 0 || len(wire.seen()) == 0 {
				t.Errorf("%d bare CR or LF in %d octets", bare, len(wire.seen()))
			}
			h.audit(t)
			t.Logf("%d mails, %d arrived, %d octets on the wire, %d bare CR or LF in them", len(sent), len(far.arrivals()), len(wire.seen()), wire.bare())
		})
	}
}

// whole checks that each mail came once, with what was hidden in it as text.
func whole(t *testing.T, far *sink, sent []string) {
	t.Helper()
	came := make([]int, len(sent))
	for _, a := range far.arrivals() {
		var n int
		if _, err := fmt.Sscanf(a.to, "r%d@example.net", &n); err != nil || a.from != "ann@example.org" {
			t.Errorf("a mail from %s to %s was smuggled: %q", a.from, a.to, a.body)
			continue
		}
		came[n]++
		_, text, _ := bytes.Cut(a.body, []byte("\r\n\r\n"))
		if !bytes.HasPrefix(text, []byte("before")) || !bytes.Contains(text, []byte(smuggledMail)) {
			t.Errorf("%s: the text is %q", sent[n], text)
		}
	}
	for n, times := range came {
		if times != 1 {
			t.Errorf("%s: came %d times", sent[n], times)
		}
	}
}

// handFake sends a text without adding dots, and wants one reply to it. Over
// BDAT the first chunk ends in the middle of the fake end.
func handFake(t *testing.T, addr, to, how, raw string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	cut := strings.Index(raw, "before") + len("before") + 2
	text, replies := "DATA\r\n"+raw+".\r\n", "354 250"
	if how == "BDAT" {
		text, replies = fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%s", cut, raw[:cut], len(raw)-cut, raw[cut:]), "250 250"
	}
	fmt.Fprintf(conn, "HELO client.test\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<%s>\r\n%sQUIT\r\n", to, text)
	said, err := io.ReadAll(conn)
	var codes []string
	for line := range strings.Lines(string(said)) {
		codes = append(codes, line[:min(len(line), 3)])
	}
	if got := strings.Join(codes, " "); err != nil || got != "220 250 250 250 "+replies+" 221" {
		t.Errorf("%s of %q: %v, replies %s", how, raw, err, said)
	}
}

// recorder is a wire that notes every octet of the client.
type recorder struct {
	addr string
	mu   sync.Mutex
	all  [][]byte // by connection
}

func newRecorder(t *testing.T, server string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{addr: l.Addr().String()}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go r.carry(client, server)
		}
	}()
	return r
}

func (r *recorder) carry(client net.Conn, server string) {
	defer client.Close()
	next, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer next.Close()
	r.mu.Lock()
	n := len(r.all)
	r.all = append(r.all, nil)
	r.mu.Unlock()
	go func() {
		io.Copy(client, next)
		client.Close()
	}()
	for block := make([]byte, 4096); ; {
		m, err := client.Read(block)
		r.mu.Lock()
		r.all[n] = append(r.all[n], block[:m]...)
		r.mu.Unlock()
		if _, failed := next.Write(block[:m]); err != nil || failed != nil {
			return
		}
	}
}

// seen is what was noted, one connection after another.
func (r *recorder) seen() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Join(r.all, nil)
}

// bare counts the CR and LF that are not CRLF.
func (r *recorder) bare() int {
	rest := bytes.ReplaceAll(r.seen(), []byte("\r\n"), nil)
	return bytes.Count(rest, []byte("\r")) + bytes.Count(rest, []byte("\n"))
}
