package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// exchange is what one client says to a mail server, turn by turn.
type exchange struct {
	name  string
	turns []turn
}

// turn is said in one piece, and answered with so many replies.
type turn struct {
	say     string
	replies int
}

// answered is what a server said to a exchange: the replies up to the end, or to
// where it hung up.
type answered []string

// hold has the exchange with a server.
func (c exchange) hold(addr string) (answered, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(90 * time.Second))
	r := bufio.NewReader(conn)
	if _, err := reply(r); err != nil {
		return nil, fmt.Errorf("the greeting: %w", err)
	}
	var heard answered
	for _, t := range c.turns {
		said := make(chan error, 1)
		go func() { // a server may answer before it has heard all
			_, err := io.WriteString(conn, t.say)
			said <- err
		}()
		for range t.replies {
			text, err := reply(r)
			if err != nil {
				return append(heard, "hung up"), nil
			}
			heard = append(heard, strings.TrimSpace(text))
		}
		if err := <-said; err != nil {
			return append(heard, "hung up"), nil
		}
	}
	return heard, nil
}

// yes reports whether a reply lets the client go on.
func yes(reply string) bool { return reply != "" && (reply[0] == '2' || reply[0] == '3') }

// refuses is the first reply that is a refusal where the other's is not; the
// exchange is over where the other refuses.
func (a answered) refuses(other answered) (ours, theirs string, differs bool) {
	for i := range other {
		switch {
		case !yes(other[i]):
			return "", "", false
		case i >= len(a) || !yes(a[i]):
			return a.at(i), other[i], true
		}
	}
	return "", "", false
}

func (a answered) at(i int) string {
	if i < len(a) {
		return a[i]
	}
	return "nothing"
}

// TestDropIn has the same exchanges with a Postfix as Debian ships it and with
// lull: what Postfix takes, lull takes. Where it does not, there is a reason.
func TestDropIn(t *testing.T) {
	needs(t)
	far := newSink(t)
	postfix, lull := newPostfix(t, far.addr), serve(t, far.addr)
	exchanges := exchanges()
	type verdict struct{ theirs, ours answered }
	verdicts := make([]verdict, len(exchanges))
	var wg sync.WaitGroup
	work := make(chan int)
	for range 4 {
		wg.Go(func() {
			for i := range work {
				theirs, err := exchanges[i].hold(postfix.addr)
				ours, fault := exchanges[i].hold(lull.addr)
				if err != nil || fault != nil {
					t.Errorf("%s: Postfix %v, lull %v", exchanges[i].name, err, fault)
				}
				verdicts[i] = verdict{theirs, ours}
			}
		})
	}
	for i := range exchanges {
		work <- i
	}
	close(work)
	wg.Wait()
	taken, excused := 0, map[string]bool{}
	for i, v := range verdicts {
		ours, theirs, differs := v.ours.refuses(v.theirs)
		reason := guards[exchanges[i].name]
		switch {
		case differs && reason == "":
			t.Errorf("%s: Postfix says %.100q, lull %.150q", exchanges[i].name, theirs, ours)
		case differs:
			excused[exchanges[i].name] = true
			t.Logf("| %s | %.60s | %.100s | %s |", exchanges[i].name, theirs, ours, reason)
		case yes(v.theirs.at(len(v.theirs) - 1)):
			taken++
		}
	}
	for name, reason := range guards {
		if !excused[name] {
			t.Errorf("%s: Postfix and lull agree, so there is nothing to excuse by %q", name, reason)
		}
	}
	t.Logf("of %d exchanges Postfix and lull take %d; lull refuses %d that Postfix takes, for the reasons above", len(exchanges), taken, len(excused))
	lull.audit(t)
}

