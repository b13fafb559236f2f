package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is a way in which smtp-sink misbehaves.
type fault struct {
	name    string
	options []string
	shows   string // the line of its conversation at which it does
	// ends is what becomes of a letter where there is no other server: passed
	// when the fault ends, or bounced.
	ends string
	// over is set where another server is used in its place.
	over bool
	// blind is set where mail is taken without an answer, rude where the
	// connection is reset so early that the answer may not be seen.
	blind, rude bool
	// some is set where mail may be taken and answered before the fault.
	some bool
}

const passed, bounced = "passed", "bounced"

// faults are the options of smtp-sink that make it refuse, hang up or break
// off, for each command.
func faults() []fault {
	var all []fault
	for _, at := range []struct{ command, line string }{
		{"CONNECT", "connect "}, {"EHLO,HELO", "EHLO "}, {"MAIL", "MAIL "}, {"RCPT", "RCPT "}, {"DATA", "DATA"}, {".", "."},
	} {
		for _, how := range []string{"-q", "-Q", "-r", "-f"} {
			f := fault{name: how + " " + at.command, options: []string{how, at.command}, shows: at.line, ends: passed}
			f.blind = f.name == "-q ."
			f.over = true
			if f.name == "-f ." {
				f.ends, f.over = bounced, false
			}
			all = append(all, f)
		}
	}
	hard := func(command, line, reply string) fault {
		return fault{name: "-f " + command + " " + reply[:3], options: []string{"-f", command, "-B", reply}, shows: line, ends: bounced}
	}
	return append(all,
		hard("MAIL", "MAIL ", "552 5.3.4 Message too big"), hard("RCPT", "RCPT ", "550 5.1.1 User unknown"),
		hard("DATA", "DATA", "554 5.7.1 Refused"), hard(".", ".", "554 5.6.0 Content refused"),
		fault{name: "-A 0", options: []string{"-A", "0"}, shows: "DATA", ends: bounced},
		fault{name: "-A 1", options: []string{"-A", "1"}, shows: "DATA", ends: bounced, rude: true},
		fault{name: "-r RCPT 451", options: []string{"-r", "RCPT", "-b", "451 4.7.1 Greylisted"}, shows: "RCPT ", ends: passed, over: true},
		fault{name: "-r MAIL 452", options: []string{"-r", "MAIL", "-b", "452 4.3.1 Insufficient system storage"}, shows: "MAIL ", ends: passed, over: true},
	)
}

// TestServersBehindAfterAFault: a single smarthost misbehaves, in each way that smtp-sink
// knows, and then works again. No mail is lost, none comes twice unless nobody
// could know that it had arrived, and that is counted.
func TestServersBehindAfterAFault(t *testing.T) {
	needs(t)
	atOnce(t, faults(), func(f fault) string { return f.name }, func(t *testing.T, f fault) {
		bad := newSMTPSink(t, f.options...)
		h := newHouse(t, "[[smarthost]]\naddr = %q\n", bad.addr)
		h.fill(t)
		until(t, 20*time.Second, "the fault shows", func() bool { return bad.heard(f.shows) >= 4 })
		if f.ends == bounced {
			until(t, 20*time.Second, "the letters bounce", func() bool { return count(h.status(t), bounced) >= 2*lettersSent })
		}
		f.rude = true // its end cuts the attempt under way
		h.settle(t, f, bad.becomes(t), bad)
	})
}

// TestServersBehindAtASecond: beside the smarthost that misbehaves there is a second. All
// goes there while the fault lasts.
func TestServersBehindAtASecond(t *testing.T) {
	needs(t)
	others := slices.DeleteFunc(faults(), func(f fault) bool { return !f.over })
	atOnce(t, others, func(f fault) string { return f.name }, func(t *testing.T, f fault) {
		bad, good := newSMTPSink(t, f.options...), newSink(t)
		h := newHouse(t, "[[smarthost]]\naddr = %q\n[[smarthost]]\naddr = %q\n", bad.addr, good.addr)
		h.fill(t)
		h.settle(t, f, good, bad)
		if bad.heard(f.shows) == 0 {
			t.Error("the first smarthost was not asked")
		}
	})
}

// TestServersBehindPoor: servers that offer little, or are slow, or hang up when all
// is done, get every mail once, at the first attempt.
func TestServersBehindPoor(t *testing.T) {
	needs(t)
	atOnce(t, []string{
		"", "-8", "-e", "-E", "-N", "-p", "-P", "-a", "-C", "-F", "-f EHLO", "-L", "-w 1", "-W .:1", "-p -W RCPT:1:50", "-H 1 -T 4096", "-t 1",
		"-q QUIT", "-Q QUIT", "-r QUIT", "-f QUIT", "-q RSET", "-f RSET",
	}, func(options string) string { return "plain " + options }, func(t *testing.T, options string) {
		s := newSMTPSink(t, strings.Fields(options)...)
		h := newHouse(t, "[[smarthost]]\naddr = %q\nlmtp = %v\n", s.addr, options == "-L")
		h.fill(t)
		h.arrive(t, passed)
		until(t, 10*time.Second, "the digests are in", func() bool { return len(s.took(t)) >= 2*lettersSent+2 })
		got := &sink{got: s.took(t)}
		same := sameMail
		if options == "-8" || options == "-e" || options == "-P" || options == "-f EHLO" {
			same = inSevenBits
		}
		twice := h.compare(t, got.got, passed, same)
		status := h.status(t)
		if twice != 0 || count(status, "uncertain") != 0 {
			t.Errorf("%d came twice; status %v", twice, status)
		}
		h.tell(t, got)
		h.audit(t)
		t.Logf("| %s | %d | %d | %d | |", t.Name(), 2*lettersSent, h.reached(got.got), twice)
	})
}

