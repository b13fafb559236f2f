package main

import (
	"fmt"
	"strings"
	"unicode"
)

// The exit codes of <sysexits.h> that programs look at.
const (
	ok            = 0
	usage         = 64 // the command line is wrong
	data          = 65 // the message is
	noUser        = 67 // a recipient is refused
	unavailable   = 69 // the message is refused
	inputOutput   = 74 // standard input could not be read
	tempFail      = 75 // nothing was taken, try again
	noPermission  = 77
	configuration = 78
)

// exit tells an error and gives its code.
func (c *call) exit(code int, err error) int {
	fmt.Fprintln(c.errs, "sendmail: "+plain(err.Error()))
	return code
}

// plain keeps what others wrote from steering a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return '?'
	}, text)
}
