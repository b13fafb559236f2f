package signature

import (
	"strings"

	"lull/store"
)

// verdict is what a word says about the state of an object.
type verdict struct {
	state    store.State
	kind     string
	severity store.Severity
}

// Kinds of notices.
const (
	kindSuccess         = "success"
	kindAcknowledgement = "acknowledgement"
	kindFlapping        = "flapping"
	kindDowntime        = "downtime"
	kindCustom          = "custom"
	kindStarted         = "started"
	kindReport          = "report"
)

var (
	isCritical = verdict{store.Problem, "", store.Critical}
	isWarning  = verdict{store.Problem, "", store.Warning}
	isUnknown  = verdict{store.Problem, "", store.Unknown}
	isProblem  = verdict{store.Problem, "", ""}
	isRecovery = verdict{store.Recovery, "", ""}
	isSuccess  = verdict{store.Notice, kindSuccess, ""}
	isInfo     = verdict{store.Notice, "", store.Info}
	isStarted  = verdict{store.Notice, kindStarted, ""}
	isAck      = verdict{store.Notice, kindAcknowledgement, ""}
	isFlapping = verdict{store.Notice, kindFlapping, ""}
	isDowntime = verdict{store.Notice, kindDowntime, ""}
	isCustom   = verdict{store.Notice, kindCustom, ""}
	isReport   = verdict{store.Notice, kindReport, ""}
)

// vocabulary is the closed list of words that tell a state, in lower case.
var vocabulary = map[string]verdict{
	"critical": isCritical, "crit": isCritical, "down": isCritical, "fatal": isCritical, "disaster": isCritical, "emergency": isCritical, "emerg": isCritical, "panic": isCritical, "outage": isCritical,
	"unreachable": isCritical, "dead": isCritical, "offline": isCritical,
	"warning": isWarning, "warn": isWarning, "unstable": isWarning, "degraded": isWarning, "average": isWarning,
	"unknown": isUnknown, "unkn": isUnknown, "unkwn": isUnknown,

	"problem": isProblem, "firing": isProblem, "alert": isProblem, "alerting": isProblem, "triggered": isProblem, "alarm": isProblem,
	"failed": isProblem, "failure": isProblem, "failures": isProblem, "failing": isProblem, "fail": isProblem, "fails": isProblem,
	"error": isProblem, "errors": isProblem, "err": isProblem, "errored": isProblem, "broken": isProblem, "aborted": isProblem, "abort": isProblem, "killed": isProblem, "crashed": isProblem, "crash": isProblem,
	"lost": isProblem, "timeout": isProblem, "refused": isProblem, "unhealthy": isProblem, "incomplete": isProblem, "exceeded": isProblem, "fault": isProblem, "faulted": isProblem,
	"regression": isProblem, "regressions": isProblem, "denied": isProblem, "expired": isProblem, "missing": isProblem, "high": isProblem, "low": isProblem,

	"full": isProblem, "stopped": isProblem, "unable": isProblem, "cannot": isProblem, "stuck": isProblem, "exceeds": isProblem, "overload": isProblem, "overloaded": isProblem, "corrupt": isProblem, "corrupted": isProblem,
	"unresponsive": isProblem, "unavailable": isProblem, "disconnected": isProblem, "terminated": isProblem, "attack": isProblem, "ddos": isProblem, "expires": isProblem, "expiring": isProblem, "violation": isProblem, "opened": isProblem,

	"running": isRecovery, "responding": isRecovery, "reachable": isRecovery, "available": isRecovery, "alive": isRecovery, "closed": isRecovery,
	"recovery": isRecovery, "recovered": isRecovery, "recover": isRecovery, "ok": isRecovery, "okay": isRecovery, "up": isRecovery, "resolved": isRecovery, "resolve": isRecovery, "cleared": isRecovery,
	"clear": isRecovery, "fixed": isRecovery, "restored": isRecovery, "normal": isRecovery, "online": isRecovery, "healthy": isRecovery, "stable": isRecovery,

	"success": isSuccess, "successful": isSuccess, "successfully": isSuccess, "succeeded": isSuccess, "complete": isSuccess, "completed": isSuccess, "passed": isSuccess, "pass": isSuccess,
	"finished": isSuccess, "succeed": isSuccess, "true": isSuccess, "false": isProblem,

	"acknowledgement": isAck, "acknowledgment": isAck, "acknowledged": isAck, "ack": isAck,
	"flapping": isFlapping, "flappingstart": isFlapping, "flappingstop": isFlapping, "flappingend": isFlapping, "flappingdisabled": isFlapping, "flap": isFlapping,
	"downtime": isDowntime, "downtimestart": isDowntime, "downtimeend": isDowntime, "downtimestop": isDowntime, "downtimecancelled": isDowntime, "downtimeremoved": isDowntime,
	"custom": isCustom, "info": isInfo, "information": isInfo, "notice": isInfo, "started": isStarted, "starting": isStarted, "report": isReport,
}

// verdictOf looks a word or a short phrase up, whatever its case.
func verdictOf(text string) (verdict, bool) {
	v, ok := vocabulary[strings.ToLower(strings.Trim(text, " .:!*[]()'\""))]
	return v, ok
}

// rank orders states and severities, the worst first.
func rank(r store.Report) int {
	at := 0
	switch r.State {
	case store.Problem:
		at = 0
	case store.Notice:
		at = 10
	case store.Recovery:
		at = 20
	}
	switch r.Severity {
	case store.Critical:
		return at
	case store.Warning:
		return at + 2
	case store.Unknown:
		return at + 3
	case store.Info:
		return at + 4
	}
	return at + 1
}
