package signature

import (
	"slices"
	"strings"
)

// maxRobot bounds the name of a program in a mark.
const maxRobot = 48

// maxMarks bounds the marks that are kept.
const maxMarks = 16

// marksOf lists the marks of automation in a mail, in order of appearance,
// each once:
//
//	auto-submitted             a program says so (RFC 3834), but not in answer
//	auto-replied               a program answers a mail: a vacation note
//	precedence, list-id, list-unsubscribe, x-auto-response-suppress
//	                           lists set them on mail of people as well
//	x-cron-env, x-jenkins …    a header that one program sets
//	x-mailer:monit …           a mailer that programs use
//	robot:jenkins …            the sender's name or role
//	robot:text                 the text says that a program wrote it
//	robot:name, robot:state    nothing shows a person, and the subject begins
//	                           with the sender, or tells a state as programs do
//	bounce                     a DSN, or another report about mail
//	personal                   about the reader's own account, purchases, appointments
//
// None is proof: many robots set none at all.
func (m *mail) marks() []string {
	var marks []string
	add := func(mark string) {
		if mark != "" && len(marks) < maxMarks && !slices.Contains(marks, mark) {
			marks = append(marks, mark)
		}
	}
	for _, f := range m.header {
		add(markOf(f))
	}
	if m.isBounce() {
		add("bounce")
		return marks
	}
	if m.isVacation() {
		add("auto-replied")
	}
	if m.isForOne() {
		add("personal")
	}
	switch robot := m.from.robot(); {
	case robot != "":
		add("robot:" + cut(robot, maxRobot))
	case m.saysAutomated():
		add("robot:text")
	case m.namesItself():
		add("robot:name")
	case m.statesOnly():
		add("robot:state")
	}
	return marks
}

// namesItself reports whether a sender without a name of a person stands at
// the front of the subject, as programs do that name themselves in both:
// "Splunk Alert: …" from splunk@; or its host does: "fw1.example.org - …" from
// pfsense@fw1.example.org.
func (m *mail) namesItself() bool {
	if !m.from.isImpersonal() {
		return false
	}
	if rest, found := strings.CutPrefix(m.bareFolded, m.from.local); found && len(m.from.local) >= 4 && strings.HasPrefix(rest, ": ") {
		return true
	}
	if m.isWritten() {
		return false
	}
	front := cut(m.bareFolded, 48)
	if strings.Count(m.from.domain, ".") > 1 && strings.Contains(front, m.from.domain) {
		return true
	}
	at := strings.Index(front, m.from.local)
	return len(m.from.local) >= 4 && (at == 0 || at > 0 && !isAlnum(front[at-1]))
}

// statesOnly reports whether a sender without a name of a person tells a state
// where programs tell one, as persons rarely do: "[DOWN]", "is CRITICAL"; or
// tells one at all, without any name, in a text that nobody seems to speak in.
func (m *mail) statesOnly() bool {
	if !m.from.isImpersonal() || m.isWritten() || strings.IndexByte(m.bare, '?') >= 0 {
		return false
	}
	words, weak := stateWords(m.bare)
	if slices.ContainsFunc(words, func(w stateWord) bool { return w.firm && w.use&paired != 0 }) {
		return true
	}
	return m.from.name == "" && (weak.state != "" || len(words) > 0 || m.isTitled()) && !m.isSpoken()
}

// isTitled reports whether a subject calls the mail what programs call theirs.
func (m *mail) isTitled() bool {
	for at := 0; ; {
		start, end := nextLetters(m.bare, at)
		if start == end {
			return false
		}
		switch foldWord(m.bare[start:end]) {
		case "notification", "notifications", "notice", "report", "reports", "summary", "statistics", "log", "logs", "cron", "backup", "monitor", "monitoring", "check", "output", "trap", "event", "events":
			return true
		}
		at = end
	}
}

// isSpoken reports whether somebody speaks of themselves, thanks or asks in
// the first lines of the text.
func (m *mail) isSpoken() bool {
	for _, line := range m.lines[:min(len(m.lines), maxNaming)] {
		if strings.HasSuffix(line, "?") {
			return true
		}
		for at := 0; ; {
			start, end := nextLetters(line, at)
			if start == end {
				break
			}
			if isOfPerson(line[start:end]) {
				return true
			}
			at = end
		}
	}
	return false
}

func isOfPerson(word string) bool {
	if word == "I" {
		return true
	}
	switch foldWord(word) {
	case "we", "our", "us", "me", "my", "thanks", "thx", "cheers", "regards", "sorry", "pls", "anyone", "guys", "folks", "hey", "hi":
		return true
	}
	return false
}

