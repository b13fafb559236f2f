package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// clients are the programs that the table of docs/measurements.md names.
var clients = []struct {
	name   string
	open   opener
	wide   int  // mails handed over at once
	queues bool // it sends after it took a mail
}{
	{"postfix", relaying(newPostfix), 4, true},
	{"exim-data", relaying(newEximData), 4, true},
	{"exim-bdat", relaying(newExim), 4, true},
	{"opensmtpd", relaying(newOpenSMTPD), 4, true},
	{"nullmailer", newNullmailer, 1, true},
	{"msmtp", program(msmtp), 2, false},
	{"dma", newDMA, 2, true},
	{"ssmtp", newSSMTP, 8, false},
	{"s-nail", program(snail), 2, false},
	{"mutt", program(mutt), 2, false},
	{"swaks", program(swaks), 2, false},
	{"smtplib", newPython, 1, false},
	{"nodemailer", newNode, 1, false},
	{"net-smtp", goClient, 1, false},
}

// allButAlerts passes mail as it is, unless it is an alert: some clients add a From of their
// own account, root, to mail without one, and so make an alert of it.
const allButAlerts = `
[[rule]]
name = "alerts"
recipient = "*.alert@far.test"
class = "alert"
[[rule]]
name = "letters"
recipient = "*@far.test"
class = "pass"
`

// TestClients: whatever a real client sends is taken, and pass mail leaves as
// it came. What counts is the difference between two wires, one from the
// client to lull and one from lull to the mail server.
func TestClients(t *testing.T) {
	needs(t, "exim4", "msmtp", "s-nail", "mutt", "swaks", "python3", "node", "unshare", "setpriv")
	far := newSink(t)
	out := newTap(t, far.addr)
	config := filepath.Join(t.TempDir(), "lull.toml")
	if err := os.WriteFile(config, []byte(allButAlerts), 0o644); err != nil {
		t.Fatal(err)
	}
	lull := serve(t, out.addr, "--config", config)
	dir := files(t)
	rows := make([]*row, len(clients))
	t.Run("send", func(t *testing.T) {
		for i, c := range clients {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				rows[i] = &row{name: c.name, in: newTap(t, lull.addr), kept: map[int]error{}}
				rows[i].send(t, c.open, c.wide, dir)
				if c.queues {
					rows[i].settle(t)
				}
			})
		}
	})
	quiet(t, out, 3*time.Second)
	text, told := table(t, rows, out)
	t.Log(text)
	if got := lull.alerted(t); got != told {
		t.Errorf("lull has %d alerts of %d", got, told)
	}
	lull.audit(t)
}

// ours are the recipients of the corpus; some clients add those of the header.
var ours = regexp.MustCompile(`^[a-z-]+-\d{3}(\.\S*)?@far\.test$`)

// alerted counts the alerts, of which there must be none among the others: a
// first notice is the mail as it came, too, and would pass for one.
func (d *daemon) alerted(t *testing.T) int {
	t.Helper()
	n := 0
	for _, o := range d.objects(t, "list", "--class", "alert") {
		switch to := o["to"].(string); {
		case strings.HasSuffix(to, ".alert@far.test"):
			n++
		case ours.MatchString(to):
			t.Errorf("the mail for %s is an alert: %v, subject %v", to, o["reason"], o["subject"])
		}
	}
	return n
}

// row is what became of the corpus in the hands of one client.
type row struct {
	name string
	in   *tap

	mu   sync.Mutex
	kept map[int]error // mails that the client itself gave back
}

// send hands the corpus to the client.
func (r *row) send(t *testing.T, open opener, wide int, dir string) {
	t.Helper()
	hand := open(t, r.in.addr)
	work := make(chan errand)
	var wg sync.WaitGroup
	for range wide {
		wg.Go(func() {
			for e := range work {
				if err := hand(e); err != nil {
					r.mu.Lock()
					r.kept[e.n] = err
					r.mu.Unlock()
				}
			}
		})
	}
	for _, s := range corpus() {
		work <- errand{specimen: s, rcpt: s.recipients(r.name), dir: dir}
	}
	close(work)
	wg.Wait()
}

// settle waits until all mails that the client took have come, or no more do.
func (r *row) settle(t *testing.T) {
	t.Helper()
	want := 0
	for _, s := range corpus() {
		if r.kept[s.n] == nil {
			want += len(s.to)
		}
	}
	last, since := -1, time.Now()
	until(t, 2*time.Minute, r.name+" has sent what it took", func() bool {
		mails, _, moved := r.in.seen()
		if moved != last {
			last, since = moved, time.Now()
		}
		return len(byRecipient(mails)) >= want || time.Since(since) > 10*time.Second
	})
}

// quiet waits until nothing has moved on a wire for a while.
func quiet(t *testing.T, w *tap, pause time.Duration) {
	t.Helper()
	last, since := -1, time.Now()
	until(t, 2*time.Minute, "the wire is quiet", func() bool {
		_, _, moved := w.seen()
		if moved != last {
			last, since = moved, time.Now()
		}
		return time.Since(since) > pause
	})
}

