package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) show() *cobra.Command {
	var raw bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "show one copy, or each copy of a message",
		Args:  exactly(1, "the ID of a copy or a message; `lull list` shows them"),
	}
	c.Flags().BoolVar(&raw, "raw", false, "the message as it was received, byte for byte")
	c.RunE = func(c *cobra.Command, args []string) error {
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			if raw {
				return client.Raw(ctx, args[0], s.screen)
			}
			return each(s.screen, client.Show(ctx, args[0]), sheet)
		})
	}
	return c
}

func (s *session) why() *cobra.Command {
	return &cobra.Command{
		Use:   "why ID",
		Short: "explain why a copy is where it is, and when it will go",
		Args:  exactly(1, "the ID of a copy or a message; `lull list` shows them"),
		RunE: func(c *cobra.Command, args []string) error {
			return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
				return each(s.screen, client.Why(ctx, args[0]), reasons)
			})
		},
	}
}

// exactly demands so many arguments, and says what they are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return wrong("%s needs %s", c.CommandPath(), what)
		}
		return nil
	}
}

// each prints every object of a list on a sheet of its own.
func each[T any](s *screen, l *admin.Lines[T], text func(T) string) error {
	first := true
	for v, err := range l.All() {
		switch {
		case err != nil:
			return err
		case s.json:
			err = s.object(v)
		case first:
			err = s.write(text(v))
		default:
			err = s.write("\n" + text(v))
		}
		if err != nil {
			return err
		}
		first = false
	}
	return nil
}

func sheet(d admin.Detail) string {
	b := &strings.Builder{}
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "%-10s %s\n", name, plain(value))
		}
	}
	line("copy", d.ID)
	line("fate", d.Fate+bracketed(d.In))
	line("class", d.Class+bracketed(d.Reason))
	line("sender", "<"+d.From+">")
	line("recipient", "<"+d.To+">")
	line("reader", d.Reader)
	line("client", strings.TrimSpace(d.Client+" "+d.Helo))
	line("accepted", stamp(d.Accepted)+" UTC, "+span(time.Duration(d.Age)*time.Second)+" old")
	line("From", d.HeaderFrom)
	line("Subject", d.Subject)
	line("Message-ID", d.MessageID)
	line("size", sizeOf(d.Size))
	line("signature", d.Signature+bracketed(d.Format))
	line("title", d.Title)
	line("incident", d.Incident)
	for _, r := range d.Reports {
		line("report", strings.TrimSpace(dash(r.Object)+": "+r.State+" "+r.Severity+" "+r.Kind))
	}
	line("marks", strings.Join(d.Marks, ", "))
	for _, name := range slices.Sorted(maps.Keys(d.Options)) {
		line(name, d.Options[name])
	}
	if d.Attempts > 0 {
		line("attempts", fmt.Sprintf("%d, the last: %s", d.Attempts, d.Reply))
	}
	for text := range strings.SplitSeq(strings.TrimRight(d.Excerpt, "\n"), "\n") {
		line("  |", text)
	}
	return b.String()
}

func reasons(w admin.Why) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s is %s.\n", plain(w.ID), w.Fate)
	for _, step := range w.Steps {
		fmt.Fprintln(b, "  "+plain(step))
	}
	return b.String()
}
