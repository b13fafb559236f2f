package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// waiting measures what mail costs while it waits: memory, disk, start-up.
func waiting(out io.Writer, bin string, l load, messages int) error {
	dir, err := os.MkdirTemp("", "lull-bench-state-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := startLull(bin, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "empty: RssAnon %s\n", s.rssAnon())
	if _, _, err := l.send(s.addr, 50, messages); err != nil {
		s.stop()
		return err
	}
	fmt.Fprintf(out, "%d waiting, right after the storm: RssAnon %s\n", messages, s.rssAnon())
	s.stop()
	used, err := diskUse(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "disk: %.0f bytes a message of %d bytes\n", float64(used)/float64(messages), l.size)
	began := time.Now()
	if s, err = startLull(bin, dir); err != nil {
		return err
	}
	fmt.Fprintf(out, "start with %d waiting: %.2f s until the SMTP port greets\n", messages, time.Since(began).Seconds())
	fmt.Fprintf(out, "%d waiting, after the start: RssAnon %s\n", messages, s.rssAnon())
	s.stop()
	return nil
}

// rssAnon is the memory that only the server has (proc(5), VmRSS without file
// pages, which the kernel takes back when it needs them).
func (s *server) rssAnon() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}

// diskUse is what the files below dir occupy, not their nominal length.
func diskUse(dir string) (int64, error) {
	var blocks int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && !d.IsDir() {
			blocks += stat.Blocks
		}
		return nil
	})
	return blocks * 512, err
}