// byRecipient sorts mails by the addresses that they were for.
func byRecipient(mails []*tapped) map[string][]*tapped {
	all := map[string][]*tapped{}
	for _, m := range mails {
		for _, to := range m.to {
			all[address(to)] = append(all[address(to)], m)
		}
	}
	return all
}

// address is what stands in the angle brackets.
func address(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	addr, _, _ := strings.Cut(rest, ">")
	return addr
}

// tally counts the mails of a row.
type tally struct{ sent, accepted, same, lineEnds, told int }

func table(t *testing.T, rows []*row, out *tap) (string, int) {
	t.Helper()
	var text strings.Builder
	text.WriteString("\n| client | sent | accepted | byte-identical | but for line ends | into digests |\n|---|---|---|---|---|---|\n")
	mails, refused, _ := out.seen()
	arrived, told := byRecipient(mails), 0
	for _, said := range refused {
		t.Errorf("the far end refused %s", said)
	}
	for _, r := range rows {
		n := r.judge(t, arrived)
		told += n.told
		if n.sent < corpusSize*8/10 {
			t.Errorf("%s sent only %d mails: is it set up?", r.name, n.sent)
		}
		fmt.Fprintf(&text, "| %s | %d | %d | %d | %d | %d |\n", r.name, n.sent, n.accepted, n.same, n.lineEnds, n.told)
	}
	return text.String(), told
}

// judge compares what came in with what went out.
func (r *row) judge(t *testing.T, arrived map[string][]*tapped) tally {
	t.Helper()
	var n tally
	mails, refused, _ := r.in.seen()
	came := byRecipient(mails)
	for _, said := range refused {
		t.Errorf("%s: lull refused %s", r.name, said)
	}
	for _, s := range corpus() {
		how := unsent
		for _, to := range s.recipients(r.name) {
			how = max(how, compare(came[to], arrived[to]))
		}
		n.add(how, s.alert)
		switch {
		case how == unsent && r.kept[s.n] == nil:
			t.Errorf("%s took %q and did not send it", r.name, s.name)
		case how == unsent:
			t.Logf("%s did not send %q: %v", r.name, s.name, r.kept[s.n])
		case how > lineEnds && !s.alert:
			t.Errorf("%s: %q %s", r.name, s.name, how)
		}
	}
	return n
}

func (n *tally) add(how likeness, alert bool) {
	if how > unsent {
		n.sent++
	}
	if how > unsent && how < refused {
		n.accepted++
	}
	switch {
	case how == unsent, how == refused:
	case alert:
		n.told++
	case how == same:
		n.same++
	case how == lineEnds:
		n.lineEnds++
	}
}

// likeness is how a mail that left compares to the mail that came.
type likeness int

const (
	unsent   likeness = iota
	same              // octet for octet below our Received field
	lineEnds          // but for CR and LF that are none of SMTP
	changed
	lost
	refused
)

func (l likeness) String() string {
	return [...]string{"was not sent", "is the same", "has other line ends", "was changed", "was lost or doubled", "was refused"}[l]
}

// compare looks at one recipient's mails. A client that sends a mail twice
// wants it delivered twice.
func compare(came, left []*tapped) likeness {
	switch {
	case len(came) == 0:
		return unsent
	case !strings.HasPrefix(came[0].said, "250"):
		return refused
	case len(came) != len(left):
		return lost
	}
	how := same
	for i := range came {
		how = max(how, alike(came[i], left[i]))
	}
	return how
}

// trace is the field that lull adds (RFC 5321 section 4.4).
var trace = regexp.MustCompile(`^Received: from [^\r\n]+\r\n\tby \S+ \(lull\) with \S+\r\n\tid \S+(\r\n\tfor <[^>]+>)?; [^\r\n]+\r\n$`)

func alike(came, left *tapped) likeness {
	if sender(came.from) != address(left.from) {
		return changed
	}
	switch {
	case below(left.body, came.body):
		return same
	case below(left.body, onWire(came.body)):
		return lineEnds
	}
	return changed
}

// below reports whether a mail is our Received field and that body.
func below(mail, body []byte) bool {
	head, ok := bytes.CutSuffix(mail, body)
	return ok && trace.Match(head)
}

// sender is the address in MAIL, "" for nobody: dma says <@host> for that.
func sender(arg string) string {
	if addr := address(arg); !strings.HasPrefix(addr, "@") || strings.Contains(addr, ":") {
		return addr
	}
	return ""
}

var anyLineEnd = regexp.MustCompile(`\r*\n|\r`)

// onWire has the line ends that promise 7 speaks of.
func onWire(body []byte) []byte {
	body = anyLineEnd.ReplaceAll(body, []byte("\r\n"))
	if len(body) > 0 && !bytes.HasSuffix(body, []byte("\r\n")) {
		body = append(body, "\r\n"...)
	}
	return body
}
