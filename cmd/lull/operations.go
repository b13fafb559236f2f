package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) undo() *cobra.Command {
	return &cobra.Command{
		Use:   "undo OPERATION",
		Short: "take an operation back, with its standing rule and what that took",
		Args:  exactly(1, "the OPERATION to take back; `lull operations` lists them"),
		RunE: func(c *cobra.Command, args []string) error {
			return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
				done, err := client.Undo(ctx, args[0])
				if err != nil {
					return err
				}
				return s.screen.either(done, undoing(done))
			})
		},
	}
}

func (s *session) operations() *cobra.Command {
	return s.operationList("operations", "list what operators did, oldest first", false, "no operation yet")
}

func (s *session) trash() *cobra.Command {
	return s.operationList("trash", "list purges whose copies can still be restored with undo", true, "the trash is empty")
}

// operationList lists all operations, or those that filled the trash.
func (s *session) operationList(use, short string, trash bool, empty string) *cobra.Command {
	var p pages
	c := &cobra.Command{Use: use, Short: short, Args: none}
	p.flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		page, err := p.page(s.screen)
		if err != nil {
			return err
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			_, err := printPage(s.screen, client.Operations(ctx, trash, page), empty, operationColumns(), func(o admin.Operation) string { return o.Operation })
			return err
		})
	}
	return c
}

func operationColumns() []column[admin.Operation] {
	return []column[admin.Operation]{
		{"OPERATION", func(o admin.Operation) string { return o.Operation }},
		{"KIND", func(o admin.Operation) string { return o.Kind }},
		{"AT (UTC)", func(o admin.Operation) string { return stamp(o.At) }},
		{"BY", func(o admin.Operation) string { return o.By }},
		{"COPIES", func(o admin.Operation) string { return strconv.Itoa(o.Copies) }},
		{"CAUGHT", func(o admin.Operation) string { return strconv.Itoa(o.Caught) }},
		{"GONE", func(o admin.Operation) string { return gone(o) }},
		{"UNDONE", func(o admin.Operation) string { return undone(o) }},
		{"REASON", func(o admin.Operation) string { return o.Reason }},
		{"FILTER", func(o admin.Operation) string { return o.Filter }},
	}
}

func undone(o admin.Operation) string {
	if !o.Undone {
		return "no"
	}
	return "by " + o.UndoneBy
}

// undoing is what an undo did, for people.
func undoing(c admin.Changed) string {
	caught := ""
	if c.Caught > 0 {
		caught = fmt.Sprintf(", and %d that its rule had caught", c.Caught)
	}
	gone := ""
	if c.Gone > 0 {
		gone = fmt.Sprintf("%s of these had been deleted for good since (purge --forever), and stay so\n", counted(c.Gone, "copy", "copies"))
	}
	return fmt.Sprintf("%s %s is undone: %s%s\n%s", c.Kind, c.Operation, scope(c), caught, gone)
}

// gone is how much of an operation no undo brings back.
func gone(o admin.Operation) string {
	switch {
	case o.Forever:
		return "all"
	case o.Gone > 0:
		return strconv.Itoa(o.Gone)
	}
	return "-"
}
