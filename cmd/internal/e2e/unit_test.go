package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// guarded is a lull that runs as docs/howto has it, under a real systemd.
type guarded struct {
	*machine
	far *sink
}

// unitConf is its configuration; the name of its mail server is looked up.
const unitConf = `hostname = "lull.test"
listen = [DOORS]
spool = "/var/spool/lull"
pass_budget = 0
[[smarthost]]
addr = "mail.far.test:2525"
[[rule]]
name = "letters"
class = "pass"
subject = "WORD"
`

func conf(doors, word string) string {
	return strings.NewReplacer("DOORS", doors, "WORD", word).Replace(unitConf)
}

const openDoors = `"0.0.0.0:25", "unix:/run/lull/smtp"`

// newGuarded follows the unit's own words to install it.
func newGuarded(t *testing.T) (*guarded, func() int) {
	t.Helper()
	needs(t, "swaks", "setpriv")
	bins, err := build()
	if err != nil {
		t.Fatal(err)
	}
	howto := filepath.Join(root(t), "docs/howto")
	m := bootMachine(t, `rm -rf $ROOT/etc/systemd/system/* $ROOT/etc/lull $ROOT/usr/sbin/sendmail $ROOT/etc/resolv.conf
install -m 755 $LULL $ROOT/usr/bin/lull; install -m 755 $SENDMAIL $ROOT/usr/sbin/sendmail
install -m 644 $HOWTO/lull.service $HOWTO/lull.socket $ROOT/etc/systemd/system/
echo nameserver 127.0.0.1 >$ROOT/etc/resolv.conf`, "LULL="+bins.lull, "SENDMAIL="+bins.sendmail, "HOWTO="+howto)
	if m == nil {
		return nil, nil
	}
	g := &guarded{machine: m, far: m.sink(t, "127.0.0.1:2525")}
	asked := m.names(t)
	m.put(t, "/root/lull.toml", conf(openDoors, "letter"))
	m.put(t, "/etc/lull/sendmail.conf", "server = \"unix:/run/lull/smtp\"\nspool = \"/var/spool/lull\"\nstate = \"/var/lib/lull\"\ndomain = \"client.test\"\n")
	m.shell(t, "chmod 755 /etc/lull; cd /root; set -e; "+installation(t, filepath.Join(howto, "lull.service")))
	return g, asked
}

// installation is the commands at the top of the unit.
func installation(t *testing.T, unit string) string {
	t.Helper()
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range regexp.MustCompile(`(?m)^#   (\S.*)$`).FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, m[1])
	}
	if len(lines) < 3 {
		t.Fatalf("the unit says how to install it in %q", lines)
	}
	return strings.Join(lines, "\n")
}

// put writes a file of the machine that all may read.
func (m *machine) put(t *testing.T, file, text string) {
	t.Helper()
	m.run(t, "/bin/sh", "-c", `mkdir -p "${1%/*}" && printf %s "$2" >"$1" && chmod 644 "$1"`, "put", file, text)
}

// mail sends one over port 25, with a word in its subject.
func (g *guarded) mail(t *testing.T, word string) {
	t.Helper()
	g.run(t, "swaks", "--silent", "3", "--server", "127.0.0.1:25", "--helo", "client.test", "--from", "ann@client.test",
		"--to", word+"@far.test", "--h-Subject", "a "+word)
}

// come waits until a mail is at the far end, once.
func (g *guarded) come(t *testing.T, to string) {
	t.Helper()
	n := 0
	until(t, 100*time.Second, "the mail to "+to+" arrives", func() bool {
		n = 0
		for _, a := range g.far.arrivals() {
			if a.to == to {
				n++
			}
		}
		return n > 0
	})
	if n != 1 {
		t.Errorf("the mail to %s came %d times", to, n)
	}
}

// local sends a mail through our sendmail as a user without rights.
func (g *guarded) local(t *testing.T, to string) {
	t.Helper()
	g.shell(t, `printf 'Subject: letter\n\nhello\n' | setpriv --reuid=www-data --regid=www-data --clear-groups sendmail -i `+to)
}

func (g *guarded) active(t *testing.T) {
	t.Helper()
	if state := g.property(t, "lull", "ActiveState"); state != "active" {
		t.Fatalf("lull is %s\n%s", state, g.journal())
	}
}

func (g *guarded) journal() string {
	text, _ := g.try("journalctl", "--no-pager", "--output=cat", "--unit=lull")
	return text
}

// TestUnit: nothing of the hardening is in the way of lull, and all of it in
// the way of others.
func TestUnit(t *testing.T) {
	verifies(t)
	g, asked := newGuarded(t)
	if g == nil {
		return // all that can be shown here
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the journal:\n%s", g.journal())
		}
	})
	g.active(t)
	if said := g.property(t, "lull", "StatusText"); !strings.Contains(said, "25") {
		t.Errorf("systemctl status says %q", said)
	}
	g.mail(t, "letter")
	g.come(t, "letter@far.test")
	g.local(t, "door@far.test")
	g.come(t, "door@far.test")
	if asked() == 0 {
		t.Error("nobody asked for a name")
	}
	t.Run("reload", g.reloads)
	t.Run("spool", g.spools)
	t.Run("kill", g.survives)
	t.Run("hardening", g.holds)
	t.Run("socket", g.inherits)
	t.Run("stop", g.stops)
}

