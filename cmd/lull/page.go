package main

import (
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lull/relay/admin"
	"lull/store/filter"
)

// pages are the flags of a list.
type pages struct {
	limit int
	after string
}

// screenful stands for "all, or the first screenful in a terminal". Nobody
// types it.
const screenful = math.MinInt

func (p *pages) flags(c *cobra.Command) {
	c.Flags().IntVar(&p.limit, "limit", screenful, "show at most `N`, 0 for all (default: all; in a terminal, the first screenful)")
	c.Flags().Lookup("limit").DefValue = "0" // the help says what it is
	c.Flags().StringVar(&p.after, "after", "", "show only what follows this `ID`")
}

// page is what to ask for, on this screen.
func (p *pages) page(s *screen) (admin.Page, error) {
	page := admin.Page{After: p.after, Limit: p.limit}
	switch {
	case p.limit >= 0:
		page.Count = p.limit > 0 && s.person()
		return page, nil
	case p.limit != screenful:
		return page, wrong("--limit %d: must be a whole number, 0 for all", p.limit)
	}
	page.Limit = 0
	if s.person() {
		page.Limit, page.Count = max(s.rows-3, 5), true
	}
	return page, nil
}

// person reports whether a person reads along, who is told how many more there are.
func (s *screen) person() bool { return s.rows > 0 && !s.json }

// filters are the flags of the filter language.
type filters map[string]*values

// values are those of one key.
type values struct {
	kind string // what stands for a value in help
	list []string
}

// Set adds a value.
func (v *values) Set(text string) error {
	v.list = append(v.list, text)
	return nil
}

// Type is what help shows for a value.
func (v *values) Type() string { return v.kind }

func (v *values) String() string { return strings.Join(v.list, ", ") }

func newFilters(c *cobra.Command) filters {
	f := filters{}
	for _, k := range filter.Keys() {
		f[k.Name] = &values{kind: k.Value}
		c.Flags().Var(f[k.Name], k.Name, k.Help)
	}
	return f
}

// text is the filter that was typed, in its canonical form.
func (f filters) text() (string, error) {
	var args []string
	for _, k := range filter.Keys() {
		for _, v := range f[k.Name].list {
			args = append(args, "--"+k.Name+"="+v)
		}
	}
	parsed, err := filter.ParseArgs(args)
	if err != nil {
		return "", wrong("%v", err)
	}
	return parsed.String(), nil
}

// more tells a person in a terminal what was left out.
func more(s *screen, left int, last string) {
	if left <= 0 || s.rows == 0 {
		return
	}
	count := strconv.Itoa(left)
	if left == admin.CountMost {
		count += " or"
	}
	s.note("… and %s more: --after %s goes on, --limit 0 shows all", count, last)
}
