package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// TestRelayed: a sender who asks for success is told that his mail was
// relayed into a digest, or to a mail server that knows no reports (RFC 3461
// section 5.2.2), and is told nothing where the mail server reports itself.
func TestRelayed(t *testing.T) {
	needs(t)
	for _, c := range []struct {
		name, subject string
		options       []string // of smtp-sink
		told          bool
	}{
		{"digest", "Cron <ann@web1> backup", nil, true},
		{"digest-no-dsn", "Cron <ann@web1> backup", []string{"-N"}, true},
		{"pass-no-dsn", "letter", []string{"-N"}, true},
		{"pass", "letter", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			far := newSMTPSink(t, c.options...)
			out := newTap(t, far.addr)
			h := newHouse(t, "[[smarthost]]\naddr = %q\n", out.addr)
			for _, notify := range []smtp.DSNNotify{smtp.DSNNotifySuccess, smtp.DSNNotifyFailure, smtp.DSNNotifyNever} {
				askFor(t, h.addr, c.subject, notify)
			}
			until(t, 45*time.Second, "all are out", func() bool {
				s := h.status(t)
				return count(s, "told")+count(s, "passed") >= 3 && count(s, "waiting")+count(s, "in_flight") == 0
			})
			var reports []*tapped
			find := func() bool {
				reports = reportsOn(out)
				return len(reports) > 0
			}
			if !c.told {
				if find() {
					t.Errorf("a report where the mail server sends one: %s", reports[0].body)
				}
				return
			}
			until(t, 20*time.Second, "the report", find)
			if len(reports) != 1 {
				t.Errorf("%d reports, and one sender of three asked for one", len(reports))
			}
			r := reports[0]
			for _, want := range []string{"Action: relayed\r\n", "Status: 2.", "Original-Envelope-Id: SUCCESS-1\r\n", "Original-Recipient: rfc822;SUCCESS@orig.test\r\n", "Final-Recipient: rfc822;SUCCESS@far.test\r\n"} {
				if !strings.Contains(strings.ReplaceAll(string(r.body), "rfc822; ", "rfc822;"), want) {
					t.Errorf("the report does not say %q:\n%s", want, r.body)
				}
			}
			if from, to := address(r.from), address(r.to[0]); from != "" || to != "ann@client.test" || len(r.to) != 1 {
				t.Errorf("the report goes from <%s> to <%s> and %d more", from, to, len(r.to)-1)
			}
			if strings.Contains(string(r.body), "the text") {
				t.Error("RET=HDRS, and the report has the text")
			}
			t.Logf("%s %q to %q:\n%s", c.name, r.from, r.to, r.body)
			h.audit(t)
		})
	}
}

// askFor sends a mail whose sender wants reports.
func askFor(t *testing.T, addr, subject string, notify smtp.DSNNotify) {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Mail("ann@client.test", &smtp.MailOptions{Return: smtp.DSNReturnHeaders, EnvelopeID: string(notify) + "-1"})
	if err == nil {
		err = c.Rcpt(string(notify)+"@far.test", &smtp.RcptOptions{Notify: []smtp.DSNNotify{notify},
			OriginalRecipientType: smtp.DSNAddressTypeRFC822, OriginalRecipient: string(notify) + "@orig.test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(w, "From: ann@client.test\r\nSubject: %s\r\n\r\nthe text\r\n", subject)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// reportsOn are the delivery reports on a wire.
func reportsOn(w *tap) (reports []*tapped) {
	mails, _, _ := w.seen()
	for _, m := range mails {
		if strings.Contains(string(m.body), "message/delivery-status") {
			reports = append(reports, m)
		}
	}
	return reports
}
