package main

import (
	"fmt"
	"strings"

	"lull/cmd/internal/sendmail"
)

// mailPage is the man page of our sendmail.
func mailPage() string {
	r := newRoff("lull-sendmail", "8")
	r.section("NAME")
	fmt.Fprintln(r, `lull-sendmail \- give mail to lull as programs of this machine do`)
	r.section("SYNOPSIS")
	for i, line := range sendmail.Usage() {
		if i > 0 {
			fmt.Fprintln(r, ".br")
		}
		fmt.Fprintln(r, r.bold(line))
	}
	r.section("DESCRIPTION")
	r.paragraphs(sendmail.Purpose + "\n\nIt stands in for /usr/sbin/sendmail, and, called as mailq or newaliases, for those. It needs no privileges, and delivers nothing itself. With exit code 0 the message is on stable storage.\n\nWhat nobody can take (an entry that cannot be read, a recipient that the daemon refuses for ever) is moved to the folder failed of the spool, and stays there: mailq and lull status tell of it. An entry is one line of JSON, the envelope, and below it the message. Read it, correct the first line, and move it back to the folder new to have it taken; or delete it.")
	r.section("OPTIONS")
	for _, o := range sendmail.Options() {
		if o.Help != "" {
			r.item(r.bold(o.Form), o.Help)
		}
	}
	r.item(r.bold("-"+strings.Join(strings.Split(sendmail.Ignored(), ""), " -")), "are taken, and have no effect")
	r.mailSettings()
	r.section("EXIT STATUS")
	for _, e := range sendmail.Exits() {
		r.item(fmt.Sprint(e.Code), e.Help)
	}
	r.seeAlso()
	return r.String()
}

func (r *roff) mailSettings() {
	r.section("SETTINGS")
	r.paragraphs("A TOML file: " + sendmail.UsualFile + ", or the one that -C or $LULL_SENDMAIL names. Every key is optional.")
	for _, k := range sendmail.Keys() {
		help := k.Help
		if k.Default != "" {
			help += " (default: " + k.Default + ")"
		}
		r.item(r.bold(k.Name), help)
	}
}

// queuePage is the man page of mailq.
func queuePage() string {
	r := newRoff("lull-mailq", "1")
	r.section("NAME")
	fmt.Fprintln(r, `lull-mailq \- list the mail that waits`)
	r.section("SYNOPSIS")
	fmt.Fprintln(r, r.bold("mailq"))
	r.section("DESCRIPTION")
	r.paragraphs(sendmail.Listing)
	r.section("EXIT STATUS")
	for _, e := range sendmail.Exits() {
		if e.Code == 0 || e.Code >= 75 {
			r.item(fmt.Sprint(e.Code), e.Help)
		}
	}
	r.seeAlso()
	return r.String()
}

func (r *roff) seeAlso() {
	r.section("SEE ALSO")
	fmt.Fprintln(r, r.text("lull(1), lull-list(1), lull-status(1), lull.toml(5), lull-sendmail(8), lull-mailq(1)"))
}
