package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) incidents() *cobra.Command {
	var p pages
	c := &cobra.Command{
		Use:   "incidents [FILTER]",
		Short: "list incidents; with a filter those that have a copy which it selects",
		Args:  none,
	}
	f := newFilters(c)
	of := setFlags(c)
	p.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return s.selected(c, f, of, &p, func(ctx context.Context, client *admin.Client, sel admin.Selection) error {
			return printAll(s.screen, client.Incidents(ctx, sel), "no incident matches", incidentColumns(), func(i admin.Incident) string { return i.ID })
		})
	}
	return c
}

func incidentColumns() []column[admin.Incident] {
	return []column[admin.Incident]{
		{"ID", func(i admin.Incident) string { return i.ID }},
		{"STATE", incidentState},
		{"READER", func(i admin.Incident) string { return i.Reader }},
		{"OBJECTS", func(i admin.Incident) string { return strconv.Itoa(i.Objects) }},
		{"COPIES", func(i admin.Incident) string { return strconv.Itoa(i.Copies) }},
		{"FIRST", func(i admin.Incident) string { return stamp(i.First) }},
		{"LAST", func(i admin.Incident) string { return stamp(i.Last) }},
		{"TITLE", func(i admin.Incident) string { return i.Title }},
	}
}

func incidentState(i admin.Incident) string {
	if !i.Open {
		return i.State + ", closed"
	}
	return i.State
}
