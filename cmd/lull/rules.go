package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) rules() *cobra.Command {
	var p pages
	var ended bool
	c := &cobra.Command{Use: "rules", Short: "list the standing rules", Args: none}
	p.flags(c)
	c.Flags().BoolVar(&ended, "ended", false, "list those that have ended, too")
	c.RunE = func(c *cobra.Command, _ []string) error {
		page, err := p.page(s.screen)
		if err != nil {
			return err
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			_, err := printPage(s.screen, client.Rules(ctx, ended, page), "no rule stands", ruleColumns(), func(r admin.Rule) string { return r.ID })
			return err
		})
	}
	return c
}

func ruleColumns() []column[admin.Rule] {
	return []column[admin.Rule]{
		{"ID", func(r admin.Rule) string { return r.ID }},
		{"KIND", func(r admin.Rule) string { return r.Kind }},
		{"ACTIVE", func(r admin.Rule) string { return yes(r.Active) }},
		{"EXPIRES (UTC)", func(r admin.Rule) string { return stamp(r.Expires) }},
		{"CAUGHT", func(r admin.Rule) string { return strconv.Itoa(r.Caught) }},
		{"BY", func(r admin.Rule) string { return r.By }},
		{"REASON", func(r admin.Rule) string { return r.Reason }},
		{"FILTER", func(r admin.Rule) string { return r.Filter }},
	}
}

func (s *session) rule() *cobra.Command {
	c := &cobra.Command{Use: "rule", Short: "add, test, extend or end a standing rule; split and merge incidents", RunE: incomplete}
	c.AddCommand(s.addRule(), s.testRule(), s.splitIncident(), s.mergeIncidents(), s.extendRule(), s.removeRule())
	return c
}

// incomplete answers a command that is nothing without one of its subcommands.
func incomplete(c *cobra.Command, _ []string) error {
	return wrong("%s needs a subcommand; `%[1]s --help` lists them", c.CommandPath())
}

func (s *session) addRule() *cobra.Command {
	var change admin.RuleChange
	var standing string
	c := &cobra.Command{
		Use:   "add hold|purge|silence|group FILTER --reason R",
		Short: "add a standing rule for mail to come; a group rule acts on what waits, too",
		Example: `  lull rule add silence --subject 'puppet run' --for 2d --reason "upgrade T235"
  lull rule add group --subject '^Job (?P<job>\S+) failed' --key '{job}' --reason "one incident a job"`,
		Args: exactly(1, "the kind of rule: hold, purge, silence or group"),
	}
	f := newFilters(c)
	c.Flags().BoolVar(&change.All, "all", false, "match everything: typed in place of a filter")
	c.Flags().StringVar(&change.Reason, "reason", "", "why, for the record of operations (required)")
	c.Flags().StringVar(&change.Key, "key", "", keyHelp)
	c.Flags().StringVar(&standing, "for", "", "how long the rule stands, as `AGE` (6h, 2d); silence and group may do without")
	c.RunE = func(c *cobra.Command, args []string) error {
		var err error
		if change.Filter, err = f.text(); err != nil {
			return err
		}
		if change.For, err = age("--for", standing); err != nil {
			return err
		}
		change.Kind = args[0]
		return s.changeRule(c.Context(), "add", change)
	}
	return c
}

func (s *session) extendRule() *cobra.Command {
	var change admin.RuleChange
	var standing string
	c := &cobra.Command{
		Use:   "extend RULE --for 6h --reason R",
		Short: "let a rule stand for so long from now",
		Args:  exactly(1, "the RULE to extend; `lull rules` lists them"),
	}
	c.Flags().StringVar(&standing, "for", "", "how long the rule stands from now, as `AGE` (6h, 2d)")
	c.Flags().StringVar(&change.Reason, "reason", "", "why, for the record of operations (required)")
	c.RunE = func(c *cobra.Command, args []string) error {
		var err error
		if change.For, err = age("--for", standing); err != nil {
			return err
		}
		change.ID = args[0]
		return s.changeRule(c.Context(), "extend", change)
	}
	return c
}

func (s *session) removeRule() *cobra.Command {
	var change admin.RuleChange
	c := &cobra.Command{
		Use:   "rm RULE --reason R",
		Short: "end a rule now, for mail to come; what it holds stays held",
		Args:  exactly(1, "the RULE to end; `lull rules` lists them"),
	}
	c.Flags().StringVar(&change.Reason, "reason", "", "why, for the record of operations (required)")
	c.RunE = func(c *cobra.Command, args []string) error {
		change.ID = args[0]
		return s.changeRule(c.Context(), "rm", change)
	}
	return c
}

func (s *session) changeRule(ctx context.Context, verb string, change admin.RuleChange) error {
	return s.ask(ctx, func(ctx context.Context, client *admin.Client) error {
		done, err := client.ChangeRule(ctx, verb, change)
		if err != nil {
			return err
		}
		return s.screen.either(done, receipt(done))
	})
}
