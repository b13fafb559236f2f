package deliver

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"lull/store"
)

func readDialogue(t *testing.T, file string) *dialogue {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := &dialogue{file: file, opt: Options{
		Servers:   []Server{{Addr: "mx.test:25", TLS: TLSNone}},
		LocalName: "lull.test",
	}}
	for n, line := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if err := d.line(line); err != nil {
			t.Fatalf("%s:%d: %v", file, n+1, err)
		}
	}
	return d
}

// line adds a line of the file. Client and server lines stand under headings
// that begin with "==".
func (d *dialogue) line(line string) error {
	words := strings.Fields(line)
	switch {
	case d.want != "" || line == "== result":
		d.want += strings.TrimPrefix(line, "== result") + "\n"
	case strings.HasPrefix(line, "== connection "):
		c := &connection{addr: words[2]}
		if len(words) > 3 {
			c.dial = words[3]
		}
		d.servers = append(d.servers, c)
	case len(d.servers) > 0:
		if line != "" {
			c := d.servers[len(d.servers)-1]
			c.lines = append(c.lines, line)
		}
	case line != "":
		return d.clientLine(words[0], strings.TrimSpace(strings.TrimPrefix(line, words[0])), words[1:])
	}
	return nil
}

func (d *dialogue) clientLine(verb, rest string, words []string) (err error) {
	var last *step
	if len(d.steps) > 0 {
		last = &d.steps[len(d.steps)-1]
	}
	switch verb {
	case "option":
		return d.option(words[0], words[1:])
	case "mail":
		s := step{body: "Subject: hello\r\n\r\nhello\r\n"}
		s.mail.From, err = mailWords(&s, words)
		d.steps = append(d.steps, s)
	case "to":
		last.mail.To = append(last.mail.To, targetWords(words))
	case "body":
		last.body, err = strconv.Unquote(rest)
	case "big":
		last.body, err = bigBody(rest)
	case "ready":
		last.readyErr = rest
	case "broken":
		last.readErr = rest
	case "cancel":
		last.cancel, err = time.ParseDuration(rest)
	case "together":
		last.together = true
	case "pause":
		var pause time.Duration
		pause, err = time.ParseDuration(rest)
		d.steps = append(d.steps, step{pause: pause})
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	return err
}

func mailWords(s *step, words []string) (string, error) {
	from := strings.Trim(words[0], "<>")
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "8bit":
			s.mail.EightBit = true
		case "utf8":
			s.mail.UTF8 = true
		case "ret":
			s.mail.Ret = value
		case "envid":
			s.mail.EnvID = value
		case "size":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return "", err
			}
			s.mail.Size = n
		default:
			return "", fmt.Errorf("unknown word %q", w)
		}
	}
	return unescape(from), nil
}

// bigBody is a body of about n octets.
func bigBody(n string) (string, error) {
	size, err := strconv.Atoi(n)
	return "Subject: big\r\n\r\n" + strings.Repeat("All work and no play makes Jack a dull boy.\r\n", size/45), err
}

// unescape takes %20 for a space and the like, for addresses with blanks.
func unescape(s string) string {
	for _, p := range []struct{ from, to string }{{"%20", " "}, {"%3C", "<"}, {"%3E", ">"}, {"%0D", "\r"}, {"%0A", "\n"}, {"%00", "\x00"}} {
		s = strings.ReplaceAll(s, p.from, p.to)
	}
	return s
}

func targetWords(words []string) store.Target {
	t := store.Target{Address: unescape(strings.Trim(words[0], "<>"))}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "notify":
			t.Notify = strings.Split(value, ",")
		case "orcpt":
			t.ORcpt = value
		}
	}
	return t
}

func (d *dialogue) option(name string, words []string) (err error) {
	server := &d.opt.Servers[0]
	switch name {
	case "tls":
		for i := range d.opt.Servers {
			d.opt.Servers[i].TLS = TLS(words[0])
		}
	case "lmtp":
		server.LMTP = true
	case "implicit":
		server.ImplicitTLS = true
	case "auth":
		server.Username, server.Password = words[0], words[1]
	case "servers":
		d.opt.Servers = nil
		for _, addr := range words {
			d.opt.Servers = append(d.opt.Servers, Server{Addr: addr, TLS: TLSNone})
		}
	case "mx":
		server.MX = true
		d.opt.LookupMX = func(context.Context, string) (found []*net.MX, err error) {
			for i, host := range words {
				found = append([]*net.MX{{Host: host, Pref: uint16(10 * (i + 1))}}, found...)
			}
			return found, nil
		}
	case "maxperconnection":
		d.opt.MaxPerConnection, err = strconv.Atoi(words[0])
	case "maxconnections":
		d.opt.MaxConnections, err = strconv.Atoi(words[0])
	default:
		err = fmt.Errorf("unknown option %q", name)
	}
	return err
}