// TestRecipientsAboveTheLimit: they are put off, so that they come again in
// another mail, and the others have theirs.
func TestRecipientsAboveTheLimit(t *testing.T) {
	needs(t)
	far := newSink(t)
	lull := configured(t, "%s[[smarthost]]\naddr = %q\n", passLetters, far.addr)
	crowd := exchange{turns: one(ehlo, mailFrom)}
	for i := range 1003 {
		crowd.turns = append(crowd.turns, turn{fmt.Sprintf("RCPT TO:<crowd%d@far.test>\r\n", i), 1})
	}
	crowd.turns = append(crowd.turns, one("DATA\r\n", "Subject: letter\r\n\r\n.\r\n")...)
	heard, err := crowd.hold(lull.addr)
	if err != nil {
		t.Fatal(err)
	}
	for i, said := range heard[2:] {
		want := "250 "
		switch {
		case i == 1003:
			want = "354 "
		case i >= 1000 && i < 1003:
			want = "452 4.5.3 "
		}
		if !strings.HasPrefix(said, want) {
			t.Errorf("reply %d is %q, want %s", i, said, want)
		}
	}
	until(t, time.Minute, "1,000 have it", func() bool { return len(far.arrivals()) >= 1000 })
	lull.audit(t)
}

// guards are the exchanges that end otherwise on purpose, by their names.
var guards = excuses(map[string][]string{
	"it asks for a route, which the mail server may follow as it trusts us (ADR 10)": {
		`"RCPT TO:<a%b>"`, `"RCPT TO:<a!b>"`, `"RCPT TO:<a!b@client.test>"`, `"RCPT TO:<a%b@client.test>"`, `"RCPT TO:<a%b%c@client.test>"`,
		`"RCPT TO:<a@b@client.test>"`, `"RCPT TO:<\"a@b\"@client.test>"`, "\"RCPT TO:<!#$&'*+-/=?^_`{|}~@client.test>\"",
	},
	"a control character in an address gets into logs and screens": {
		`"MAIL FROM:<a\x1bb@client.test>"`, `"MAIL FROM:<a\x7fb@client.test>"`, `"MAIL FROM:<a\x7fb@client.test> SMTPUTF8"`,
		`"RCPT TO:<a\x1bb@client.test>"`, `"RCPT TO:<a\x7fb@client.test>"`, `SMTPUTF8, "RCPT TO:<a\x7fb@client.test>"`,
	},
	"a path of more than 512 octets, twice what RFC 5321 section 4.5.3.1.3 allows": {
		"MAIL FROM:<lllllllll… of 924 octets", "MAIL FROM:<lllllllll… of 1924 octets", "RCPT TO:<lllllllllll… of 922 octets", "RCPT TO:<lllllllllll… of 1922 octets",
	},
	"no address of RFC 5321; Postfix guesses at one of RFC 822": {
		`"MAIL FROM:<a.\"b c\".d@client.test>"`, `"MAIL FROM:<a\\@b@client.test>"`, `"MAIL FROM:<a\\ b@client.test>"`, `"MAIL FROM:<a:b@client.test>"`,
		`"MAIL FROM:<a(c)@client.test>"`, `"MAIL FROM:<a@client.test(c)>"`, `"MAIL FROM:<a@[127.0.0.1>"`, `"MAIL FROM:<hop.test:a@client.test>"`, `"MAIL FROM:a@client.test>"`,
		`"RCPT TO:<a.\"b c\".d@client.test>"`, `"RCPT TO:<a\\@b@client.test>"`, `"RCPT TO:<a\\ b@client.test>"`, `"RCPT TO:<a:b@client.test>"`,
		`"RCPT TO:<a(c)@client.test>"`, `"RCPT TO:<a@client.test(c)>"`, `"RCPT TO:<hop.test:a@client.test>"`, `"RCPT TO:a@client.test>"`,
		`"RCPT TO:<@client.test>"`, `"RCPT TO:<\"\"@client.test>"`,
	},
	"no client says this (RFC 3461 section 4.1, RFC 5321 section 4.1.4)": {
		`"RCPT TO:<b@far.test> NOTIFY=SUCCESS,SUCCESS"`, "no HELO", "EHLO, a tab",
	},
})

func excuses(reasons map[string][]string) map[string]string {
	all := map[string]string{}
	for reason, names := range reasons {
		for _, name := range names {
			all[name] = reason
		}
	}
	return all
}
