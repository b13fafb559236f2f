package main

import (
	"slices"
	"strings"
	"testing"

	"lull/cmd/internal/sendmail"
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
		"sendmail -bs":    {dialogue, false, false, "-", "", ""},
		"sendmail -bp":    {list, false, false, "-", "", ""},
		"sendmail -bpc":   {count, false, false, "-", "", ""},
		"sendmail -q":     {flush, false, false, "-", "", ""},
		"sendmail -q15m":  {flush, false, false, "-", "", ""},
		"sendmail -bi":    {newAliases, false, false, "-", "", ""},
		"mailq":           {list, false, false, "-", "", ""},
		"mailq -v":        {list, false, false, "-", "", ""},
		"newaliases":      {newAliases, false, false, "-", "", ""},
		"sendmail --help": {help, false, false, "-", "", ""},
		"mailq-old root":  {deliver, false, false, "-", "", "root"}, // names are exact
		"sendmail a b":    {deliver, false, false, "-", "", "a b"},
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
	for _, line := range []string{"-bd", "-bD -q15m", "-bv root", "-Mrm ID", "-f", "-Z", "-N sometimes", "-N never,delay", "-R all", "-V \n"} {
		if opt, err := parse("sendmail", strings.Split(line, " ")); err == nil {
			t.Errorf("%s gave %+v", line, opt)
		}
	}
}

// TestEveryOptionIsTaken: what the help tells of, and what it says is without
// effect, the command line takes; exit codes are those of the man page.
func TestEveryOptionIsTaken(t *testing.T) {
	values := map[string]string{"WHEN": "never", "WHAT": "full"}
	for _, o := range sendmail.Options() {
		if o.Form == "-M ID" {
			continue // its refusal says what to do instead
		}
		form, _, _ := strings.Cut(o.Form, "[")
		words := strings.Fields(form)
		if len(words) > 1 && values[words[1]] != "" {
			words[1] = values[words[1]]
		}
		if _, err := parse("sendmail", words); err != nil {
			t.Errorf("%s: %v", o.Form, err)
		}
	}
	told := map[int]bool{}
	for _, e := range sendmail.Exits() {
		told[e.Code] = true
	}
	for _, code := range []int{ok, usage, data, noUser, unavailable, inputOutput, tempFail, noPermission, configuration} {
		if !told[code] {
			t.Errorf("the man page does not tell of exit code %d", code)
		}
	}
}
