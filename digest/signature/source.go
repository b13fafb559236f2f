package signature

import (
	"slices"
	"strings"
)

// sender is who a mail says it is from.
type sender struct {
	text          string // "Name <a@b>", decoded
	name          string
	local, domain string // of the address, in lower case
}

// parseSender reads a From field: "Name <a@b>", "a@b (Name)", "a@b", a bare
// name, or what archives make of them: "a at b (Name)".
func parseSender(value string) sender {
	text := clean(decodeWords(value), 256)
	s := sender{text: text}
	address := text
	if open := strings.LastIndexByte(text, '<'); open >= 0 {
		s.name = strings.Trim(text[:open], ` "'`)
		address = before(text[open+1:], ">")
	} else if open := strings.IndexByte(text, '('); open > 0 {
		s.name = strings.Trim(text[open:], ` "()`)
		address = text[:open]
	}
	address = strings.ToLower(strings.TrimSpace(address))
	if local, domain, found := strings.Cut(address, " at "); found {
		address = local + "@" + domain
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		s.local = cut(address, 128)
		return s
	}
	s.local, s.domain = cut(address[:at], 128), cut(strings.Trim(address[at+1:], ". "), 253)
	return s
}

// senders says how much of the sender is part of the source.
type senders uint8

const (
	byProgram senders = iota // the mail says which program wrote it: only the organisation
	byRole                   // many programs write so: the role tells which
	byNobody                 // any user of any host may send it
)

// source is in whose name a mail was sent: the role, which is the local part
// without what varies, and the organisation, which is the domain without its
// hosts. Where programs of a host send as its root the host is no source but
// an object: a fleet has many, under several domains and none.
func (s sender) source(by senders) string {
	if by == byNobody || by == byProgram && s.domain == "" {
		return ""
	}
	role, domain := "", ""
	if by == byRole {
		role = string(appendConstant(nil, before(s.local, "+")))
	}
	if s.hostName() == "" && (by == byRole || !isSystemRole(s.local)) {
		domain = organisation(s.domain)
	}
	if domain == "" {
		return role
	}
	return role + "@" + domain
}

// organisation is the domain without host names: its last two labels, three
// below a suffix such as co.uk, nothing of a bare host name.
func organisation(domain string) string {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return ""
	}
	keep := 2
	if n := len(labels); n > 2 && len(labels[n-1]) == 2 && isSecondLevel(labels[n-2]) {
		keep = 3
	}
	return strings.Join(labels[max(0, len(labels)-keep):], ".")
}

func isSecondLevel(label string) bool {
	switch label {
	case "co", "com", "org", "net", "ac", "edu", "gov", "gob", "go", "or", "ne", "gouv", "mil", "sch":
		return true
	}
	return false
}

// hostName is the host that the sender's domain names, "" if it names none:
// the domain of root@web1.example.org, not that of noreply@example.org.
func (s sender) hostName() string {
	if !isSystemRole(s.local) {
		return ""
	}
	if strings.IndexByte(s.domain, '.') < 0 || s.domain != organisation(s.domain) {
		return s.domain
	}
	return ""
}

// isSystemRole reports whether a local part is that of programs on a host.
func isSystemRole(local string) bool {
	switch local {
	case "root", "cron", "crond", "daemon", "nobody", "www-data", "nagios", "icinga", "monit", "mdadm", "smartd", "zfs", "zed", "backup", "operator", "admin",
		"logcheck", "logwatch", "fail2ban", "ossec", "ossecm", "wazuh", "apache", "mail", "mailer-daemon", "postmaster", "anacron", "netdata", "munin", "sge", "slurm",
		"nut", "ups", "condor", "hobbit", "xymon", "bacula", "bareos", "amanda", "backuppc", "postgres", "mysql", "puppet", "ceph", "arpwatch",
		"tripwire", "samhain", "wordpress", "truenas", "freenas", "pfsense", "opnsense", "firewall", "clamav", "virusalert":
		return true
	}
	return false
}

