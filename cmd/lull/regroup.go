package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) testRule() *cobra.Command {
	change := admin.RuleChange{Kind: "group"}
	c := &cobra.Command{
		Use:   "test FILTER --key K",
		Short: "show which incidents a grouping rule would have split and merged",
		Long: `Gives every alert that is kept to a grouping rule, and shows which incidents it
would have split, and which it would have made one. Nothing is changed.`,
		Example: `  lull rule test --subject '^Job (?P<job>\S+) failed' --key '{job}'`,
		Args:    none,
	}
	f := newFilters(c)
	c.Flags().BoolVar(&change.All, "all", false, "match everything: typed in place of a filter")
	c.Flags().StringVar(&change.Key, "key", "", keyHelp)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var err error
		if change.Filter, err = f.text(); err != nil {
			return err
		}
		return s.rehearse(c.Context(), change)
	}
	return c
}

const keyHelp = "incident `KEY` of a group rule, from {signature}, {object}, {from}, {client}, {id}, {1} or named groups"

func (s *session) splitIncident() *cobra.Command {
	c := &cobra.Command{
		Use:   "split INCIDENT --by object --reason R",
		Short: "say \"these are two\": group the mail of an incident more finely",
		Long: `Leaves a grouping rule for mail of the incident's signatures, for every reader:
for mail to come, and for what waits or is held now, with its incidents. Copies in
flight stay where they are. It is an operation: lull undo takes it back, with what
came under it since.`,
		Example: `  lull rule split i42 --by object --dry-run
  lull rule split i42 --by object --reason "each host is repaired by somebody else"`,
		Args: exactly(1, "the INCIDENT to split; `lull incidents` lists them"),
	}
	var by string
	c.Flags().StringVar(&by, "by", "object", "what tells them apart: "+strings.Join(admin.Splits(), ", "))
	s.corrects(c, func(args []string) admin.RuleChange {
		return admin.RuleChange{Kind: "split", Incidents: args, By: by}
	})
	return c
}

func (s *session) mergeIncidents() *cobra.Command {
	c := &cobra.Command{
		Use:   "merge INCIDENT INCIDENT… --reason R",
		Short: "say \"these are one\": group the mail of incidents under the first",
		Long: `Leaves a grouping rule for mail of the incidents' signatures, for every reader:
for mail to come, and for what waits or is held now, with its incidents: the next
digest tells one. Copies in flight stay where they are. It is an operation: lull undo
takes it back, with what came under it since.`,
		Example: `  lull rule merge i42 i57 --reason "both tell that NFS is gone"`,
		Args:    cobra.ArbitraryArgs,
	}
	s.corrects(c, func(args []string) admin.RuleChange {
		return admin.RuleChange{Kind: "merge", Incidents: args}
	})
	return c
}

// corrects makes a command that corrects the grouping, or shows what that
// would do.
func (s *session) corrects(c *cobra.Command, changeOf func(args []string) admin.RuleChange) {
	var reason, standing string
	var dry bool
	c.Flags().StringVar(&reason, "reason", "", "why, for the record of operations (required)")
	c.Flags().StringVar(&standing, "for", "", "how long it stands, as `AGE` (6h, 2d); for good without")
	c.Flags().BoolVar(&dry, "dry-run", false, "show what it would have done with the mail that is kept")
	c.RunE = func(c *cobra.Command, args []string) error {
		change := changeOf(args)
		var err error
		if change.For, err = age("--for", standing); err != nil {
			return err
		}
		if dry {
			return s.rehearse(c.Context(), change)
		}
		verb := change.Kind
		change.Reason = reason
		return s.changeRule(c.Context(), verb, change)
	}
}

// rehearse shows what a grouping rule would have done.
func (s *session) rehearse(ctx context.Context, change admin.RuleChange) error {
	return s.ask(ctx, func(ctx context.Context, client *admin.Client) error {
		t, err := client.TestRule(ctx, change)
		if err != nil {
			return err
		}
		if err := s.screen.either(t, rehearsed(t)); err != nil {
			return err
		}
		if t.Matched == 0 {
			return errNothing
		}
		return nil
	})
}

// rehearsed is the outcome for people.
func rehearsed(t admin.RuleTested) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d of %s match %s\n", t.Matched, counted(t.Copies, "alert", "alerts"), t.Filter)
	fmt.Fprintf(b, "key %s: splits %s, makes one of several %s\n", t.Key,
		counted(len(t.Splits), "incident", "incidents"), counted(len(t.Merges), "time", "times"))
	for _, g := range t.Splits {
		regrouped(b, "would split", "into", g)
	}
	for _, g := range t.Merges {
		regrouped(b, "would be one", "from", g)
	}
	return b.String()
}

func regrouped(b *strings.Builder, what, parts string, g admin.Regrouped) {
	fmt.Fprintf(b, "\n%s, %s: %s (%s)\n", what, g.Reader, entitled(g.Part), counted(g.Copies, "mail", "mails"))
	for _, p := range g.Parts {
		fmt.Fprintf(b, "  %s %s (%s)\n", parts, entitled(p), counted(p.Copies, "mail", "mails"))
	}
	if more := g.Of - len(g.Parts); more > 0 {
		fmt.Fprintf(b, "  and %d more\n", more)
	}
}

// entitled names the mail under one key: by its incident, or by the key that
// is new.
func entitled(p admin.Part) string {
	if p.Incident == "" {
		return fmt.Sprintf("key %q", p.Key)
	}
	return fmt.Sprintf("incident %s %q", p.Incident, p.Title)
}
