package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wish is what a sender asks of delivery reports, as it stands on the wire
// (RFC 3461 section 4).
type wish struct{ ret, envid, notify, orcpt string }

// wishes are asked by each client that can.
var wishes = []wish{
	{"", "", "", ""},
	{"HDRS", "QQ314159", "SUCCESS,FAILURE", "rfc822;bob@orig.test"},
	{"FULL", "a+2Bb+3Dc", "NEVER", "rfc822;a+2Bb+3Dc@orig.test"},
	{"", "", "DELAY", ""},
	{"HDRS", "", "SUCCESS,FAILURE,DELAY", "rfc822;" + strings.Repeat("o", 200) + "@orig.test"},
	{"", strings.Repeat("e", 100), "FAILURE", ""},
	{"FULL", "", "", ""},
	{"", "", "SUCCESS", `utf-8;m\x{FC}ller@orig.test`},
}

// asks hands a mail with a wish to a client; it reports whether the client
// has words for it.
type asks func(to string, w wish) (able bool, err error)

// dsnClients are those that can ask for anything.
var dsnClients = []struct {
	name string
	open func(t *testing.T, server string) asks
}{
	{"raw", func(_ *testing.T, server string) asks { return rawly(server) }},
	{"postfix", servers(newPostfix)},
	{"exim-data", servers(newEximData)},
	{"exim-bdat", servers(newExim)},
	{"opensmtpd", servers(newOpenSMTPD)},
	{"msmtp", msmtpAsks},
	{"mutt", muttAsks},
	{"smtplib", pythonAsks},
	{"nodemailer", nodeAsks},
	{"sendmail", sendmailAsks},
}

// TestDSNParameters: what a client asks of delivery reports is what the mail
// server hears, word for word.
func TestDSNParameters(t *testing.T) {
	needs(t, "exim4", "msmtp", "mutt", "python3", "node")
	far := newSink(t)
	out := newTap(t, far.addr)
	config := filepath.Join(t.TempDir(), "lull.toml")
	if err := os.WriteFile(config, []byte(allButAlerts), 0o644); err != nil {
		t.Fatal(err)
	}
	lull := serve(t, out.addr, "--config", config)
	t.Run("ask", func(t *testing.T) {
		for _, c := range dsnClients {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				in := newTap(t, lull.addr)
				sent := askAll(t, c.name, c.open(t, in.addr))
				keeps(t, c.name, out, sent, func(to string, _ wish) []string { return withoutKey(parameters(only(in, sent)[to], to)) })
			})
		}
	})
	lull.stop(syscall.SIGTERM)
	spooled := askAll(t, "spooled", localAsks(t, "127.0.0.1:1", filepath.Join(lull.state, "spool")))
	lull.restart(t)
	keeps(t, "spooled", out, spooled, func(_ string, w wish) []string { return w.parameters() })
	lull.audit(t)
}

// key is what our sendmail puts before an envelope id, for lull alone.
var key = regexp.MustCompile(`^ENVID=spool:[^;]*(;|$)`)

func withoutKey(said []string) (all []string) {
	for _, s := range said {
		if s = key.ReplaceAllString(s, "ENVID="); s != "ENVID=" {
			all = append(all, s)
		}
	}
	return all
}

// askAll hands a mail with each wish to a client, and returns those for which
// it has words, by recipient.
func askAll(t *testing.T, name string, ask asks) map[string]wish {
	t.Helper()
	sent := map[string]wish{}
	for i, w := range wishes {
		to := fmt.Sprintf("dsn-%s-%d@far.test", name, i)
		able, err := ask(to, w)
		if err != nil {
			t.Fatalf("%+v: %v", w, err)
		}
		if able {
			sent[to] = w
		}
	}
	return sent
}

// keeps compares what a client said with what the mail server hears.
func keeps(t *testing.T, name string, out *tap, sent map[string]wish, said func(to string, w wish) []string) {
	t.Helper()
	var left map[string]*tapped
	until(t, 100*time.Second, "all mails leave", func() bool {
		left = only(out, sent)
		return len(left) == len(sent)
	})
	asked := 0
	for to, w := range sent {
		came := said(to, w)
		if missing := w.missing(came); missing != "" {
			t.Errorf("the client never said %s: %q", missing, came)
		}
		if now := parameters(left[to], to); !slices.Equal(now, came) {
			t.Errorf("what came with\n%q left with\n%q", came, now)
		}
		asked += len(came)
	}
	t.Logf("| %s | %d mails | %d parameters kept |", name, len(sent), asked)
}

