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
  lull list --from 'root@*' --subject 'disk .* full' --json
  lull list --digest 01M87P0YSTYMNAZWXF47451RD9     # what that digest told`,
		Args: none,
	}
	f := newFilters(c)
	of := setFlags(c)
	p.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return s.selected(c, f, of, &p, func(ctx context.Context, client *admin.Client, sel admin.Selection) error {
			return printAll(s.screen, client.Copies(ctx, sel), "no copy matches", copyColumns(), func(c admin.Copy) string { return c.ID })
		})
	}
	return c
}

// sets are the copies of one mail that lull sent, or of one operation: what a
// list shows of them, and no filter can say of mail to come.
type sets struct{ digest, operation string }

func setFlags(c *cobra.Command) *sets {
	of := &sets{}
	c.Flags().StringVar(&of.digest, "digest", "", "only what the digest, or first notice, of that `ID` told")
	c.Flags().StringVar(&of.operation, "operation", "", "only what the operation of that `ID` touched")
	return of
}

// more is what a selection says of them.
func (of *sets) more() map[string]string {
	more := make(map[string]string)
	for name, id := range map[string]string{"digest": of.digest, "operation": of.operation} {
		if id != "" {
			more[name] = id
		}
	}
	return more
}

// selected asks the daemon for what the filter, the sets and the page select.
func (s *session) selected(c *cobra.Command, f filters, of *sets, p *pages, do func(context.Context, *admin.Client, admin.Selection) error) error {
	text, err := f.text()
	if err != nil {
		return err
	}
	page, err := p.page(s.screen)
	if err != nil {
		return err
	}
	return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
		return do(ctx, client, admin.Selection{Page: page, Filter: text, More: of.more()})
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
