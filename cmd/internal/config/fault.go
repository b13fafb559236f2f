package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong: which key, on which line, and what to do.
type Fault struct {
	Key     string `json:"key"`
	Line    int    `json:"line"` // 0: not from the file
	Problem string `json:"problem"`
}

func (f Fault) String() string {
	switch {
	case f.Line > 0 && f.Key != "":
		return fmt.Sprintf("line %d: %s: %s", f.Line, f.Key, f.Problem)
	case f.Line > 0:
		return fmt.Sprintf("line %d: %s", f.Line, f.Problem)
	}
	return fmt.Sprintf("%s: %s", f.Key, f.Problem)
}

// Faults are all that is wrong, in the order of the file.
type Faults struct {
	File string
	List []Fault
}

func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = "  " + fault.String()
	}
	where := "the configuration"
	if f.File != "" {
		where = f.File
	}
	count := "1 fault"
	if len(lines) != 1 {
		count = fmt.Sprintf("%d faults", len(lines))
	}
	return fmt.Sprintf("%s has %s:\n%s", where, count, strings.Join(lines, "\n"))
}

// or is nil when there is no fault.
func (f *Faults) or() error {
	if len(f.List) == 0 {
		return nil
	}
	slices.SortStableFunc(f.List, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return f
}
