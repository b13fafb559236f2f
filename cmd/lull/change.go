package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lull/relay/admin"
	"lull/store/filter"
)

// changing are the flags of hold, release and purge.
type changing struct {
	filters
	all, act, forever bool
	reason            string
	standing          string
	token             string
}

func (s *session) change(kind string) *cobra.Command {
	c := &cobra.Command{
		Use:   kind + " FILTER --reason R",
		Short: changeHelp(kind),
		Long: changeHelp(kind) + `.

Without --yes or --token this is a dry run: it counts what the filter matches,
by reader and by incident, shows five samples, and prints a token. Acting with
the token touches what was shown, and nothing that came later.`,
		Example: `  lull ` + kind + ` --from 'cron@*' --subject 'LDAP' --reason "LDAP outage T234"`,
		Args:    none,
	}
	ch := changing{filters: newFilters(c)}
	c.Flags().BoolVar(&ch.all, "all", false, "match everything: typed in place of a filter")
	c.Flags().StringVar(&ch.reason, "reason", "", "why, for the record of operations (required to act)")
	c.Flags().StringVar(&ch.token, "token", "", "act on what a dry run showed")
	c.Flags().BoolVar(&ch.act, "yes", false, "act at once, without a dry run")
	if kind != "release" {
		c.Flags().StringVar(&ch.standing, "for", "", "also "+kind+" what still arrives, for this `AGE` (6h, 2d)")
	}
	if kind == "purge" {
		c.Flags().BoolVar(&ch.forever, "forever", false, "delete for good at once: no trash, no undo; with --fate purged, what is in the trash")
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		change, err := ch.change(kind)
		if err != nil {
			return err
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			done, err := client.Change(ctx, change)
			if err != nil {
				return err
			}
			return s.changed(done, change)
		})
	}
	return c
}

func changeHelp(kind string) string {
	switch kind {
	case "hold":
		return "keep copies from being sent, until they are released"
	case "release":
		return "end holds: the copies go into the next digest, never out singly"
	}
	return "move copies to the trash, from where undo restores them"
}

func (ch *changing) change(kind string) (admin.Change, error) {
	text, err := ch.text()
	if err != nil {
		return admin.Change{}, err
	}
	standing, err := age("--for", ch.standing)
	if err != nil {
		return admin.Change{}, err
	}
	return admin.Change{
		Kind: kind, Filter: text, All: ch.all, Reason: ch.reason, For: standing,
		Forever: ch.forever, Token: ch.token, Act: ch.act || ch.token != "",
	}, nil
}

// age reads a length of time from a flag; an empty one is none.
func age(flag, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := filter.Age(text)
	if err != nil {
		return 0, wrong("%s %s: %v", flag, text, err)
	}
	return d, nil
}

// changed prints an operation or a dry run; of nothing at all, it says so.
func (s *session) changed(c admin.Changed, asked admin.Change) error {
	text := receipt(c)
	if c.DryRun {
		text = dryRun(c, asked)
	}
	err := s.screen.either(c, text)
	if err == nil && c.Copies == 0 && c.Operation == "" && c.Token == "" {
		return errNothing
	}
	return err
}

// dryRun is what an operation would do, for people.
func dryRun(c admin.Changed, asked admin.Change) string {
	if c.Copies == 0 && c.Token == "" {
		return "nothing matches" + inFlight(c) + "\n"
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "dry run: %s would touch %s%s\n", c.Kind, scope(c), inFlight(c))
	fmt.Fprint(b, groups("reader", c.ByReader, c.Readers), groups("incident", c.ByIncident, c.Incidents))
	for i, sample := range c.Samples {
		if i == 0 {
			fmt.Fprintln(b, "samples:")
		}
		fmt.Fprintf(b, "  %s  %s  <%s>  %s\n", sample.ID, span(time.Duration(sample.Age)*time.Second), plain(sample.From), plain(sample.Subject))
	}
	if c.Expires != "" {
		fmt.Fprintf(b, "a standing rule would do the same to what arrives until %s\n", c.Expires)
	}
	reason := asked.Reason
	if reason == "" {
		reason = "…"
	}
	fmt.Fprintf(b, "act with: lull %s --token %s --reason '%s'\n", c.Kind, c.Token, strings.ReplaceAll(plain(reason), "'", `'\''`))
	return b.String()
}

func groups(by string, list []admin.Group, all int) string {
	b := &strings.Builder{}
	for i, g := range list {
		if i == 0 {
			fmt.Fprintf(b, "by %s:\n", by)
		}
		fmt.Fprintf(b, "  %7d  %s\n", g.Copies, plain(strings.TrimSpace(dash(g.Key)+"  "+g.Title)))
	}
	if all > len(list) {
		fmt.Fprintf(b, "           and %d more\n", all-len(list))
	}
	return b.String()
}

func scope(c admin.Changed) string {
	return counted(c.Copies, "copy", "copies") + ", " + counted(c.Incidents, "incident", "incidents") + ", " + counted(c.Readers, "reader", "readers")
}

func inFlight(c admin.Changed) string {
	if c.InFlight == 0 {
		return ""
	}
	return fmt.Sprintf("; %d in flight are left alone", c.InFlight)
}

// receipt is what an operation did, for people.
func receipt(c admin.Changed) string {
	if c.Operation == "" {
		return "nothing matches: nothing was done\n"
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s %s: %s%s\n", c.Kind, c.Operation, scope(c), inFlight(c))
	if c.Left > 0 {
		fmt.Fprintf(b, "%s that the dry run showed had left since\n", counted(c.Left, "copy", "copies"))
	}
	if c.Rule != "" {
		fmt.Fprintf(b, "standing rule %s\n", c.Rule)
	}
	fmt.Fprint(b, moved(c))
	if c.Release != "" {
		fmt.Fprintf(b, "what it holds stays held; let it go with: %s\n", c.Release)
	}
	if c.Undo != "" {
		fmt.Fprintf(b, "undo with: %s\n", c.Undo)
	}
	return b.String()
}

// moved is where a grouping rule took what was there.
func moved(c admin.Changed) string {
	b := &strings.Builder{}
	for _, m := range c.Moves {
		fmt.Fprintf(b, "  %s %s %q went to %s %q", counted(m.Copies, "copy of", "copies of"), m.From, plain(m.FromTitle), m.To, plain(m.ToTitle))
		if m.ToKey != "" {
			fmt.Fprintf(b, " (key %q)", plain(m.ToKey))
		}
		fmt.Fprintln(b)
	}
	if more := c.Moved - len(c.Moves); more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
	return b.String()
}