// atOnce runs subtests, six at a time on any machine: they mostly wait.
func atOnce[T any](t *testing.T, cases []T, name func(T) string, run func(*testing.T, T)) {
	places := make(chan struct{}, 6)
	var all sync.WaitGroup
	for _, c := range cases {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			t.Run(name(c), func(t *testing.T) { run(t, c) })
		})
	}
	all.Wait()
}

const lettersSent, alertsSent = 6, 4

// house is a lull with a short hour, and what it was given.
type house struct {
	*daemon
	letters []letter
}

// newHouse starts a lull whose hour has six seconds, with smarthosts as the
// text says.
func newHouse(t *testing.T, smarthosts string, args ...any) *house {
	t.Helper()
	config := filepath.Join(t.TempDir(), "lull.toml")
	text := fmt.Sprintf("window = '6s'\nhostname = 'lull.test'\npass_budget = 0\n"+smarthosts+
		"[[rule]]\nname = 'letters'\nclass = 'pass'\nsubject = 'letter'\n", args...)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return &house{daemon: serveAs(t, config), letters: letters(lettersSent)}
}

// serveAs starts lull with a configuration that names its mail servers.
func serveAs(t *testing.T, config string) *daemon {
	t.Helper()
	bins, err := build()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{bin: bins.lull, state: filepath.Join(t.TempDir(), "state"), addr: fmt.Sprintf("127.0.0.1:%d", freePort(t))}
	d.args = []string{"serve", "--listen", d.addr, "--state", d.state, "--config", config}
	d.restart(t)
	return d
}

// fill hands the letters and the alerts in.
func (h *house) fill(t *testing.T) {
	t.Helper()
	send(t, h.addr, 1, append(sameAlerts(alertsSent), h.letters...))
}

// arrive waits until each letter has its fate and each alert is told.
func (h *house) arrive(t *testing.T, fate string) {
	t.Helper()
	until(t, 45*time.Second, "all letters "+fate+", all alerts told", func() bool {
		s := h.status(t)
		return count(s, fate) >= 2*len(h.letters) && count(s, "told") == 2*alertsSent && count(s, "waiting")+count(s, "in_flight") == 0
	})
}

// settle waits for the end, and compares what arrived with what was sent.
func (h *house) settle(t *testing.T, f fault, good *sink, bad *smtpSink) {
	t.Helper()
	h.arrive(t, f.ends)
	status := h.status(t)
	arrivals := good.arrivals()
	if f.blind || f.some {
		arrivals = append(arrivals, bad.took(t)...)
	}
	twice := h.compare(t, arrivals, f.ends, sameMail)
	uncertain := count(status, "uncertain")
	if twice > uncertain*2 { // a letter has two recipients
		t.Errorf("%d copies came twice, but the outcome of %d attempts only was unknown", twice, uncertain)
	}
	if !f.blind && !f.rude && uncertain > 0 || f.blind && uncertain == 0 {
		t.Errorf("%d attempts of unknown outcome", uncertain)
	}
	if f.some {
		good = &sink{got: append(bad.took(t), good.arrivals()...)}
	}
	h.tell(t, good)
	h.audit(t)
	t.Logf("| %s | %d | %d %s | %d | %d attempts of unknown outcome |", f.name, 2*len(h.letters), count(status, f.ends), f.ends, twice, uncertain)
}

// compare holds the letters that arrived against those sent, and counts the
// copies that came more than once. Those that bounced must not be among them.
func (h *house) compare(t *testing.T, arrivals []arrival, fate string, same func(body []byte, l letter) bool) (twice int) {
	t.Helper()
	for _, l := range h.letters {
		for _, to := range l.to {
			n := 0
			for _, a := range arrivals {
				if a.to != to {
					continue
				}
				n++
				if !same(a.body, l) {
					t.Errorf("to %s: the mail changed on its way: %q", to, a.body)
				}
			}
			if fate == passed && n == 0 || fate == bounced && n > 0 {
				t.Errorf("the letter to %s has %s, and arrived %d times", to, fate, n)
			}
			twice += max(0, n-1)
		}
	}
	return twice
}

// reached counts the recipients whose letter is there.
func (h *house) reached(arrivals []arrival) int {
	who := map[string]bool{}
	for _, a := range arrivals {
		for _, l := range h.letters {
			if slices.Contains(l.to, a.to) {
				who[a.to] = true
			}
		}
	}
	return len(who)
}

// sameMail reports whether nothing but lines before it was added.
func sameMail(body []byte, l letter) bool { return bytes.HasSuffix(body, []byte(l.body)) }

// sameText leaves the header to the servers on the way.
func sameText(body []byte, l letter) bool {
	_, text, _ := strings.Cut(l.body, "\r\n\r\n")
	return bytes.HasSuffix(body, []byte("\r\n\r\n"+text))
}

// inSevenBits is for servers that take no more.
func inSevenBits(body []byte, l letter) bool {
	return sameText(body, l) || bytes.Contains(body, []byte("M=C3=BChle"))
}

// tell compares what the digests account for with what they should.
func (h *house) tell(t *testing.T, far *sink) {
	t.Helper()
	want := 0
	for _, c := range h.objects(t, "list", "--class", "alert", "--fate", "told") {
		if c["in"] != c["notice"] { // not told whole in a first notice
			want++
		}
	}
	until(t, 10*time.Second, "the digests at the far end", func() bool {
		_, copies := accounted(t, far)
		return copies >= want
	})
	if _, copies := accounted(t, far); copies != want {
		t.Errorf("the digests tell %d copies, want %d", copies, want)
	}
}
