// Package sendmail says what our sendmail and mailq can be told, and what they
// tell: the program reads its command line by it, and its help and man pages
// are made of it.
package sendmail

import (
	"fmt"
	"strings"
)

// Option is one option of the command line.
type Option struct {
	// Form is how it is written: its letter, and what follows it. "-f SENDER"
	// has an argument, "-bp" one that is a word of ours, and that of
	// "-q[TIME]" is never a word of its own.
	Form string
	// Help says what it does. It is "" for what only other mail systems have a
	// use for: that is taken, and changes nothing.
	Help string
}

// Options are all options, in the order of the man page.
func Options() []Option {
	return []Option{
		{"-t", "take the recipients from To, Cc and Bcc of the header too; Bcc is taken out"},
		{"-i", "a line with a dot alone is text and does not end the message; -oi is the same"},
		{"-f SENDER", "envelope sender; <> is none. Default: the user's name at the domain. -r is the same"},
		{"-F NAME", "full name of the sender, for a message that has no From"},
		{"-C FILE", "settings to use instead of /etc/lull/sendmail.conf"},
		{"-N WHEN", "when the sender wants a report: never, or of success, failure, delay, with commas (RFC 3461)"},
		{"-R WHAT", "what of the message a report gives back: full or hdrs"},
		{"-V ID", "envelope id that reports name"},
		{"-bm", "take a message on standard input: what is done if nothing else is asked for"},
		{"-bs", "speak SMTP on standard input and output"},
		{"-bp", "list what waits, as mailq does"},
		{"-bpc", "print how many messages wait"},
		{"-bi", "do nothing, as newaliases does: aliases are the mail server's. -I is the same"},
		{"-q[TIME]", "send now what is in the spool. A daemon of this machine does that by itself each minute; this is for machines that have none"},
		{"-o OPTION", "of the options of sendmail only -oi means something here"},
		{"-O OPTION=VALUE", "of these only IgnoreDots does"},
		{"-M ID", "refused: lull show, lull hold and lull purge are for that"},
		{"-r SENDER", ""}, {"-I", ""},
		{"-A TYPE", ""}, {"-B TYPE", ""}, {"-D FILE", ""}, {"-E", ""}, {"-G", ""}, {"-L TAG", ""}, {"-U", ""}, {"-X FILE", ""},
		{"-d[LEVEL]", ""}, {"-e[MODE]", ""}, {"-h HOPS", ""}, {"-m", ""}, {"-n", ""}, {"-p PROTOCOL", ""}, {"-s", ""}, {"-v", ""},
	}
}

// Argument is what follows an option's letter.
type Argument int

// The kinds of argument.
const (
	Unknown  Argument = iota // there is no such option
	None                     // nothing: another letter may
	Follows                  // an argument, beside the letter or as the next word
	Attached                 // an argument beside the letter, or none
)

// ArgumentOf looks an option's letter up.
func ArgumentOf(letter byte) Argument {
	for _, o := range Options() {
		switch rest := o.Form[2:]; {
		case o.Form[1] != letter:
		case rest == "":
			return None
		case rest[0] == '[':
			return Attached
		default:
			return Follows
		}
	}
	return Unknown
}

// Ignored are the letters of the options that change nothing.
func Ignored() string {
	var letters []byte
	for _, o := range Options() {
		if o.Help == "" && !strings.ContainsRune("rI", rune(o.Form[1])) {
			letters = append(letters, o.Form[1])
		}
	}
	return string(letters)
}

// Exit is one exit code, of those that <sysexits.h> names.
type Exit struct {
	Code int
	Help string
}

// Exits are all exit codes.
func Exits() []Exit {
	return []Exit{
		{0, "the message is on stable storage, of the daemon or in the spool; or what was asked for is done"},
		{64, "the command line is wrong"},
		{65, "the message is: too large, or without a recipient that can be read"},
		{67, "a recipient is refused"},
		{69, "the message is refused"},
		{74, "standard input could not be read, or standard output not written"},
		{75, "nothing was taken: try again; or mailq finds no daemon"},
		{77, "the spool or the daemon is not this user's to look into"},
		{78, "the settings are wrong"},
	}
}

// Usage are the ways to call the programs.
func Usage() []string {
	return []string{
		"sendmail [-t] [-i] [-f SENDER] [-F NAME] [RECIPIENT…]",
		"sendmail -bp | -bpc | -bs | -q",
		"mailq",
		"newaliases",
	}
}

// Help is what --help prints.
func Help() string {
	out := &strings.Builder{}
	for _, line := range Usage() {
		fmt.Fprintf(out, "%s\n", line)
	}
	fmt.Fprintf(out, "\n%s\n\n", Purpose)
	for _, o := range Options() {
		if o.Help != "" {
			fmt.Fprintf(out, "  %-16s %s\n", o.Form, o.Help)
		}
	}
	fmt.Fprintf(out, "\nTaken, and without effect: %s.\n", "-"+strings.Join(strings.Split(Ignored(), ""), " -"))
	return out.String()
}
