package signature

import "strings"

// marksOf lists the marks of automation in a header, in order of appearance,
// each once, and "bounce" for reports about mail. None of them is proof:
// robots often set none, and mailing lists set some on mail of people.
func marksOf(h header, w *walk, from sender) []string {
	var marks []string
	for _, f := range h {
		if mark := markOf(f); mark != "" && !contains(marks, mark) && len(marks) < 16 {
			marks = append(marks, mark)
		}
	}
	if w.report || isBounceSender(from, h) {
		marks = append(marks, "bounce")
	}
	return marks
}

// markOf is the mark that one field sets, or "".
func markOf(f field) string {
	name := strings.ToLower(f.name)
	switch name {
	case "auto-submitted":
		if strings.EqualFold(strings.TrimSpace(before(unfold(f.value), ";")), "no") {
			return ""
		}
		return name
	case "precedence":
		switch strings.ToLower(unfold(f.value)) {
		case "bulk", "junk", "list":
			return name
		}
	case "list-id", "list-unsubscribe", "x-auto-response-suppress", "x-cron-env", "x-lull-digest", "feedback-id":
		return name
	case "x-mailer", "user-agent":
		return mailerMark(name, unfold(f.value))
	}
	return productMark(name)
}

// productMark is the mark of a header that only one program sets.
func productMark(name string) string {
	for _, product := range [...]string{"x-jenkins-", "x-gitlab-", "x-github-", "x-netdata-", "x-bugzilla-", "x-ids-", "x-phabricator-", "x-sentry-", "x-grafana-", "x-zabbix-", "x-nagios-", "x-icinga-", "x-monit-", "x-gerrit-", "x-buildbot-", "x-patchew-", "x-debian-pr-", "x-launchpad-"} {
		if strings.HasPrefix(name, product) {
			return strings.TrimSuffix(product, "-")
		}
	}
	return ""
}

// mailerMark names a mailer that programs use; mailers of people leave none.
func mailerMark(field, value string) string {
	word := strings.ToLower(before(strings.TrimSpace(value), " "))
	word = strings.TrimRight(before(word, "/"), ",;:(")
	if word == "" || len(word) > 24 || !isASCII([]byte(word)) {
		return ""
	}
	return field + ":" + word
}

// isBounceSender reports whether a mail comes from a mailer about mail.
func isBounceSender(from sender, h header) bool {
	return from.local == "mailer-daemon" || unfold(h.get("Return-Path")) == "<>" || h.has("X-Failed-Recipients")
}

func contains(list []string, text string) bool {
	for _, s := range list {
		if s == text {
			return true
		}
	}
	return false
}
