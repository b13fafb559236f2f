package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) forecast() *cobra.Command {
	var p pages
	c := &cobra.Command{
		Use:   "forecast [READER]",
		Short: "tell what each reader gets if nothing changes, and when",
		Args:  atMost(1, "one READER, or none for all"),
	}
	p.flags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		reader := ""
		if len(args) > 0 {
			reader = args[0]
		}
		page, err := p.page(s.screen)
		if err != nil {
			return err
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			n, err := printPage(s.screen, client.Forecast(ctx, reader, page), "nothing waits", forecastColumns(), func(f admin.Forecast) string { return f.Reader })
			if err == nil && n == 0 && reader != "" {
				return errNothing
			}
			return err
		})
	}
	return c
}

// atMost allows up to n arguments, and says what they are.
func atMost(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > n {
			return wrong("%s takes %s", c.CommandPath(), what)
		}
		return nil
	}
}

func forecastColumns() []column[admin.Forecast] {
	return []column[admin.Forecast]{
		{"READER", func(f admin.Forecast) string { return f.Reader }},
		{"MAILS", func(f admin.Forecast) string { return strconv.Itoa(f.Mails) }},
		{"COPIES", func(f admin.Forecast) string { return strconv.Itoa(f.Copies) }},
		{"KIND", func(f admin.Forecast) string { return dash(f.Kind) }},
		{"AT (UTC)", func(f admin.Forecast) string { return stamp(f.At) }},
		{"NOTE", func(f admin.Forecast) string { return f.Note }},
	}
}
