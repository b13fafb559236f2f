package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// impatient gives up on a mail server after two seconds.
const impatient = "timeout = '2s'\ndot_timeout = '2s'\n"

// slowness are the options of smtp-sink that make it wait longer than that.
func slowness() []fault {
	var all []fault
	for _, at := range []struct{ command, line string }{
		{"CONNECT", "connect "}, {"EHLO", "EHLO "}, {"MAIL", "MAIL "}, {"RCPT", "RCPT "}, {"DATA", "DATA"}, {".", "."},
	} {
		all = append(all, fault{name: "-W " + at.command + ":4", options: []string{"-W", at.command + ":4"}, shows: at.line, ends: passed, blind: at.command == "."})
	}
	return append(all,
		fault{name: "-w 4", options: []string{"-w", "4"}, shows: "DATA", ends: passed},
		fault{name: "-W MAIL:3:50", options: []string{"-W", "MAIL:3:50"}, shows: "MAIL ", ends: passed},
		fault{name: "-W RCPT:1:80", options: []string{"-W", "RCPT:1:80"}, shows: "RCPT ", ends: passed},
		fault{name: "-r RCPT 421", options: []string{"-r", "RCPT", "-b", "421 4.3.2 Shutting down"}, shows: "RCPT ", ends: passed},
		fault{name: "-r . 452", options: []string{"-r", ".", "-b", "452 4.3.1 Insufficient system storage"}, shows: ".", ends: passed},
		fault{name: "-f EHLO,HELO 550", options: []string{"-f", "EHLO,HELO", "-B", "550 5.7.1 Helo command rejected"}, shows: "EHLO ", ends: passed},
		fault{name: "-f MAIL 530", options: []string{"-f", "MAIL", "-B", "530 5.7.0 Authentication required"}, shows: "MAIL ", ends: passed},
		fault{name: "-f RCPT 554", options: []string{"-f", "RCPT", "-B", "554 5.7.1 Relay access denied"}, shows: "RCPT ", ends: passed},
		fault{name: "-f CONNECT 554", options: []string{"-f", "CONNECT", "-B", "554 5.7.1 No service for you"}, shows: "connect ", ends: passed},
	)
}

// TestServersBehindSlow: a mail server takes longer than lull waits, at each
// command, or refuses for reasons that are none of the mail's; then it works
// again. All of it arrives, and twice only what was under way to its dot.
func TestServersBehindSlow(t *testing.T) {
	needs(t)
	atOnce(t, slowness(), func(f fault) string { return f.name }, func(t *testing.T, f fault) {
		bad := newSMTPSink(t, f.options...)
		h := newHouse(t, "[[smarthost]]\naddr = %q\n"+impatient, bad.addr)
		h.fill(t)
		until(t, 40*time.Second, "the fault shows", func() bool { return bad.heard(f.shows) >= 2 })
		f.rude, f.some = true, strings.HasPrefix(f.name, "-W") // where it is slow by chance, some go through
		h.settle(t, f, bad.becomes(t), bad)
	})
}

// TestServersBehindDeaf: a mail server stops reading in the middle of large
// mails, for longer than lull waits.
func TestServersBehindDeaf(t *testing.T) {
	needs(t)
	atOnce(t, []string{"-H 9 -T 2048", "-H 1 -T 2048"}, func(options string) string { return options }, func(t *testing.T, options string) {
		bad := newSMTPSink(t, strings.Fields(options)...)
		h := newHouse(t, "[[smarthost]]\naddr = %q\n"+impatient, bad.addr)
		for i := range h.letters {
			h.letters[i].body += strings.Repeat("What was said at length in the meeting follows.\r\n", 40_000)
		}
		h.fill(t)
		until(t, 30*time.Second, "it hears DATA", func() bool { return bad.heard("DATA") >= 2 })
		f := fault{name: options, ends: passed, rude: true, some: true}
		if options == "-H 9 -T 2048" {
			until(t, 30*time.Second, "lull gives up", func() bool { return h.status(t)["smarthost"] == "unreachable" })
		}
		h.settle(t, f, bad.becomes(t), bad)
	})
}

// TestServersBehindEnd: a mail server ends by itself after some mails or
// sessions, and is started again each time.
func TestServersBehindEnd(t *testing.T) {
	needs(t)
	atOnce(t, []string{"-M 1", "-M 3", "-M 7", "-n 1", "-n 2"}, func(options string) string { return options }, func(t *testing.T, options string) {
		bad := newSMTPSink(t, strings.Fields(options)...)
		h := newHouse(t, "[[smarthost]]\naddr = %q\n", bad.addr)
		h.fill(t)
		if strings.HasPrefix(options, "-M") {
			select {
			case <-bad.done:
			case <-time.After(30 * time.Second):
				t.Fatal("it does not end")
			}
		} else {
			until(t, 30*time.Second, "letters go", func() bool { return bad.heard(".") > 0 })
		}
		more := letters(2 * lettersSent)[lettersSent:]
		send(t, h.addr, 1, more)
		h.letters = append(h.letters, more...)
		h.settle(t, fault{name: options, ends: passed, rude: true, some: true}, bad.becomes(t), bad)
	})
}

// TestServersBehindNarrow: a mail server takes one connection, or two, and
// leaves others in the queue of its socket, without a word.
func TestServersBehindNarrow(t *testing.T) {
	needs(t)
	atOnce(t, []string{"-m 1", "-m 2", "-m 1 -p", "-m 1 -W .:1"}, func(options string) string { return options }, func(t *testing.T, options string) {
		s := newSMTPSink(t, strings.Fields(options)...)
		h := newHouse(t, "[[smarthost]]\naddr = %q\n"+impatient, s.addr)
		h.letters = letters(20)
		h.fill(t)
		h.arrive(t, passed)
		got := s.took(t)
		if twice := h.compare(t, got, passed, sameMail); twice != 0 {
			t.Errorf("%d came twice", twice)
		}
		h.tell(t, &sink{got: got})
		h.audit(t)
		t.Logf("| %s | %d | %d | |", options, 2*len(h.letters), h.reached(got))
	})
}

// TestServersBehindNames: what a server calls itself, and where it listens.
func TestServersBehindNames(t *testing.T) {
	needs(t)
	long := strings.Repeat("very-long-name.", 60) + "test"
	for i, options := range [][]string{{"-h", long}, {"-h", "not a name <at all>\x07"}, {"-h", "lull.test"}, {"-6"}} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := newSMTPSink(t, options...)
			h := newHouse(t, "[[smarthost]]\naddr = %q\n", s.addr)
			h.fill(t)
			h.arrive(t, passed)
			if twice := h.compare(t, s.took(t), passed, sameMail); twice != 0 {
				t.Errorf("%d came twice", twice)
			}
			h.audit(t)
		})
	}
}
