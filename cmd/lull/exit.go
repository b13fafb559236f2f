package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"lull/relay/admin"
)

// The exit codes of the command contract.
const (
	exitDone    = 0
	exitNothing = 1
	exitRefused = 2
	exitAway    = 75 // EX_TEMPFAIL: the daemon is not there
	// exitInterrupted is what shells expect after Ctrl-C.
	exitInterrupted = 130
)

// errNothing ends a command that matched nothing; what there is to say about
// it has been said.
var errNothing = errors.New("nothing matched")

// errDiffers ends a command that found what should not be, and has told it.
var errDiffers = errors.New("differences were found")

// misuse is a command that is wrong as it was typed.
type misuse string

func (m misuse) Error() string { return string(m) }

func wrong(format string, args ...any) error { return misuse(fmt.Sprintf(format, args...)) }

// exit tells an error and gives its code. It is the one place that does.
func (s *session) exit(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errNothing):
		return exitNothing
	case errors.Is(err, errDiffers):
		return exitRefused
	case errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed):
		return exitDone // `lull list | head`
	}
	fmt.Fprintln(s.screen.errs, "lull: "+plainLines(err.Error()))
	return code(err)
}

func code(err error) int {
	if errors.Is(err, admin.ErrAway) {
		return exitAway
	}
	if own := (exitWith{}); errors.As(err, &own) {
		return own.code
	}
	var f *admin.Fault
	if !errors.As(err, &f) {
		return exitRefused
	}
	switch f.Code {
	case admin.NotFound:
		return exitNothing
	case admin.Stopped:
		return exitAway
	}
	return exitRefused
}

// plainLines keeps what a stranger wrote from steering a terminal.
func plainLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = plain(l)
	}
	return strings.Join(lines, "\n")
}
