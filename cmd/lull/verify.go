package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) verify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "recount every accepted copy; exit 2 on any difference",
		Args:  none,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
				v, err := client.Verify(ctx)
				if err != nil {
					return err
				}
				if err := s.screen.either(v, recount(v)); err != nil {
					return err
				}
				if v.Differences > 0 {
					return errDiffers
				}
				return nil
			})
		},
	}
}

func recount(v admin.Verified) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d accepted, %d of them removed after their time\n", v.Accepted, v.Sealed)
	for _, fate := range slices.Sorted(maps.Keys(v.ByFate)) {
		fmt.Fprintf(b, "  %-9s %d\n", fate, v.ByFate[fate])
	}
	for _, found := range v.Found {
		fmt.Fprintln(b, "  difference: "+plain(found))
	}
	fmt.Fprintln(b, counted(v.Differences, "difference", "differences"))
	return b.String()
}

func (s *session) bound() *cobra.Command {
	var p pages
	c := &cobra.Command{
		Use:   "bound",
		Short: "tell the most mails that each reader got in any window, from the slots",
		Args:  none,
	}
	p.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		page, err := p.page(s.screen)
		if err != nil {
			return err
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			_, err := printPage(s.screen, client.Bound(ctx, page), "no reader was sent anything yet", boundColumns(), func(b admin.Bound) string { return b.Reader })
			return err
		})
	}
	return c
}

func boundColumns() []column[admin.Bound] {
	return []column[admin.Bound]{
		{"READER", func(b admin.Bound) string { return b.Reader }},
		{"MAX IN WINDOW", func(b admin.Bound) string { return strconv.Itoa(b.Max) }},
		{"BUDGET", func(b admin.Bound) string { return strconv.Itoa(b.Budget) }},
		{"WINDOW", func(b admin.Bound) string { return span(time.Duration(b.Window * float64(time.Second))) }},
		{"SLOTS", func(b admin.Bound) string { return strconv.Itoa(b.Slots) }},
		{"OVER", func(b admin.Bound) string { return yes(b.Over) }},
	}
}
