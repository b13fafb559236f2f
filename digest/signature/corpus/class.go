package corpus

import (
	"slices"
	"strings"

	"lull/store"
)

// ClassOf is the class that lull gives a mail when no rule of an operator and
// no envelope is known. It follows the package relay/policy, which nothing
// below digest may import; a test of the command holds the two together.
func ClassOf(r store.Reading) string {
	switch {
	case r.Digest != "", slices.Contains(r.Marks, "bounce"):
		return string(store.Pass)
	case slices.Contains(r.Marks, "auto-replied") && r.Signature.Format == "generic" && !slices.ContainsFunc(r.Marks, isRobot):
		return string(store.Pass)
	case isReply(r) && !slices.ContainsFunc(r.Marks, isRobot):
		return string(store.Pass)
	case slices.Contains(r.Marks, "personal") && (r.Signature.Format == "generic" || r.Reports[0].State == store.Notice && r.Reports[0].Kind == ""):
		return string(store.Pass)
	case r.Signature.Format != "generic":
		return string(store.Alert)
	case slices.ContainsFunc(r.Marks, isDecisive):
		return string(store.Alert)
	}
	return string(store.Pass)
}

func isReply(r store.Reading) bool {
	word, _, found := strings.Cut(strings.ToLower(r.Subject), ":")
	if !found {
		return false
	}
	switch word {
	case "fwd", "fw", "wg", "tr":
		return !slices.ContainsFunc(r.Marks, isProgram)
	case "re", "aw", "sv", "antw", "odp", "vs":
		return r.Answers
	}
	return false
}

// isProgram reports whether a mark says that the sender is a program, by its
// name or address.
func isProgram(mark string) bool {
	switch mark {
	case "robot:text", "robot:name", "robot:state":
		return false
	}
	return strings.HasPrefix(mark, "robot:")
}

// isRobot reports whether a mark says that a program writes, even in answer to
// a person.
func isRobot(mark string) bool {
	switch mark {
	case "auto-submitted", "robot:robot", "robot:daemon", "robot:noreply", "robot:bugzilla", "robot:github", "robot:lkp":
		return true
	}
	return strings.HasPrefix(mark, "robot:") && strings.HasSuffix(mark, "bot")
}

// isDecisive reports whether only programs set a mark; lists set the others on
// mail of people as well.
func isDecisive(mark string) bool {
	switch kind, value, _ := strings.Cut(mark, ":"); kind {
	case "precedence", "list-id", "list-unsubscribe", "x-auto-response-suppress", "bounce", "auto-replied", "personal":
		return false
	case "x-mailer", "user-agent":
		return slices.Contains([]string{"monit", "nagios", "icinga", "zabbix", "jenkins", "cron", "logwatch"}, value)
	}
	return true
}
