package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lull/cmd/internal/sendmail"
)

// mode is what a call is for.
type mode string

// The modes.
const (
	deliver    mode = "m" // take a message (-bm)
	dialogue   mode = "s" // SMTP on standard input and output (-bs)
	list       mode = "p" // what waits (-bp, mailq)
	count      mode = "pc"
	newAliases mode = "i"
	flush      mode = "q" // try the spool (-q)
	help       mode = "--help"
)

// options are a command line.
type options struct {
	mode       mode
	config     string
	from       *string // -f: "" is the null sender
	name       string  // -F
	recipients []string
	headers    bool // -t: recipients stand in the header
	dots       bool // -i: a line with a dot alone is text
	notify     []string
	ret, envID string
}

// parse reads a command line as sendmail does: letters may stand together, an
// argument may stand beside its letter or after it.
func parse(program string, args []string) (options, error) {
	opt := options{mode: deliver}
	switch program {
	case "mailq":
		opt.mode = list
	case "newaliases":
		opt.mode = newAliases
	}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "--" {
			opt.recipients = append(opt.recipients, args...)
			break
		}
		if word == "--help" {
			opt.mode = help
			return opt, nil
		}
		if len(word) < 2 || word[0] != '-' {
			opt.recipients = append(opt.recipients, word)
			continue
		}
		var err error
		if args, err = opt.letters(word[1:], args); err != nil {
			return opt, err
		}
	}
	return opt, nil
}

// letters reads one word of options, and of the following ones the argument if
// it stands there.
func (opt *options) letters(word string, args []string) ([]string, error) {
	for i := range len(word) {
		letter, rest := word[i], word[i+1:]
		switch sendmail.ArgumentOf(letter) {
		case sendmail.Attached:
			return args, opt.set(letter, rest)
		case sendmail.Unknown, sendmail.None:
			if err := opt.set(letter, ""); err != nil {
				return nil, err
			}
			continue
		}
		if rest == "" {
			if len(args) == 0 {
				return nil, fmt.Errorf("-%c needs an argument", letter)
			}
			rest, args = args[0], args[1:]
		}
		return args, opt.set(letter, rest)
	}
	return args, nil
}

// set takes one option. Those that only other mail systems have a use for are
// taken, and change nothing.
func (opt *options) set(letter byte, value string) error {
	switch letter {
	case 't':
		opt.headers = true
	case 'i':
		opt.dots = true
	case 'f', 'r':
		value = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(value), "<"), ">")
		opt.from = &value
	case 'F':
		opt.name = value
	case 'C':
		opt.config = value
	case 'q':
		opt.mode = flush
	case 'b':
		return opt.be(value)
	case 'o':
		opt.dots = opt.dots || value == "i"
	case 'O':
		opt.dots = opt.dots || strings.EqualFold(value, "IgnoreDots") || strings.EqualFold(value, "IgnoreDots=true")
	case 'N', 'R', 'V':
		return opt.notification(letter, value)
	case 'I':
		opt.mode = newAliases
	case 'M':
		return errors.New("-M is not for this queue; 'lull purge', 'lull hold' and 'lull show' are")
	default:
		if sendmail.ArgumentOf(letter) == sendmail.Unknown {
			return fmt.Errorf("there is no option -%c; 'sendmail --help' lists them", letter)
		}
	}
	return nil
}

// be takes -b.
func (opt *options) be(what string) error {
	switch m := mode(what); m {
	case deliver, dialogue, list, count, newAliases:
		opt.mode = m
		return nil
	case "d", "D":
		return fmt.Errorf("-b%s starts no daemon here; run 'lull serve'", what)
	}
	return fmt.Errorf("-b%s is not known; use -bm, -bs, -bp or -bi", what)
}

// notification takes the options of RFC 3461.
func (opt *options) notification(letter byte, value string) error {
	switch letter {
	case 'V':
		opt.envID = value
		if value == "" || len(value) > 100 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("-V %q must be 1 to 100 characters of ASCII", value)
		}
		return nil
	case 'R':
		opt.ret = strings.ToUpper(value)
		if opt.ret != "FULL" && opt.ret != "HDRS" {
			return fmt.Errorf("-R %s must be full or hdrs", value)
		}
		return nil
	}
	opt.notify = strings.Split(strings.ToUpper(value), ",")
	for _, word := range opt.notify {
		if !slices.Contains([]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"}, word) || word == "NEVER" && len(opt.notify) > 1 {
			return fmt.Errorf("-N %s must be never, or of success, failure, delay, separated by commas", value)
		}
	}
	return nil
}
