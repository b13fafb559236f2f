package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// local is a machine whose programs send through our sendmail.
type local struct {
	*daemon
	far      *sink
	sendmail string
	spool    string
	dir      string
	env      []string
}

// newLocal starts a daemon, and settings for sendmail that name it. Mail with
// the word "letter" in its subject is passed as it is.
func newLocal(t *testing.T) *local {
	t.Helper()
	bins, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	openUp(t, dir)
	openUp(t, filepath.Dir(bins.sendmail))
	l := &local{far: newSink(t), sendmail: bins.sendmail, dir: dir, spool: filepath.Join(dir, "spool")}
	config := filepath.Join(dir, "lull.toml")
	l.put(t, "lull.toml", "spool = %q\n[[rule]]\nname = 'letters'\nclass = 'pass'\nsubject = 'letter'\n", l.spool)
	l.daemon = serve(t, l.far.addr, "--config", config)
	l.put(t, "sendmail.conf", "server = %q\nspool = %q\nstate = %q\ndomain = 'example.org'\n", l.addr, l.spool, l.state)
	l.env = append(os.Environ(), "LULL_SENDMAIL="+filepath.Join(dir, "sendmail.conf"), "HOME="+dir)
	return l
}

func (l *local) put(t *testing.T, name, text string, args ...any) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), fmt.Appendf(nil, text, args...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// shell runs a line of shell with $SENDMAIL, as a user.
func (l *local) shell(t *testing.T, uid uint32, line string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
	cmd.Dir, cmd.Env = l.dir, append(slices.Clip(l.env), "SENDMAIL="+l.sendmail)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// writers are lines of shell that send the letter "letter by WRITER" from
// www@example.org, as programs of Debian do. ROUND is replaced.
var writers = map[string]string{
	"cron":   `printf 'From: root (Cron Daemon)\nTo: cron-ROUND\nSubject: letter by cron\nX: y\n\nbär\n.\nFrom here\n' | "$SENDMAIL" -FCronDaemon -i -B8BITMIME -oem -f www cron-ROUND`,
	"mailx":  `printf 'bär\n\nFrom here\n' | MAILRC=mailrc bsd-mailx -r www@example.org -s 'letter by mailx' mailx-ROUND`,
	"snail":  `printf 'bär\n.\nFrom here\n' | s-nail -:/ -S sendcharsets=utf-8 -S ttycharset=utf-8 -S from=www@example.org -S mta="$SENDMAIL" -r www@example.org -s 'letter by snail' snail-ROUND@example.org`,
	"mutt":   `printf 'bär\n.\nFrom here\n' | mutt -n -F /dev/null -e 'set sendmail="'"$SENDMAIL"' -oem -oi"; set use_envelope_from; set from=www@example.org; set charset=utf-8; set copy=no' -s 'letter by mutt' mutt-ROUND@example.org`,
	"git":    `git send-email --quiet --confirm=never --suppress-cc=all --sendmail-cmd="$SENDMAIL -i" --from=www@example.org --envelope-sender=www@example.org --to=git-ROUND@example.org patch.eml`,
	"python": `python3 send.py python-ROUND`,
	"php":    `php -d sendmail_path="$SENDMAIL -t -i -f www" -r 'exit(mail("php-ROUND@example.org", "letter by php", "bär\n.\nFrom here\n", "From: www@example.org\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nBcc: php-bcc-ROUND@example.org") ? 0 : 1);'`,
}

const python = `import email.message, os, subprocess, sys
m = email.message.EmailMessage()
m["Subject"], m["From"], m["To"] = "letter by python", "www@example.org", sys.argv[1] + "@example.org"
m.set_content("b\u00e4r\n.\nFrom here\n")
subprocess.run([os.environ["SENDMAIL"], "-t", "-oi", "-f", "www"], input=m.as_bytes(), check=True)
`

// TestPrograms: what programs send arrives, whether lull is there or away.
func TestPrograms(t *testing.T) {
	needs(t, "bsd-mailx", "s-nail", "mutt", "git", "python3", "php")
	l := newLocal(t)
	l.put(t, "mailrc", "set sendmail=%s\n", l.sendmail)
	l.put(t, "send.py", "%s", python)
	l.put(t, "patch.eml", "From 1234 Mon Sep 17 00:00:00 2001\nFrom: A <www@example.org>\nDate: Mon, 7 Oct 2019 08:00:00 +0000\nSubject: [PATCH] letter by git\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\nbär\n.\nFrom here\n---\n x | 1 +\n")
	l.write(t, "there")
	l.stop(syscall.SIGTERM)
	l.write(t, "away")
	if left, err := os.ReadDir(filepath.Join(l.spool, "new")); err != nil || len(left) != len(writers) {
		t.Errorf("the spool has %d mails of %d, %v", len(left), len(writers), err)
	}
	l.restart(t)
	all := 2 * (len(writers) + 1) // PHP's has a hidden recipient
	until(t, 30*time.Second, "all letters arrive", func() bool { return len(l.far.arrivals()) >= all })
	l.check(t, all)
	l.audit(t)
}

func (l *local) write(t *testing.T, round string) {
	t.Helper()
	for name, line := range writers {
		if out, err := l.shell(t, 0, strings.ReplaceAll(line, "ROUND", round)); err != nil {
			t.Errorf("%s with lull %s: %v\n%s", name, round, err, out)
		}
	}
}

// check looks at each letter at the far end.
func (l *local) check(t *testing.T, all int) {
	t.Helper()
	seen := map[string]bool{}
	for _, a := range l.far.arrivals() {
		writer, _, _ := strings.Cut(a.to, "-")
		seen[a.to] = true
		text := string(a.body)
		head, body, _ := strings.Cut(text, "\r\n\r\n")
		if a.from != "www@example.org" || !strings.Contains(head, "letter by "+writer) || !strings.Contains(body, "rom here\r\n") {
			t.Errorf("%s sent %s to %s:\n%s", writer, a.from, a.to, text)
		}
		for _, name := range []string{"Date:", "Message-ID:", "From:"} {
			if n := strings.Count(strings.ToLower("\n"+head), "\n"+strings.ToLower(name)); n != 1 {
				t.Errorf("%s: %d fields %s", writer, n, name)
			}
		}
		if strings.Contains(strings.ToLower(strings.ReplaceAll(head, a.to, "")), "bcc") || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
			t.Errorf("%s: a hidden recipient or a bare LF in %q", writer, text)
		}
	}
	if len(seen) != all {
		t.Errorf("%d recipients of %d: %v", len(seen), all, seen)
	}
}

// TestAnybodyMaySpool: a user without rights may leave mail, and cannot see
// that of others; mailq lists what waits.
func TestAnybodyMaySpool(t *testing.T) {
	needs(t)
	l := newLocal(t)
	l.stop(syscall.SIGTERM)
	const www, other = 65501, 65502
	if out, err := l.shell(t, www, `umask 077; printf 'Subject: Cron <www@web1> backup\nX-Cron-Env: <A=B>\n\nfailed\n' | "$SENDMAIL" -i ops`); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(l.spool, "new", "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("the spool has %v, %v", names, err)
	}
	if info, err := os.Stat(names[0]); err != nil || info.Mode().Perm() != 0o640 || info.Sys().(*syscall.Stat_t).Gid != 0 {
		t.Errorf("%+v, %v", info, err)
	}
	for _, line := range []string{"cat " + names[0], "rm -f " + names[0], "mv " + names[0] + " " + names[0] + "x", "ls " + l.spool + "/new", `"$SENDMAIL" -bp`, `"$SENDMAIL" -q`} {
		if out, err := l.shell(t, other, line); err == nil {
			t.Errorf("%s worked for another user: %s", line, out)
		}
	}
	l.restart(t)
	mailq := filepath.Join(l.dir, "mailq")
	if err := os.Symlink(l.sendmail, mailq); err != nil {
		t.Fatal(err)
	}
	until(t, 30*time.Second, "the mail waits in the queue", func() bool {
		out, err := l.shell(t, 0, mailq)
		return err == nil && strings.Contains(out, "<65501@example.org>\n          ops@example.org\n") && !strings.Contains(out, filepath.Base(names[0]))
	})
	l.audit(t)
}