// only finds the mails for some recipients on a wire.
func only(w *tap, sent map[string]wish) map[string]*tapped {
	mails, _, _ := w.seen()
	all := map[string]*tapped{}
	for to, m := range byRecipient(mails) {
		if _, ours := sent[to]; ours {
			all[to] = m[0]
		}
	}
	return all
}

func (w wish) parameters() (all []string) {
	for name, value := range map[string]string{"RET": w.ret, "ENVID": w.envid, "NOTIFY": w.notify, "ORCPT": w.orcpt} {
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	slices.Sort(all)
	return all
}

// missing is what of a wish is not among parameters. The words of NOTIFY are a
// set, and some clients sort them.
func (w wish) missing(said []string) string {
	for _, p := range w.parameters() {
		if !slices.ContainsFunc(said, func(s string) bool { return sortedWords(s) == sortedWords(p) }) {
			return p
		}
	}
	return ""
}

func sortedWords(parameter string) string {
	name, value, _ := strings.Cut(parameter, "=")
	words := strings.Split(value, ",")
	slices.Sort(words)
	return name + "=" + strings.Join(words, ",")
}

// parameters are those of RFC 3461 in the envelope of a mail.
func parameters(m *tapped, to string) (all []string) {
	if m == nil {
		return nil
	}
	words := strings.Fields(m.from)
	for _, rcpt := range m.to {
		if address(rcpt) == to {
			words = append(words, strings.Fields(rcpt)...)
		}
	}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name = strings.ToUpper(name); name {
		case "ORCPT":
			kind, orig, _ := strings.Cut(value, ";")
			all = append(all, name+"="+strings.ToLower(kind)+";"+strings.ReplaceAll(orig, "\xc3\xbc", `\x{FC}`)) // two forms of one (RFC 6533)
		case "RET", "NOTIFY":
			all = append(all, name+"="+strings.ToUpper(value))
		case "ENVID":
			all = append(all, name+"="+value)
		}
	}
	slices.Sort(all)
	return all
}

const dsnText = "From: ann@client.test\nSubject: letter\n\nhello\n"

func servers(newServer newServer) func(t *testing.T, server string) asks {
	return func(t *testing.T, server string) asks {
		ask := rawly(newServer(t, server).addr)
		return func(to string, w wish) (bool, error) {
			if strings.HasPrefix(w.orcpt, "utf-8") {
				return false, nil // they know RFC 3461 only
			}
			return ask(to, w)
		}
	}
}