// robot is the word in the sender's name or address by which it is a program,
// or a role in which programs write, or "". Words for a program come first.
func (s sender) robot() string {
	words := s.words()
	if i := slices.IndexFunc(words, isBotWord); i >= 0 {
		return words[i]
	}
	if s.domain == "github.com" {
		return "github" // in the name of people, who do not write mail there
	}
	for _, silent := range [...]string{"no-reply", "no_reply", "no.reply", "do-not-reply", "do_not_reply", "dont-reply"} {
		if strings.HasPrefix(s.local, silent) {
			return "noreply"
		}
	}
	if isSystemRole(s.local) || isWatcher(s.local) {
		return s.local
	}
	if i := slices.IndexFunc(words, isRobotWord); i >= 0 {
		return words[i]
	}
	return ""
}

// isBotWord reports whether a word says that a program writes.
func isBotWord(word string) bool {
	switch word {
	case "bot", "robot", "noreply", "donotreply", "daemon":
		return true
	case "abbot", "talbot", "cabot", "elbot":
		return false
	}
	return len(word) > 4 && strings.HasSuffix(word, "bot")
}

// isWatcher reports whether a local part ends as programs that watch are
// called: certwatch, disk-alerts.
func isWatcher(local string) bool {
	for _, end := range [...]string{"watch", "monitor", "monitoring", "alert", "alerts", "alarm", "notify", "notifier", "checker", "daemon"} {
		if strings.HasSuffix(local, end) {
			return true
		}
	}
	return local == "builder" || local == "foreman"
}

// words are those of the sender's address, but for its domain, and name.
func (s sender) words() []string {
	return strings.FieldsFunc(strings.ToLower(before(s.local, "+")+" "+s.name), func(r rune) bool { return r < 'a' || r > 'z' })
}

// isAlarm reports whether a sender is there to tell of trouble, by its name or
// address: alerts@, ElastAlert.
func (s sender) isAlarm() bool {
	return slices.ContainsFunc(s.words(), func(word string) bool {
		word = strings.TrimSuffix(word, "s")
		return strings.HasSuffix(word, "alert") || strings.HasSuffix(word, "alarm")
	})
}

// isRobotWord reports whether a word names a program, or a role in which
// programs write.
func isRobotWord(word string) bool {
	return robotWords[word]
}

// robotWords are the names of programs by which their senders go, and roles in
// which programs write.
var robotWords = wordSet(`
	jenkins buildd autobuild autobuilder builds travis circleci appveyor buildbot buildkite teamcity bamboo gitlab gitea gerrit
	nagios naemon icinga shinken centreon zabbix sensu checkmk monit munin cacti librenms observium opennms smokeping xymon prtg netdata zenoss solarwinds
	prometheus alertmanager grafana graylog splunk elastalert elasticsearch kibana logstash gatus kuma healthchecks uptime uptimerobot pingdom statuscake
	statuspage pagerduty opsgenie victorops datadog newrelic cloudwatch
	alert alerts alerting alarm alarms monitor monitoring watchdog notification notifications notifier notify
	cron anacron root systemd systemdtimer scheduler airflow puppet ansible saltstack rundeck
	backup backups bacula bareos veeam amanda amandabackup backuppc borgmatic vzdump proxmox
	smartd mdadm zed apcupsd nut idrac diskstation synology qnap truenas freenas megaraid arpwatch
	logwatch logcheck ossec wazuh rkhunter chkrootkit tripwire samhain snort suricata crowdsec clamav apticron certbot
	sge slurm gridengine ceph rabbitmq postgres postgresql patroni pgbackrest keepalived haproxy drbd pacemaker
	bugzilla sentry phabricator redmine jira github wordpress exception exceptions errors automation automated automatic autotest
	kernelci osstest lava patchwork patchew lkp
`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// isImpersonal reports whether a sender has no name besides the address, as
// programs have that nobody gave one.
func (s sender) isImpersonal() bool {
	return s.domain != "" && strings.IndexByte(s.local, '.') < 0 && strings.IndexByte(strings.TrimSpace(s.name), ' ') < 0
}