// isWritten reports whether a mail shows a trace of a person: it answers, was
// written with a mailer, or greets.
func (m *mail) isWritten() bool {
	if len(m.bare) != len(m.subject) || m.hasPersonsMailer() || m.answers("") {
		return true
	}
	for _, line := range m.lines {
		if line != "" {
			return isGreeting(line)
		}
	}
	return false
}

// hasPersonsMailer reports whether a mailer names itself that is none of those
// which programs use.
func (m *mail) hasPersonsMailer() bool {
	for _, name := range [...]string{"User-Agent", "X-Mailer"} {
		if m.header.has(name) && mailerMark(name, strings.ToLower(unfold(m.header.get(name)))) == "" {
			return true
		}
	}
	return false
}

// markOf is the mark that one field sets, or "".
func markOf(f field) string {
	name := strings.ToLower(f.name)
	switch name {
	case "auto-submitted":
		return autoSubmitted(unfold(f.value))
	case "precedence":
		switch strings.ToLower(unfold(f.value)) {
		case "bulk", "junk", "list":
			return name
		}
	case "list-id", "list-unsubscribe", "x-auto-response-suppress", "x-cron-env", "x-lull-digest":
		return name
	case "x-mailer", "user-agent":
		return mailerMark(name, strings.ToLower(unfold(f.value)))
	}
	return productMark(name)
}

func autoSubmitted(value string) string {
	switch word := strings.ToLower(strings.TrimSpace(before(value, ";"))); {
	case word == "" || strings.HasPrefix(word, "no"):
		return ""
	case strings.HasPrefix(word, "auto-replied"):
		return "auto-replied"
	}
	return "auto-submitted"
}

// productMark is the mark of a header that only one program sets.
func productMark(name string) string {
	for _, product := range [...]string{"x-jenkins-", "x-gitlab-", "x-github-", "x-netdata-", "x-bugzilla-", "x-ids-ossec", "x-phabricator-", "x-sentry-",
		"x-grafana-", "x-zabbix-", "x-nagios-", "x-icinga-", "x-monit-", "x-gerrit-", "x-buildbot-", "x-kernelci-", "x-git-refname", "x-alert", "x-trac-", "x-redmine-", "x-jira-"} {
		if strings.HasPrefix(name, product) {
			return strings.TrimSuffix(product, "-")
		}
	}
	return ""
}

// mailerMark names a mailer that programs use; those of people leave no mark.
func mailerMark(field, value string) string {
	for _, mailer := range [...]string{"monit", "phpmailer", "swiftmailer", "nodemailer", "mime::lite", "mime-tools", "mailutils", "heirloom", "mailx", "s-nail", "swaks", "sendemail",
		"python", "perl", "javamail", "cron", "nagios", "icinga", "zabbix", "jira", "bugzilla", "gitlab", "jenkins", "redmine", "request tracker", "wordpress", "drupal", "logwatch", "veeam", "mediawiki"} {
		if strings.Contains(value, mailer) && !strings.Contains(value, "mozilla") {
			return field + ":" + mailer
		}
	}
	return ""
}

// isBounce reports whether a mail is about another mail that a mailer could
// not deliver. What mailers tell their postmaster is no bounce.
func (m *mail) isBounce() bool {
	if hasPrefixFold(m.subject, "postmaster copy: ") || hasPrefixFold(m.subject, "postmaster warning: ") {
		return false
	}
	if m.walk.report || m.header.has("X-Failed-Recipients") {
		return true
	}
	if m.from.local != "mailer-daemon" && m.from.local != "postmaster" && unfold(m.header.get("Return-Path")) != "<>" {
		return false
	}
	for _, words := range [...]string{"deliver", "returned", "returning message", "failure notice", "warning: message", "warning: could not send", "out of office", "automatic reply", "autoreply"} {
		if containsFold(m.subject, words) {
			return true
		}
	}
	return false
}

// saysAutomated reports whether the text itself says that a program wrote it.
func (m *mail) saysAutomated() bool {
	if len(m.bare) != len(m.subject) && m.answers("") {
		return false // a person may quote it
	}
	for i, line := range m.lines {
		if i > 12 && i < len(m.lines)-12 || line == "" || line[0] == '>' {
			continue
		}
		for _, words := range [...]string{"this is an automat", "automatically generated", "automated message", "automated mail", "automated email", "automated e-mail", "automatic message", "automated notification",
			"do not reply to this", "don't reply to this", "please do not reply", "message was generated by", "mail was generated by", "message was sent automatically", "i am a bot"} {
			if containsFold(line, words) {
				return true
			}
		}
	}
	return false
}
