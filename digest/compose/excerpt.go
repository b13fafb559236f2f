package compose

import (
	"strings"
	"unicode"

	"lull/store"
)

// excerpt is what a mail says beyond its title: the first lines of its text
// that tell something which the digest has not told already, or where there
// are none, simply the first.
func excerpt(e *store.Entry, limit int) []string {
	if e == nil {
		return nil
	}
	r := &e.Message.Reading
	var telling, all []string
	for s := range strings.SplitSeq(r.Excerpt, "\n") {
		if s = clean(s, excerptColumns); s == "" {
			continue
		}
		all = append(all, s)
		if tells(s, r) {
			telling = append(telling, s)
		}
	}
	if len(telling) == 0 {
		telling = all
	}
	telling = telling[:min(limit, len(telling))]
	for i, s := range telling {
		telling[i] = shown(s, excerptColumns)
	}
	return telling
}

// tells reports whether a line of a mail says more than its title, object,
// state and time. Monitoring mail begins with a form of "Key: value" lines
// that do not.
func tells(line string, r *store.Reading) bool {
	if !strings.ContainsFunc(line, unicode.IsLetter) || strings.HasPrefix(line, "***") {
		return false
	}
	key, value, ok := strings.Cut(line, ":")
	if !ok || len(key) > 30 {
		return !known(line, r)
	}
	switch strings.ToLower(strings.TrimSpace(key)) {
	case "date", "time", "date/time", "when", "host", "hostname", "address", "ipv4", "ipv6", "state", "notification type":
		return false
	}
	return !known(strings.TrimSpace(value), r)
}

// known reports whether the text is nothing but what stands above it.
func known(text string, r *store.Reading) bool {
	if text == "" || strings.Contains(r.Signature.Title, text) || strings.Contains(r.Subject, text) {
		return true
	}
	for _, report := range r.Reports {
		if strings.EqualFold(text, report.Object) {
			return true
		}
	}
	return false
}
