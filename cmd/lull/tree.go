package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lull/cmd/internal/config"
	"lull/relay/admin"
)

// session is what the commands of one invocation share.
type session struct {
	in     io.Reader
	screen *screen
	state  string
	config string
}

// tree is the whole command line.
func tree(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:   "lull",
		Short: "turn alert storms into one bounded digest an hour",
		Long: `lull is an SMTP relay that stands in front of a mail server as its smarthost.
Alert mail is accepted at once, made durable, grouped by incident, and told to
each reader in an hourly digest. Human mail passes through untouched.

"lull serve" is the daemon; the other commands talk to it.
Exit codes: 0 done, 1 nothing matched, 2 refused or wrong usage, 75 the daemon is not there.`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return wrong("there is no command %q; `lull --help` lists them", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return wrong("%s; `%s --help` lists the flags", flagFault(err), c.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringVar(&s.state, "state", "", "state `FOLDER` of the daemon (default: that of the config, else ./lull-state)")
	f.StringVar(&s.config, "config", os.Getenv("LULL_CONFIG"), "configuration `FILE` (default: $LULL_CONFIG)")
	f.BoolVar(&s.screen.json, "json", false, "one JSON object a line")
	for _, group := range s.commands() {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title + ":"})
		for _, c := range group.commands {
			c.GroupID = group.title
			root.AddCommand(c)
		}
	}
	root.AddCommand(s.checkDatabase(), s.document())
	return root
}

// group of commands, as help shows them.
type group struct {
	title    string
	commands []*cobra.Command
}

func (s *session) commands() []group {
	return []group{
		{"The daemon", []*cobra.Command{s.serve(), s.configuration()}},
		{"See", []*cobra.Command{s.status(), s.list(), s.incidents(), s.group(), s.show(), s.why(), s.forecast(), s.digest(), s.signature(), s.demo()}},
		{"Act", []*cobra.Command{s.change("hold"), s.change("release"), s.change("purge"), s.undo(), s.rule(), s.importing()}},
		{"Account", []*cobra.Command{s.operations(), s.trash(), s.rules(), s.verify(), s.bound()}},
	}
}

// none demands that there be no arguments beside flags.
func none(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return wrong("%s takes no argument %q; filters and options are written --key value, see `%[1]s --help`", c.CommandPath(), args[0])
	}
	return nil
}

// ask runs a command's work with a client of the daemon.
func (s *session) ask(ctx context.Context, do func(ctx context.Context, c *admin.Client) error) error {
	folder := s.state
	if folder == "" {
		var err error
		if folder, err = config.State(s.config); err != nil {
			return err
		}
	}
	c := admin.NewClient(folder)
	defer c.Close()
	s.screen.working("the daemon is at work")
	defer s.screen.quiet()
	return do(ctx, c)
}

// version is that of the module, or of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return info.Main.Version
}

// flagFault says what is wrong with a flag: for a number without the names
// that Go's parser has for it.
func flagFault(err error) string {
	var value *pflag.InvalidValueError
	var number *strconv.NumError
	if errors.As(err, &value) && errors.As(err, &number) {
		return fmt.Sprintf("--%s %s: must be a whole number", value.GetFlag().Name, value.GetValue())
	}
	return err.Error()
}
