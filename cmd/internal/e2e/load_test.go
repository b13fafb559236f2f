package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// letter is one mail as a client hands it in.
type letter struct {
	from string
	to   []string
	body string
}

// alerts makes n alert mails of the kinds that filled the queue on 2019-10-07,
// for ten readers.
func alerts(n int) []letter {
	all := make([]letter, n)
	for i := range all {
		tool := fmt.Sprintf("tools.t%d", i%10)
		switch i % 4 {
		case 0:
			all[i] = alert(tool, tool, fmt.Sprintf("Cron <%s@tools-sgecron-%02d> /usr/bin/jsub -N update -once /data/project/t%d/update.sh", tool, i%3, i%10),
				fmt.Sprintf("Unable to run job: error: no suitable queues at %d.", i))
		case 1:
			all[i] = alert("icinga", tool, fmt.Sprintf("** PROBLEM alert - tools-worker-%04d/Free space - all mounts is CRITICAL **", i%50),
				fmt.Sprintf("Notification Type: PROBLEM\n\nService: Free space - all mounts\nHost: tools-worker-%04d\nState: CRITICAL\n\nAdditional Info:\n\nDISK CRITICAL %d MB", i%50, i))
		case 2:
			all[i] = alert("icinga", tool, fmt.Sprintf("** RECOVERY alert - tools-worker-%04d/Free space - all mounts is OK **", i%50),
				fmt.Sprintf("Notification Type: RECOVERY\n\nService: Free space - all mounts\nHost: tools-worker-%04d\nState: OK\n\nAdditional Info:\n\nDISK OK %d MB", i%50, i))
		default:
			all[i] = alert("root", tool, fmt.Sprintf("Job %d (update-%d) Aborted", 1000000+i, i%5),
				fmt.Sprintf(" Exit Status      = 137\n Signal           = KILL\n User             = %s\n Host             = tools-sgeexec-%04d\nfailed assumedly after job because:\njob %d.1 died through signal KILL (9)", tool, i%20, 1000000+i))
		}
	}
	return all
}

func alert(from, to, subject, text string) letter {
	from += "@tools.test"
	to += "@reader.test"
	body := fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nDate: %s\nMessage-ID: <%x@tools.test>\n\n%s\n", from, to, subject,
		"Mon, 07 Oct 2019 15:52:13 +0000", []byte(subject+text), text)
	return letter{from: from, to: []string{to}, body: strings.ReplaceAll(body, "\n", "\r\n")}
}

// send hands mails to an SMTP server over several connections; every one must
// be accepted.
func send(t *testing.T, addr string, connections int, mails []letter) {
	t.Helper()
	work := make(chan letter)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			if err := sendAll(addr, work); err != nil {
				t.Errorf("send to %s: %v", addr, err)
				for range work {
				}
			}
		})
	}
	for _, m := range mails {
		work <- m
	}
	close(work)
	wg.Wait()
}

func sendAll(addr string, work <-chan letter) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for m := range work {
		if err := c.SendMail(m.from, m.to, strings.NewReader(m.body)); err != nil {
			return err
		}
	}
	return c.Quit()
}
