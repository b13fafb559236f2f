package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/textproto"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestImport takes the backlog of a real Exim and a real Postfix over: the
// envelope and the bytes arrive, a second run adds nothing.
func TestImport(t *testing.T) {
	needs(t)
	for name, newServer := range map[string]newServer{"exim": newExim, "postfix": newPostfix} {
		t.Run(name, func(t *testing.T) {
			nobody := fmt.Sprintf("127.0.0.1:%d", freePort(t)) // so that all of it stays where it is
			s := newServer(t, nobody)
			backlogOf(t, s.addr)
			d := serve(t, nobody)
			queue := filepath.Join(s.dir, map[string]string{"exim": "spool", "postfix": "queue"}[name])
			until(t, 20*time.Second, "the whole backlog is at rest", func() bool {
				found := d.object(t, "import", name, queue)
				return count(found, "new") == 4 && count(found, "failed") == 0
			})
			s.stop(syscall.SIGTERM)
			if got := d.object(t, "import", name, queue, "--yes"); count(got, "imported") != 4 || count(got, "failed") != 0 {
				t.Fatalf("imported: %v", got)
			}
			if got := d.object(t, "import", name, queue, "--yes"); count(got, "imported") != 0 || count(got, "known") != 4 {
				t.Errorf("the second run: %v", got)
			}
			compareBacklog(t, d)
		})
	}
}

// backlogText is awkward: dots, a long line, eight-bit, "From ".
var backlogText = "Subject: Cron <root@web> backup\r\nX-Cron-Env: <A=B>\r\n\r\n.\r\n..dot\r\nFrom here\r\n" + strings.Repeat("z", 900) + "\r\nü \r\n"

// backlogOf leaves two mails: one of three recipients that ask for different
// reports, which are three messages, and one of the null sender.
func backlogOf(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := textproto.NewConn(conn)
	stuffed := strings.ReplaceAll("\r\n"+backlogText, "\r\n.", "\r\n..")[2:] + "."
	for _, say := range []string{
		"", "EHLO client.example",
		`MAIL FROM:<"a b"@a.example> RET=HDRS ENVID=q+2B1`, "RCPT TO:<ops@example.org> NOTIFY=SUCCESS,DELAY",
		"RCPT TO:<dev@example.org>", `RCPT TO:<"c d"@example.org> NOTIFY=NEVER`, "DATA", stuffed,
		"MAIL FROM:<>", "RCPT TO:<dev@example.org>", "DATA", stuffed, "QUIT",
	} {
		if say != "" {
			fmt.Fprint(conn, say+"\r\n")
		}
		if code, text, err := c.ReadResponse(0); err != nil || code >= 400 {
			t.Fatalf("%.60q is answered %d %s, %v", say, code, text, err)
		}
	}
}

func compareBacklog(t *testing.T, d *daemon) {
	t.Helper()
	got := map[string]int{}
	for _, c := range d.objects(t, "list") {
		got[fmt.Sprintf("%v to %v", c["from"], c["to"])]++
		raw, err := exec.Command(d.bin, "show", c["id"].(string), "--raw", "--state", d.state).Output()
		if _, body, _ := bytes.Cut(raw, []byte("\r\n\r\n")); err != nil || !strings.HasSuffix(backlogText, "\r\n\r\n"+string(body)) || len(body) == 0 {
			t.Errorf("%v: %v, the bytes are others: %q", c["id"], err, raw)
		}
		options, _ := d.objects(t, "show", c["id"].(string))[0]["options"].(map[string]any)
		if c["to"] == "ops@example.org" && (options["notify"] != "SUCCESS,DELAY" || options["envid"] != "q+1" || options["ret"] != "HDRS") {
			t.Errorf("options %v", options)
		}
	}
	want := map[string]int{
		`"a b"@a.example to ops@example.org`: 1, `"a b"@a.example to dev@example.org`: 1,
		`"a b"@a.example to "c d"@example.org`: 1, " to dev@example.org": 1,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// object is the one object that a command prints.
func (d *daemon) object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	return d.objects(t, args...)[0]
}