// verifies: systemd finds no fault in what the units say, but that their
// programs are not installed here.
func verifies(t *testing.T) {
	howto := filepath.Join(root(t), "docs/howto")
	needs(t, "systemd-analyze")
	out, _ := exec.Command("systemd-analyze", "verify", filepath.Join(howto, "lull.service"), filepath.Join(howto, "lull.socket")).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "lull.") && !strings.Contains(line, "Command ") {
			t.Error(line)
		}
	}
}

// reloads: a new rule counts from then on.
func (g *guarded) reloads(t *testing.T) {
	g.put(t, "/etc/lull/lull.toml", conf(openDoors, "paper"))
	g.run(t, "systemctl", "reload", "lull")
	g.active(t)
	g.mail(t, "paper")
	g.come(t, "paper@far.test")
	g.put(t, "/etc/lull/lull.toml", conf(openDoors, "letter"))
	g.run(t, "systemctl", "restart", "lull")
	g.active(t)
}

// spools: what a user leaves while lull is away is taken when it comes back.
func (g *guarded) spools(t *testing.T) {
	g.run(t, "systemctl", "stop", "lull")
	g.local(t, "spooled@far.test")
	if out, err := g.try("setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", "ls", "/var/spool/lull/new"); err == nil {
		t.Errorf("anybody can list the spool: %s", out)
	}
	g.run(t, "systemctl", "start", "lull")
	g.come(t, "spooled@far.test")
}

// survives: after a kill it is back by itself, and knows what it had.
func (g *guarded) survives(t *testing.T) {
	g.run(t, "systemctl", "kill", "--signal=KILL", "lull")
	until(t, 60*time.Second, "lull is back", func() bool {
		return g.property(t, "lull", "NRestarts") == "1" && g.property(t, "lull", "ActiveState") == "active"
	})
	if out := g.run(t, "lull", "verify", "--json", "--state", "/var/lib/lull"); !strings.Contains(out, `"accepted":4`) || !strings.Contains(out, `"differences":0`) {
		t.Errorf("lull verify: %s", out)
	}
}

// holds: the kernel keeps the service in.
func (g *guarded) holds(t *testing.T) {
	status, err := os.ReadFile("/proc/" + g.hostPid(t, g.property(t, "lull", "MainPID")) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	const bind = "0000000000000400" // CAP_NET_BIND_SERVICE
	for _, want := range []string{"CapEff:\t" + bind, "CapBnd:\t" + bind, "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), want+"\n") {
			t.Errorf("its process has not %q:\n%s", want, status)
		}
	}
	enter := []string{"nsenter", "--target", g.property(t, "lull", "MainPID"), "--mount", "--"}
	for _, line := range []string{"touch /etc/passwd", "touch /usr/x", "touch /var/spool/x", "ls /root/lull.toml", "ls /dev/kmsg", "echo 1 >/proc/sys/vm/drop_caches"} {
		if out, err := g.try(append(enter, "/bin/sh", "-c", line)...); err == nil {
			t.Errorf("%s works: %s", line, out)
		}
	}
	out := g.run(t, "systemd-analyze", "security", "--no-pager", "--threshold=18", "lull")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	t.Log(lines[len(lines)-1])
}

// inherits: systemd opens the doors, and a client waits while lull restarts.
func (g *guarded) inherits(t *testing.T) {
	g.run(t, "systemctl", "stop", "lull")
	g.put(t, "/etc/lull/lull.toml", conf(`"systemd:lull.socket", "unix:/run/lull/smtp"`, "letter"))
	g.run(t, "systemctl", "start", "lull.socket")
	g.shell(t, "swaks --silent 3 --server 127.0.0.1:25 --helo client.test --from ann@client.test --to first@far.test --h-Subject letter")
	g.active(t)
	g.shell(t, `systemctl restart --no-block lull; for i in 1 2 3 4 5; do
	swaks --silent 3 --server 127.0.0.1:25 --helo client.test --from ann@client.test --to restart$i@far.test --h-Subject letter || exit 1; done`)
	g.come(t, "first@far.test")
	for _, i := range "12345" {
		g.come(t, "restart"+string(i)+"@far.test")
	}
}

// stops: an ordered stop ends well, and nothing was forbidden on the way.
func (g *guarded) stops(t *testing.T) {
	g.run(t, "systemctl", "stop", "lull.socket", "lull")
	for name, want := range map[string]string{"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"} {
		if got := g.property(t, "lull", name); got != want {
			t.Errorf("%s=%s", name, got)
		}
	}
	for _, word := range []string{"permission", "not permitted", "read-only", "level=ERROR"} {
		if text := g.journal(); strings.Contains(text, word) {
			t.Errorf("the journal has %q", word)
		}
	}
}
