package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smtpSink is Postfix's test server, as a mail server with a fault.
type smtpSink struct {
	*process
	addr, dumps string
}

// newSMTPSink starts smtp-sink with options that make it misbehave.
func newSMTPSink(t *testing.T, options ...string) *smtpSink {
	t.Helper()
	s := newSettings(t, "127.0.0.1:1")
	program := filepath.Join(s.Tools, "usr/sbin/smtp-sink")
	needs(t, program)
	openUp(t, s.Dir)
	sink := &smtpSink{addr: s.addr(), dumps: filepath.Join(s.Dir, "dumps")}
	if slices.Contains(options, "-6") {
		sink.addr = fmt.Sprintf("[::1]:%d", s.Port)
	}
	if err := os.Mkdir(sink.dumps, 0o755); err != nil {
		t.Fatal(err)
	}
	chownToMailOwner(t, sink.dumps)
	write(t, filepath.Join(s.Dir, "main.cf"), "compatibility_level = 3.6\n", s)
	env := []string{"LD_LIBRARY_PATH=" + filepath.Join(s.Tools, "usr/lib/postfix"), "MAIL_CONFIG=" + s.Dir}
	args := append([]string{"-v", "-u", "news", "-d", filepath.Join(sink.dumps, "m.")}, options...)
	sink.process = start(t, env, program, append(args, sink.addr, "100")...)
	until(t, 10*time.Second, "smtp-sink listens", func() bool { return sink.heard("trying...") > 0 && listens(sink.addr) })
	return sink
}

func listens(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// heard counts the lines of its conversation that begin so.
func (s *smtpSink) heard(line string) int {
	log, _ := os.ReadFile(s.log)
	return bytes.Count(log, []byte("smtp-sink: "+line))
}

// becomes ends the fault: from now on a healthy server is at the address.
func (s *smtpSink) becomes(t *testing.T) *sink {
	t.Helper()
	s.stop(syscall.SIGTERM)
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	return serveSink(t, l)
}

var rcptArgs = regexp.MustCompile(`(?m)^X-Rcpt-Args: <([^>]*)>`)

// took are the mails that it read to the final dot, whatever it answered.
func (s *smtpSink) took(t *testing.T) []arrival {
	t.Helper()
	files, err := filepath.Glob(s.dumps + "/*")
	if err != nil {
		t.Fatal(err)
	}
	var all []arrival
	for _, file := range files {
		dump, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, mail, whole := strings.Cut(string(dump), "(UTC)\n") // of its own Received line
		mail, ended := strings.CutSuffix(mail, "\n\n")
		if !whole || !ended {
			continue // the client gave up half-way
		}
		for _, to := range rcptArgs.FindAllStringSubmatch(head, -1) {
			all = append(all, arrival{to: to[1], body: []byte(strings.ReplaceAll(mail+"\n", "\n", "\r\n"))})
		}
	}
	return all
}

// letters are n mails between people, each to two of them. The first is in
// eight bits.
func letters(n int) []letter {
	all := make([]letter, n)
	for i := range all {
		from, text := fmt.Sprintf("ann%d@example.org", i), "At noon?\r\n.\r\n..\r\n"
		if i == 0 {
			text = "Zur Mühle?\r\n"
		}
		to := []string{fmt.Sprintf("bob%d@example.net", i), fmt.Sprintf("eve%d@example.net", i)}
		all[i] = letter{from: from, to: to, body: fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: letter %d\r\nMIME-Version: 1.0\r\n"+
			"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s", from, strings.Join(to, ", "), i, text)}
	}
	return all
}

// sameAlerts are n alerts of one incident for each of two readers.
func sameAlerts(n int) []letter {
	var all []letter
	for i := range 2 * n {
		reader := fmt.Sprintf("tools.t%d", i%2)
		all = append(all, alert(reader, reader, "Cron <"+reader+"@tools-sgecron-01> /usr/bin/update",
			fmt.Sprintf("Unable to run job: error: no suitable queues at %d.", i)))
	}
	return all
}
