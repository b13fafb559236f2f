package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) group() *cobra.Command {
	var p pages
	var by string
	c := &cobra.Command{
		Use:   "group --by incident|reader|sender|host|age [FILTER]",
		Short: "count copies by what they have in common, most first",
		Example: `  lull group --by sender --fate waiting     # who floods?
  lull group --by incident --reader ops@example.org`,
		Args: none,
	}
	f := newFilters(c)
	of := setFlags(c)
	p.flags(c)
	c.Flags().StringVar(&by, "by", "incident", "what to count by: "+strings.Join(admin.Groupings(), ", "))
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !slices.Contains(admin.Groupings(), by) {
			return wrong("cannot group by %q; use --by with one of %s", by, strings.Join(admin.Groupings(), ", "))
		}
		return s.selected(c, f, of, &p, func(ctx context.Context, client *admin.Client, sel admin.Selection) error {
			return printAll(s.screen, client.Group(ctx, by, sel), "no copy matches", groupColumns(by), func(g admin.Group) string { return g.Key })
		})
	}
	return c
}

func groupColumns(by string) []column[admin.Group] {
	columns := []column[admin.Group]{
		{"COPIES", func(g admin.Group) string { return strconv.Itoa(g.Copies) }},
		{"READERS", func(g admin.Group) string { return strconv.Itoa(g.Readers) }},
		{"FIRST", func(g admin.Group) string { return stamp(g.First) }},
		{"LAST", func(g admin.Group) string { return stamp(g.Last) }},
		{strings.ToUpper(by), func(g admin.Group) string { return dash(g.Key) }},
	}
	switch by {
	case "incident":
		columns = append(columns, column[admin.Group]{"READER", func(g admin.Group) string { return g.Reader }},
			column[admin.Group]{"TITLE", func(g admin.Group) string { return g.Title }})
	case "signature", "host":
		columns = append(columns, column[admin.Group]{"", func(g admin.Group) string { return g.Title }})
	}
	return columns
}
