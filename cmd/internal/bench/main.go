// Bench measures lull against a peer in the same run, alternating, and prints
// medians: ratios are what counts, since machines differ and are shared.
//
//	go run ./cmd/internal/bench accept   # durable accept beside a server that discards
//	go run ./cmd/internal/bench waiting  # memory, disk and start-up with mail waiting
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("name a measurement: accept, waiting, operators")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	lull := flags.String("lull", "", "the lull binary; built when empty")
	rounds := flags.Int("rounds", 5, "alternating runs of each server")
	messages := flags.Int("messages", 4000, "messages a run")
	size := flags.Int("size", 4096, "bytes of a body")
	source := flags.String("source", ".tools/postfix/usr/sbin/smtp-source", "load generator")
	listen := flags.String("listen", "", "address (discard)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	load := load{source: *source, size: *size}
	switch args[0] {
	case "discard":
		return discard(*listen)
	case "accept", "waiting", "operators":
		bin, err := binary(*lull)
		if err != nil {
			return err
		}
		if args[0] == "accept" {
			return accept(os.Stdout, bin, load, *rounds, *messages)
		}
		if args[0] == "operators" {
			return operators(os.Stdout, bin, load, *rounds, *messages)
		}
		return waiting(os.Stdout, bin, load, *messages)
	}
	return fmt.Errorf("unknown measurement %q: accept, waiting, operators", args[0])
}
