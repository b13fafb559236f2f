// Command lull is the relay and everything that operators do with it: `lull
// serve` is the daemon, the other commands talk to it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones of readers, also on a machine that has none
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is one command from its arguments to its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	s := &session{in: in, screen: newScreen(out, errs)}
	root := tree(s)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	return s.exit(root.ExecuteContext(ctx))
}
