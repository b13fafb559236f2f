package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// server is a real mail server that relays everything to one next hop.
type server struct {
	*process
	addr string
	dir  string // its queue lies in
}

// settings fill the configuration templates.
type settings struct {
	Dir, Tools string
	Port       int
	NextHost   string
	NextPort   int
	Chunking   string // of Exim: the hosts that get BDAT
}

// newServer starts Debian's Exim or Postfix.
type newServer func(t *testing.T, next string) *server

func write(t *testing.T, file, text string, s settings) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := template.Must(template.New(file).Parse(text)).Execute(f, s); err != nil {
		t.Fatal(err)
	}
}

func newSettings(t *testing.T, next string) settings {
	t.Helper()
	s := settings{Dir: t.TempDir(), Port: freePort(t), NextHost: "127.0.0.1"}
	if _, err := fmt.Sscanf(next, "127.0.0.1:%d", &s.NextPort); err != nil {
		t.Fatalf("next hop %q: %v", next, err)
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	s.Tools = filepath.Join(root, ".tools/postfix")
	return s
}

func (s settings) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }

// newExim sends in chunks, as it does by itself.
func newExim(t *testing.T, next string) *server { return newEximWith(t, next, "*") }

// newEximData sends without chunks.
func newEximData(t *testing.T, next string) *server { return newEximWith(t, next, "") }

func newEximWith(t *testing.T, next, chunking string) *server {
	t.Helper()
	needs(t, "exim4")
	s := newSettings(t, next)
	s.Chunking = chunking
	openUp(t, s.Dir)
	chownToMailOwner(t, s.Dir)
	conf := filepath.Join(s.Dir, "exim.conf")
	write(t, conf, eximConf, s)
	p := start(t, nil, "exim4", "-C", conf, "-bdf", "-q2s", "-oX", s.addr())
	until(t, 20*time.Second, "exim answers", func() bool { return answers(s.addr()) })
	return &server{process: p, addr: s.addr(), dir: s.Dir}
}

const eximConf = `
primary_hostname = exim.test
qualify_domain = exim.test
spool_directory = {{.Dir}}/spool
log_file_path = {{.Dir}}/%slog
exim_user = news
exim_group = news
acl_smtp_rcpt = accept
acl_smtp_data = accept
smtp_accept_max = 200
smtp_accept_max_per_connection = 100000
remote_max_parallel = 4
queue_run_max = 3
dsn_advertise_hosts = *
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
message_size_limit = 60M
timeout_frozen_after = 1h

begin routers
smarthost:
  driver = manualroute
  route_list = * {{.NextHost}}
  self = send
  transport = next

begin transports
next:
  driver = smtp
  port = {{.NextPort}}
  allow_localhost
  message_linelength_limit = 100000000
  hosts_avoid_tls = *
  hosts_try_chunking = {{.Chunking}}
  connection_max_messages = 500

begin retry
* * F,1h,2s
`

func newPostfix(t *testing.T, next string) *server { return newPostfixWith(t, next, "") }

// newPostfixWith has more lines of main.cf.
func newPostfixWith(t *testing.T, next, settings string) *server {
	t.Helper()
	s := newSettings(t, next)
	postfix := filepath.Join(s.Tools, "usr/sbin/postfix")
	needs(t, postfix)
	for _, dir := range []string{"conf", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(s.Dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	openUp(t, s.Dir)
	chownToMailOwner(t, filepath.Join(s.Dir, "data"))
	write(t, filepath.Join(s.Dir, "conf/main.cf"), postfixMain+settings, s)
	write(t, filepath.Join(s.Dir, "conf/master.cf"), postfixMaster, s)
	env := []string{"LD_LIBRARY_PATH=" + filepath.Join(s.Tools, "usr/lib/postfix")}
	p := start(t, env, postfix, "-c", filepath.Join(s.Dir, "conf"), "start-fg")
	t.Cleanup(func() { endMaster(t, filepath.Join(s.Dir, "queue/pid/master.pid")) })
	until(t, 20*time.Second, "postfix answers", func() bool { return answers(s.addr()) })
	return &server{process: p, addr: s.addr(), dir: s.Dir}
}

// endMaster ends Postfix's master, which leaves the process group that it was
// started in; its children end with it.
func endMaster(t *testing.T, pidFile string) {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return // it never came up
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Errorf("%s: %v", pidFile, err)
		return
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Logf("end of postfix: %v", err)
	}
}

const postfixMain = `
compatibility_level = 3.6
command_directory = {{.Tools}}/usr/sbin
daemon_directory = {{.Tools}}/usr/lib/postfix/sbin
shlib_directory = {{.Tools}}/usr/lib/postfix
queue_directory = {{.Dir}}/queue
data_directory = {{.Dir}}/data
meta_directory = {{.Tools}}/etc/postfix
mail_owner = news
setgid_group = uucp
default_privs = nobody
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [{{.NextHost}}]:{{.NextPort}}
smtp_dns_support_level = disabled
smtp_destination_concurrency_limit = 20
smtp_destination_concurrency_failed_cohort_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 5s
message_size_limit = 60000000
mailbox_size_limit = 0
alias_maps =
alias_database =
maillog_file = /dev/stdout
maillog_file_prefixes = /
`

const postfixMaster = `
127.0.0.1:{{.Port}} inet n - n - 100 smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
`
