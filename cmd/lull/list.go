package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) list() *cobra.Command {
	var p pages
	c := &cobra.Command{
		Use:   "list [FILTER]",
		Short: "list copies of every kept fate; --fate narrows",
		Example: `  lull list --fate waiting --older 1h
  lull list --from 'root@*' --subject 'disk .* full' --json`,
		Args: none,
	}
	f := newFilters(c)
	p.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return s.selected(c, f, &p, func(ctx context.Context, client *admin.Client, sel admin.Selection) error {
			return printAll(s.screen, client.Copies(ctx, sel), "no copy matches", copyColumns(), func(c admin.Copy) string { return c.ID })
		})
	}
	return c
}

// selected asks the daemon for what the filter and the page select.
func (s *session) selected(c *cobra.Command, f filters, p *pages, do func(context.Context, *admin.Client, admin.Selection) error) error {
	text, err := f.text()
	if err != nil {
		return err
	}
	page, err := p.page(s.screen)
	if err != nil {
		return err
	}
	return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
		return do(ctx, client, admin.Selection{Page: page, Filter: text})
	})
}

// printAll prints a list that a filter selects: when it is empty, nothing matched.
func printAll[T any](s *screen, l *admin.Lines[T], none string, columns []column[T], id func(T) string) error {
	n, err := printPage(s, l, none, columns, id)
	if err == nil && n == 0 {
		return errNothing
	}
	return err
}

// printPage prints a list and, in a terminal, how many more there are.
func printPage[T any](s *screen, l *admin.Lines[T], none string, columns []column[T], id func(T) string) (int, error) {
	var last string
	columns[0].cell = remembering(columns[0].cell, id, &last)
	n, err := print(s, l, none, columns)
	if err == nil {
		more(s, l.More, last)
	}
	return n, err
}

// remembering notes the id of each row that is printed.
func remembering[T any](cell func(T) string, id func(T) string, last *string) func(T) string {
	return func(v T) string {
		*last = id(v)
		return cell(v)
	}
}

func copyColumns() []column[admin.Copy] {
	return []column[admin.Copy]{
		{"ID", func(c admin.Copy) string { return c.ID }},
		{"AGE", func(c admin.Copy) string { return span(time.Duration(c.Age) * time.Second) }},
		{"FATE", func(c admin.Copy) string { return c.Fate }},
		{"CLASS", func(c admin.Copy) string { return c.Class }},
		{"STATE", func(c admin.Copy) string { return dash(c.State) }},
		{"READER", func(c admin.Copy) string { return c.Reader }},
		{"OBJECT", func(c admin.Copy) string { return dash(c.Object) }},
		{"SUBJECT", func(c admin.Copy) string { return c.Subject }},
	}
}
