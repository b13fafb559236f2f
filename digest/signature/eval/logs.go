package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lull/digest/signature"
)

// evalLogs groups the lines of log files by the generic template alone and
// compares with their EventId. Each file is a set of its own.
func evalLogs(out io.Writer, files []string, list bool) error {
	fmt.Fprintf(out, "%-28s %8s %6s %6s %6s %6s %7s %7s %7s %7s\n", "set", "lines", "groups", "truth", "GA", "FGA", "P", "R", "harm", "extra")
	var scores []score
	for _, file := range files {
		pairs, err := readLog(file)
		if err != nil {
			return err
		}
		s := scoreOf(pairs)
		scores = append(scores, s)
		writeScore(out, strings.TrimSuffix(filepath.Base(file), ".csv"), s)
		if list {
			writeFaults(out, pairs)
		}
	}
	writeScore(out, "average", mean(scores))
	return nil
}

func writeScore(out io.Writer, name string, s score) {
	fmt.Fprintf(out, "%-28s %8d %6d %6d %6.3f %6.3f %7.4f %7.4f %7.4f %7.4f\n",
		name[:min(len(name), 28)], s.messages, s.groups, s.truths, s.ga, s.fga, s.precision, s.recall, s.harm, s.extra)
}

// readLog reads a CSV file with the columns Content and EventId.
func readLog(file string) ([]pair, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	content, event := slices.Index(head, "Content"), slices.Index(head, "EventId")
	if content < 0 || event < 0 {
		return nil, fmt.Errorf("%s: needs the columns Content and EventId", file)
	}
	var pairs []pair
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return pairs, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		pairs = append(pairs, pair{group: signature.Template(row[content]), truth: row[event]})
	}
}

// writeFaults lists what was parted and what was thrown together.
func writeFaults(out io.Writer, pairs []pair) {
	groups, truths := map[string]map[string]int{}, map[string]map[string]int{}
	for _, p := range pairs {
		add(groups, p.group, p.truth)
		add(truths, p.truth, p.group)
	}
	writeMixed(out, "together", groups)
	writeMixed(out, "parted", truths)
}

func add(to map[string]map[string]int, key, value string) {
	if to[key] == nil {
		to[key] = map[string]int{}
	}
	to[key][value]++
}

func writeMixed(out io.Writer, what string, sets map[string]map[string]int) {
	for _, key := range sortedKeys(sets) {
		if len(sets[key]) < 2 {
			continue
		}
		fmt.Fprintf(out, "    %s %s:\n", what, key)
		for i, value := range sortedKeys(sets[key]) {
			if i == 6 {
				fmt.Fprintf(out, "        … %d in all\n", len(sets[key]))
				break
			}
			fmt.Fprintf(out, "        %5d %s\n", sets[key][value], value)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
