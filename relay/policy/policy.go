// Package policy decides the class of a copy: whether it is told in digests
// (alert) or relayed as it is (pass). It is pure: the same mail and the same
// rules give the same decision, on every machine and at any time.
//
// The order, first match wins:
//
//  1. a digest of a lull, which must not be digested again: pass
//  2. the rules of the configuration, in their order
//  3. the null sender and reports about mail (bounces): pass
//  4. a person who answers or forwards another mail: pass
//  5. a recognised alert format: alert
//  6. a mark that only programs set: alert
//  7. a role as sender (root@, nagios@, …) in whose name nobody else writes: alert
//  8. everything else: pass
package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lull/store"
)

// Input is what a decision rests on.
type Input struct {
	Envelope store.Envelope
	To       string // forward-path of the copy
	Reading  *store.Reading
}

// Decision is the class of one copy and, in a few words, why.
type Decision struct {
	Class  store.Class
	Reason string
}

// Policy is a compiled list of rules. It is immutable and safe for use by
// many goroutines at once.
type Policy struct {
	rules []matcher
}

// New compiles the rules. The error names every fault of every rule.
func New(rules []Rule) (*Policy, error) {
	p := &Policy{rules: make([]matcher, 0, len(rules))}
	var faults []error
	for i, r := range rules {
		m, err := r.compile()
		if err != nil {
			faults = append(faults, fmt.Errorf("policy rule %d %q: %w", i+1, r.Name, err))
			continue
		}
		p.rules = append(p.rules, m)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// Decide gives the class of one copy.
func (p *Policy) Decide(in Input) Decision {
	if in.Reading.Digest != "" || slices.Contains(in.Reading.Marks, "x-lull-digest") {
		return Decision{store.Pass, "is a digest of " + orElse(in.Reading.DigestHost, "a lull")}
	}
	for i := range p.rules {
		if p.rules[i].match(in) {
			return Decision{p.rules[i].class, "rule " + p.rules[i].name}
		}
	}
	return byNature(in)
}

// byNature decides without rules.
func byNature(in Input) Decision {
	r := in.Reading
	switch {
	case in.Envelope.From == "":
		return Decision{store.Pass, "null sender"}
	case slices.Contains(r.Marks, "bounce"):
		return Decision{store.Pass, "reports about a mail"}
	case slices.Contains(r.Marks, "auto-replied") && !recognised(r.Signature.Format) && !slices.ContainsFunc(r.Marks, byRobot):
		return Decision{store.Pass, "a mailer answers for a person"}
	case byPerson(r) && !slices.ContainsFunc(r.Marks, byRobot):
		return Decision{store.Pass, "answers or forwards a mail"}
	case slices.Contains(r.Marks, "personal") && !(recognised(r.Signature.Format) && tellsTrouble(r)):
		return Decision{store.Pass, "for one person"}
	case recognised(r.Signature.Format):
		return Decision{store.Alert, "format " + r.Signature.Format}
	}
	if mark := automation(r.Marks); mark != "" {
		return Decision{store.Alert, "mark " + mark}
	}
	if role := roleOf(in.Envelope.From); role != "" && !r.Answers && !otherAuthor(r.From) {
		return Decision{store.Alert, "role sender " + role}
	}
	return Decision{store.Pass, "no sign of an alert"}
}

// byPerson reports whether a subject says that somebody answers or forwards.
// Most programs thread their mails by References alone.
func byPerson(r *store.Reading) bool {
	word, _, found := strings.Cut(r.Subject, ":")
	if !found {
		return false
	}
	switch strings.ToLower(word) {
	case "fwd", "fw", "wg", "tr":
		return !slices.ContainsFunc(r.Marks, byProgram) // a filter forwards under the program's name
	case "re", "aw", "sv", "antw", "odp", "vs":
		return r.Answers
	}
	return false
}

// byProgram reports whether a mark says that the sender is a program, by its
// name or address.
func byProgram(mark string) bool {
	switch mark {
	case "robot:text", "robot:name", "robot:state":
		return false
	}
	return strings.HasPrefix(mark, "robot:")
}

// byRobot reports whether a mark says that a program writes, even where it
// answers a person as robots do that test patches.
func byRobot(mark string) bool {
	switch mark {
	case "auto-submitted", "robot:robot", "robot:daemon", "robot:noreply", "robot:bugzilla", "robot:github", "robot:lkp":
		return true
	}
	return strings.HasPrefix(mark, "robot:") && strings.HasSuffix(mark, "bot")
}

// tellsTrouble reports whether a mail tells of anything but a notice: the build
// of a newsletter fails like any other.
func tellsTrouble(r *store.Reading) bool {
	return len(r.Reports) > 0 && (r.Reports[0].State != store.Notice || r.Reports[0].Kind != "")
}

// recognised reports whether a format is that of an alert.
func recognised(format string) bool {
	switch format {
	case "", "generic", "unreadable":
		return false
	}
	return true
}

// automation is the first mark that only programs set, "" if there is none.
func automation(marks []string) string {
	i := slices.IndexFunc(marks, telling)
	if i < 0 {
		return ""
	}
	return marks[i]
}

// telling reports whether a mark is set by programs alone. The others stand in
// mail of people as well: every human post to a mailing list has a List-Id and
// Precedence: bulk or list, X-Auto-Response-Suppress only asks others not to
// answer, Feedback-ID is added by senders of newsletters and of passwords, a
// vacation note answers for a person, and most mailers name themselves.
func telling(mark string) bool {
	kind, value, _ := strings.Cut(mark, ":")
	switch kind {
	case "precedence", "list-id", "list-unsubscribe", "x-auto-response-suppress", "feedback-id", "bounce", "auto-replied", "personal":
		return false
	case "x-mailer", "user-agent":
		return roleOf(value) != ""
	}
	return true
}

// roleOf is the role that an address speaks for, "" if it is a person's.
func roleOf(address string) string {
	local := address
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		local = address[:at]
	}
	local = strings.ToLower(strings.Trim(local, `"`))
	local, _, _ = strings.Cut(local, "+")
	switch local {
	case "root", "daemon", "cron", "crond", "anacron", "at", "systemd", "nobody",
		"www-data", "apache", "httpd", "nginx",
		"nagios", "naemon", "icinga", "icinga2", "shinken", "zabbix", "sensu", "monit", "munin",
		"monitoring", "monitor", "netdata", "prometheus", "alertmanager", "grafana", "alert", "alerts", "alarm", "alarms",
		"puppet", "ansible", "jenkins", "backup", "backups", "bacula", "bareos", "amanda",
		"smartd", "mdadm", "zed", "logwatch", "logcheck", "fail2ban", "ossec", "wazuh", "apticron",
		"sge", "sgeadmin", "gridengine", "slurm":
		return local
	}
	return ""
}

// otherAuthor reports whether the header From names somebody who is no role:
// a contact form sends as www-data@ in the name of a visitor.
func otherAuthor(from string) bool {
	open := strings.LastIndexByte(from, '<')
	address := strings.Trim(from[open+1:], "<> ")
	return strings.Contains(address, "@") && roleOf(address) == ""
}

func orElse(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}