// rawly says a wish itself.
func rawly(addr string) asks {
	return func(to string, w wish) (bool, error) {
		conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
		if err != nil {
			return false, err
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		c := textproto.NewConn(conn)
		if _, _, err := c.ReadResponse(220); err != nil {
			return false, err
		}
		from, rcpt := "MAIL FROM:<ann@client.test>", "RCPT TO:<"+to+">"
		for _, p := range w.parameters() {
			if strings.HasPrefix(p, "RET") || strings.HasPrefix(p, "ENVID") {
				from += " " + p
			} else {
				rcpt += " " + p
			}
		}
		if strings.HasPrefix(w.orcpt, "utf-8") {
			from += " SMTPUTF8"
		}
		for _, line := range []string{"EHLO feeder.test", from, rcpt} {
			if err := say(c, line, 250); err != nil {
				return true, err
			}
		}
		if err := say(c, "DATA", 354); err != nil {
			return true, err
		}
		return true, say(c, crlf(dsnText)+".", 250)
	}
}

// within reports whether a client with words for NOTIFY and RET only can ask.
func (w wish) within() bool { return w.envid == "" && w.orcpt == "" }

func msmtpAsks(t *testing.T, server string) asks {
	return func(to string, w wish) (bool, error) {
		if !w.within() {
			return false, nil
		}
		args := []string{"-C", "/dev/null", "--host=127.0.0.1", "--port=" + port(server), "--tls=off", "--auth=off", "--from=ann@client.test"}
		if w.notify != "" {
			args = append(args, "--dsn-notify="+strings.ToLower(w.notify))
		}
		if w.ret != "" {
			args = append(args, "--dsn-return="+strings.ToLower(w.ret))
		}
		return true, runOne(t, exec.Command("msmtp", append(args, "--", to)...), strings.NewReader(dsnText), "HOME="+t.TempDir())
	}
}

func muttAsks(t *testing.T, server string) asks {
	return func(to string, w wish) (bool, error) {
		if !w.within() {
			return false, nil
		}
		set := "set smtp_url=smtp://" + server + "; set ssl_starttls=yes; set ssl_force_tls=no; set use_envelope_from; set from=ann@client.test; set copy=no; set dsn_notify='" +
			strings.ToLower(w.notify) + "'; set dsn_return='" + strings.ToLower(w.ret) + "'"
		return true, runOne(t, exec.Command("mutt", "-n", "-F", "/dev/null", "-e", set, "-s", "letter", "--", to), strings.NewReader("hello\n"), "HOME="+t.TempDir())
	}
}

// scripted hands a wish to one of the scripts.
func scripted(t *testing.T, errand func(w wish) map[string]any, args ...string) asks {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, []byte(crlf(dsnText)), 0o644); err != nil {
		t.Fatal(err)
	}
	return func(to string, w wish) (bool, error) {
		if strings.HasPrefix(w.orcpt, "utf-8") {
			return false, nil
		}
		all := errand(w)
		all["from"], all["to"], all["file"] = "ann@client.test", []string{to}, file
		line, err := json.Marshal(all)
		if err != nil {
			return true, err
		}
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(append(line, '\n')), &out, os.Stderr
		if err := cmd.Run(); err != nil {
			return true, err
		}
		if said, _ := bufio.NewReader(&out).ReadString('\n'); said != "\"\"\n" {
			return true, fmt.Errorf("it says %s", said)
		}
		return true, nil
	}
}

func pythonAsks(t *testing.T, server string) asks {
	return scripted(t, func(w wish) map[string]any {
		all := map[string][]string{"mail": {}, "rcpt": {}}
		for _, p := range w.parameters() {
			to := "rcpt"
			if strings.HasPrefix(p, "RET") || strings.HasPrefix(p, "ENVID") {
				to = "mail"
			}
			all[to] = append(all[to], p)
		}
		return map[string]any{"mail": all["mail"], "rcpt": all["rcpt"]}
	}, "python3", "testdata/clients/send.py", port(server))
}

// nodeAsks has names of its own for the parameters, and encodes them itself.
func nodeAsks(t *testing.T, server string) asks {
	plain := strings.NewReplacer("+2B", "+", "+3D", "=", "rfc822;", "")
	return scripted(t, func(w wish) map[string]any {
		dsn := map[string]string{}
		for name, value := range map[string]string{"return": w.ret, "id": w.envid, "notify": w.notify, "recipient": w.orcpt} {
			if value != "" {
				dsn[name] = plain.Replace(value)
			}
		}
		return map[string]any{"dsn": dsn}
	}, "node", "testdata/clients/send.js", port(server), filepath.Join(root(t), ".tools/mail/node_modules/nodemailer"))
}

func sendmailAsks(t *testing.T, server string) asks {
	return localAsks(t, server, filepath.Join(t.TempDir(), "spool"))
}

// localAsks calls our sendmail.
func localAsks(t *testing.T, server, spool string) asks {
	t.Helper()
	bins, err := build()
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "sendmail.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "server = %q\nspool = %q\ndomain = 'client.test'\n", server, spool), 0o644); err != nil {
		t.Fatal(err)
	}
	return func(to string, w wish) (bool, error) {
		if w.orcpt != "" {
			return false, nil
		}
		args := []string{"-C", conf, "-i", "-f", "ann@client.test"}
		for letter, value := range map[string]string{"-N": w.notify, "-R": w.ret, "-V": w.envid} {
			if value != "" {
				args = append(args, letter, value)
			}
		}
		return true, runOne(t, exec.Command(bins.sendmail, append(args, to)...), strings.NewReader(dsnText))
	}
}
