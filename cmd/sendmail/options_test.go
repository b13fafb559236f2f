package main

import (
	"slices"
	"strings"
	"testing"
)

// TestCommandLines reads what real programs call.
func TestCommandLines(t *testing.T) {
	for line, want := range map[string]struct {
		mode       mode
		headers    bool
		dots       bool
		from       string // "-" is none given
		name       string
		recipients string
	}{
		"sendmail -FCronDaemon -i -B8BITMIME -oem root": {deliver, false, true, "-", "CronDaemon", "root"}, // cron
		"sendmail -t -i": {deliver, true, true, "-", "", ""}, // PHP, Python
		"sendmail -oi -oem -f a@b -- -x@example.org c": {deliver, false, true, "a@b", "", "-x@example.org c"},
		"sendmail -ti":            {deliver, true, true, "-", "", ""},
		"sendmail -tifa@b c":      {deliver, true, true, "a@b", "", "c"},
		"sendmail -f <> x":        {deliver, false, false, "", "", "x"},
		"sendmail -r <a@b> -F  x": {deliver, false, false, "a@b", "", "x"},
		"send-mail -i root":       {deliver, false, true, "-", "", "root"}, // bsd-mailx
		"sendmail -bm -odb -om -O IgnoreDots=true -v root": {deliver, false, true, "-", "", "root"},
		"sendmail -t -C /tmp/other -N never -R hdrs -V id": {deliver, true, false, "-", "", ""},
		"sendmail -bs":   {dialogue, false, false, "-", "", ""},
		"sendmail -bp":   {list, false, false, "-", "", ""},
		"sendmail -bpc":  {count, false, false, "-", "", ""},
		"sendmail -q":    {flush, false, false, "-", "", ""},
		"sendmail -q15m": {flush, false, false, "-", "", ""},
		"sendmail -bi":   {newAliases, false, false, "-", "", ""},
		"mailq":          {list, false, false, "-", "", ""},
		"mailq -v":       {list, false, false, "-", "", ""},
		"newaliases":     {newAliases, false, false, "-", "", ""},
		"mailq-old root": {deliver, false, false, "-", "", "root"}, // names are exact
		"sendmail a b":   {deliver, false, false, "-", "", "a b"},
	} {
		words := strings.Split(line, " ")
		opt, err := parse(words[0], words[1:])
		from := "-"
		if opt.from != nil {
			from = *opt.from
		}
		if err != nil || opt.mode != want.mode || opt.headers != want.headers || opt.dots != want.dots || from != want.from ||
			opt.name != want.name || !slices.Equal(opt.recipients, strings.Fields(want.recipients)) {
			t.Errorf("%s: %+v (from %q), %v", line, opt, from, err)
		}
	}
	for _, line := range []string{"-bd", "-bD -q15m", "-bv root", "-Mrm ID", "-f", "-Z", "-N sometimes", "-N never,delay", "-R all", "-V \n", "--help"} {
		if opt, err := parse("sendmail", strings.Split(line, " ")); err == nil {
			t.Errorf("%s gave %+v", line, opt)
		}
	}
}
