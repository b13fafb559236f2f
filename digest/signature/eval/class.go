package main

import (
	"slices"
	"strings"

	"lull/store"
)

// classOf is the class that lull gives a mail when no rule of an operator and
// no envelope is known. It follows the package relay/policy, which this
// program, being below digest, cannot import.
func classOf(r store.Reading) string {
	switch {
	case r.Digest != "", slices.Contains(r.Marks, "bounce"):
		return string(store.Pass)
	case isReply(r) && !slices.Contains(r.Marks, "auto-submitted") && !slices.ContainsFunc(r.Marks, isRobot):
		return string(store.Pass)
	case r.Signature.Format != "generic", slices.ContainsFunc(r.Marks, isDecisive):
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
		return true
	case "re", "aw", "sv", "antw", "odp", "vs":
		return r.Answers
	}
	return false
}

func isRobot(mark string) bool { return strings.HasPrefix(mark, "robot:") }

// isDecisive reports whether only programs set a mark; lists set the others on
// mail of people as well.
func isDecisive(mark string) bool {
	switch kind, _, _ := strings.Cut(mark, ":"); kind {
	case "precedence", "list-id", "list-unsubscribe", "list-post", "x-auto-response-suppress", "bounce", "auto-replied":
		return false
	}
	return true
}
