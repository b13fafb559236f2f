package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// errand is a mail that a client is to send.
type errand struct {
	specimen
	rcpt []string
	dir  string // of the corpus as files
}

// sender is the envelope sender for clients that cannot send for nobody.
func (e errand) sender() string {
	if e.from == "" {
		return "ann@client.test"
	}
	return e.from
}

// wireFile and localFile hold the mail with the line ends of SMTP and of Unix.
func (e errand) wireFile() string  { return filepath.Join(e.dir, fmt.Sprintf("%03d.wire", e.n)) }
func (e errand) localFile() string { return filepath.Join(e.dir, fmt.Sprintf("%03d.local", e.n)) }

// files writes the corpus.
func files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, s := range corpus() {
		e := errand{specimen: s, dir: dir}
		for file, text := range map[string]string{e.wireFile(): s.text, e.localFile(): s.local()} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	openUp(t, dir)
	return dir
}

// opener prepares a client to send to a server; what it returns sends a mail.
type opener func(t *testing.T, server string) func(errand) error

// program runs a command for each mail, which it reads from its input.
func program(command func(server string, e errand) []string) opener {
	return func(t *testing.T, server string) func(errand) error {
		home := t.TempDir()
		return func(e errand) error {
			input, err := os.Open(e.localFile())
			if err != nil {
				return err
			}
			defer input.Close()
			args := command(server, e)
			return runOne(t, exec.Command(args[0], args[1:]...), input, "HOME="+home)
		}
	}
}

// runOne gives a command a minute.
func runOne(t *testing.T, cmd *exec.Cmd, input io.Reader, env ...string) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	limited := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	limited.Stdin, limited.Env, limited.SysProcAttr = input, append(os.Environ(), env...), cmd.SysProcAttr
	if out, err := limited.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %.300s", err, out)
	}
	return nil
}

func port(server string) string {
	_, port, _ := net.SplitHostPort(server)
	return port
}

func msmtp(server string, e errand) []string {
	return append([]string{"msmtp", "-C", "/dev/null", "--host=127.0.0.1", "--port=" + port(server), "--tls=off", "--auth=off", "--from=" + e.sender(), "--"}, e.rcpt...)
}

func snail(server string, e errand) []string {
	return append([]string{"s-nail", "-:/", "-S", "v15-compat=yes", "-S", "mta=smtp://" + server, "-S", "smtp-auth=none", "-S", "sendwait", "-S", "from=ann@client.test",
		"-S", "sendcharsets=utf-8", "-S", "ttycharset=utf-8", "-r", e.sender(), "-s", e.name}, e.rcpt...)
}

func mutt(server string, e errand) []string {
	return append([]string{"mutt", "-n", "-F", "/dev/null", "-e", "set smtp_url=smtp://" + server + "; set ssl_starttls=no; set ssl_force_tls=no; set use_envelope_from; set envelope_from_address='" +
		e.sender() + "'; set from=ann@client.test; set realname=Ann; set charset=utf-8; set copy=no; set abort_nosubject=no", "-H", e.localFile(), "--"}, e.rcpt...)
}

func swaks(server string, e errand) []string {
	from := e.from
	if from == "" {
		from = "<>"
	}
	return []string{"swaks", "--server", server, "-4", "-S", "3", "--protocol", "ESMTP", "--from", from, "--to", strings.Join(e.rcpt, ","), "--data", "@" + e.localFile()}
}

// newSSMTP has its one setting in a file.
func newSSMTP(t *testing.T, server string) func(errand) error {
	t.Helper()
	config := filepath.Join(t.TempDir(), "ssmtp.conf")
	if err := os.WriteFile(config, []byte("mailhub="+server+"\nhostname=client.test\nFromLineOverride=YES\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	bin := tool(t, "ssmtp/usr/sbin/ssmtp")
	return program(func(_ string, e errand) []string {
		return append([]string{bin, "-C", config, "-f", e.sender()}, e.rcpt...)
	})(t, server)
}

// tool is a program that .ci/tools unpacked.
func tool(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join("../../../.tools", path))
	if err != nil {
		t.Fatal(err)
	}
	needs(t, full)
	return full
}

// goClient is the standard library of Go.
func goClient(_ *testing.T, server string) func(errand) error {
	return func(e errand) error {
		return smtp.SendMail(server, nil, e.from, e.rcpt, []byte(e.text))
	}
}

func newPython(t *testing.T, server string) func(errand) error {
	return script(t, "python3", "testdata/clients/send.py", port(server))
}

func newNode(t *testing.T, server string) func(errand) error {
	return script(t, "node", "testdata/clients/send.js", port(server), filepath.Join(root(t), ".tools/mail/node_modules/nodemailer"))
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// script starts a program that sends the mails which it is told, one a line.
func script(t *testing.T, args ...string) func(errand) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	answers := bufio.NewReader(out)
	return func(e errand) error {
		return ask(in, answers, map[string]any{"from": e.from, "to": e.rcpt, "file": e.wireFile()})
	}
}

func ask(in io.Writer, answers *bufio.Reader, errand any) error {
	if err := json.NewEncoder(in).Encode(errand); err != nil {
		return err
	}
	line, err := answers.ReadString('\n')
	if err != nil {
		return err
	}
	said, err := strconv.Unquote(strings.TrimSpace(line))
	if err != nil || said == "" {
		return err
	}
	return fmt.Errorf("it says: %s", said)
}
