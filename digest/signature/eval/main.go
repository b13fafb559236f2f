// Eval measures how well signatures group mail whose truth is known.
//
//	go run ./digest/signature/eval [-list] DIR
//	go run ./digest/signature/eval -generate [-seed N] [-each N] DIR
//
// With -generate it writes the project's own corpus into DIR. Else DIR holds mails and a file of labels, labels.tsv: a line of column names
// (file, incident, family, class, kind, object; tab separated), then a line a
// mail. Or it holds log files, *.csv with the columns Content and EventId,
// which the generic template alone groups.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	list := flag.Bool("list", false, "list what was grouped wrongly")
	make := flag.Bool("generate", false, "write the generated corpus into DIR")
	seed := flag.Uint64("seed", 1, "of the generated corpus")
	each := flag.Int("each", 50, "mails of each example of a format")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: eval [-list] DIR    (a folder of mails with labels.tsv, or of log files *.csv)\n       eval -generate [-seed N] [-each N] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	work := func() error { return run(os.Stdout, flag.Arg(0), *list) }
	if *make {
		work = func() error { return generate(os.Stdout, flag.Arg(0), *seed, *each) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, dir string, list bool) error {
	labels, err := filepath.Glob(filepath.Join(dir, "labels*"))
	if err != nil {
		return err
	}
	if len(labels) > 0 {
		return evalMails(out, dir, labels[0], list)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return err
	}
	if len(logs) == 0 {
		return fmt.Errorf("%s has neither labels.tsv nor *.csv", dir)
	}
	return evalLogs(out, logs, list)
}
