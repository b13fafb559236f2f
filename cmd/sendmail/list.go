package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"lull/relay/admin"
	"lull/relay/spool"
)

// waiting is what a copy's fate is while it is in the queue.
const waiting = "--fate waiting --fate held --fate in_flight"

// line is one message of the queue.
type line struct {
	id, from string
	to       []string
	size     int64
	age      time.Duration
	failed   bool // nobody can take it
}

// list prints what waits as Exim's mailq does, which people's scripts read:
// age, size, id and sender, and the recipients under them.
func (c *call) list() int {
	out, failed := bufio.NewWriter(c.out), 0
	code := c.each(func(l line) {
		mark := ""
		if l.failed {
			mark = " *** failed ***"
			failed++
		}
		fmt.Fprintf(out, "%s %s %s <%s>%s\n", ageOf(l.age), sizeOf(l.size), plain(l.id), plain(l.from), mark)
		for _, to := range l.to {
			fmt.Fprintf(out, "          %s\n", plain(to))
		}
		fmt.Fprintln(out)
	})
	if failed > 0 {
		folder := spool.Folder(c.Spool)
		fmt.Fprintf(out, "%d failed, in %s; correct the first line of the file (lull-sendmail(8)) and move it to %s to have it taken, or delete it\n",
			failed, folder.FailedPath(), folder.NewPath())
	}
	if err := out.Flush(); err != nil {
		return c.exit(inputOutput, err)
	}
	return code
}

// count prints how many messages wait.
func (c *call) count() int {
	n := 0
	code := c.each(func(line) { n++ })
	fmt.Fprintln(c.out, n)
	return code
}

// each gives the messages of the spool, those set aside last, then those of the daemon.
func (c *call) each(give func(line)) int {
	spoolErr := c.eachOfSpool(give)
	if err := c.eachOfDaemon(give); err != nil {
		return c.exit(listCode(err), err)
	}
	if spoolErr != nil && !errors.Is(spoolErr, fs.ErrNotExist) {
		return c.exit(spoolCode(spoolErr), spoolErr)
	}
	return ok
}

func (c *call) eachOfSpool(give func(line)) error {
	folder := spool.Folder(c.Spool)
	if err := c.eachOf(folder.All(largest), false, give); err != nil {
		return err
	}
	return c.eachOf(folder.Failed(largest), true, give)
}

func (c *call) eachOf(entries iter.Seq2[spool.Entry, error], failed bool, give func(line)) error {
	for e, err := range entries {
		var bad *spool.Bad
		switch {
		case errors.As(err, &bad):
			give(line{id: bad.Name, from: "?", failed: failed})
		case err != nil:
			return err
		default:
			give(line{e.Name, e.From, e.To, int64(len(e.Message)), c.now().Sub(e.At), failed})
		}
	}
	return nil
}

// eachOfDaemon puts the copies of a message together.
func (c *call) eachOfDaemon(give func(line)) error {
	client := admin.NewClient(c.State)
	defer client.Close()
	var l line
	for copy, err := range client.Copies(context.Background(), admin.Selection{Filter: waiting}).All() {
		if err != nil {
			return err
		}
		if copy.Message != l.id {
			if l.id != "" {
				give(l)
			}
			l = line{copy.Message, copy.From, nil, copy.Size, time.Duration(copy.Age) * time.Second, false}
		}
		l.to = append(l.to, copy.To)
	}
	if l.id != "" {
		give(l)
	}
	return nil
}

func listCode(err error) int {
	var f *admin.Fault
	if errors.As(err, &f) {
		return noPermission
	}
	return tempFail
}

func ageOf(d time.Duration) string {
	switch {
	case d < 90*time.Minute:
		return fmt.Sprintf("%2dm", max(d, 0)/time.Minute)
	case d < 72*time.Hour:
		return fmt.Sprintf("%2dh", d/time.Hour)
	}
	return fmt.Sprintf("%2dd", d/(24*time.Hour))
}

func sizeOf(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%5d", n)
	case n < 10_000:
		return fmt.Sprintf("%4.1fK", float64(n)/1024)
	case n < 1_000_000:
		return fmt.Sprintf("%4dK", n/1024)
	}
	return fmt.Sprintf("%4dM", n>>20)
}
