package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lull/cmd/internal/config"
)

// document writes the man pages and the sample configuration, from the command
// tree and the configuration's fields alone.
func (s *session) document() *cobra.Command {
	return &cobra.Command{
		Use:    "gen-docs FOLDER",
		Short:  "write man pages and the sample configuration below a folder",
		Hidden: true,
		Args:   exactly(1, "the FOLDER to write to: docs"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(filepath.Join(args[0], "man"), 0o755); err != nil {
				return err
			}
			for name, text := range documents(c.Root()) {
				if err := os.WriteFile(filepath.Join(args[0], name), []byte(text), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// documents are all generated files, by their path below docs.
func documents(root *cobra.Command) map[string]string {
	files := map[string]string{"man/lull.toml.5": configPage(), "man/lull.toml.sample": config.Sample()}
	files["man/lull-sendmail.8"], files["man/lull-mailq.1"] = mailPage(), queuePage()
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			return
		}
		files["man/"+strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"] = manPage(c)
		for _, sub := range c.Commands() {
			add(sub)
		}
	}
	add(root)
	return files
}

// roff is a man page in the making.
type roff struct{ strings.Builder }

func newRoff(title, section string) *roff {
	r := &roff{}
	fmt.Fprintf(r, ".TH %q %q \"\" \"lull\" \"lull\"\n", strings.ToUpper(title), section)
	return r
}

// text is plain text as roff: nothing in it is a request.
func (r *roff) text(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func (r *roff) section(name string) { fmt.Fprintf(r, ".SH %s\n", name) }

func (r *roff) paragraphs(s string) {
	for i, p := range strings.Split(strings.TrimSpace(s), "\n\n") {
		if i > 0 {
			fmt.Fprintln(r, ".PP")
		}
		fmt.Fprintln(r, r.text(p))
	}
}

func (r *roff) item(head, body string) {
	fmt.Fprintf(r, ".TP\n%s\n%s\n", head, r.text(body))
}

func (r *roff) bold(s string) string { return `\fB` + r.text(s) + `\fR` }

func (r *roff) verbatim(s string) {
	fmt.Fprintf(r, ".nf\n%s\n.fi\n", r.text(strings.TrimRight(s, "\n")))
}

func manPage(c *cobra.Command) string {
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	r := newRoff(name, "1")
	r.section("NAME")
	fmt.Fprintf(r, "%s \\- %s\n", r.text(name), r.text(c.Short))
	r.section("SYNOPSIS")
	fmt.Fprintln(r, r.bold(strings.TrimSuffix(c.UseLine(), " [flags]")))
	r.section("DESCRIPTION")
	r.paragraphs(described(c))
	r.commands(c)
	r.flags("OPTIONS", c.NonInheritedFlags())
	r.flags("OPTIONS OF EVERY COMMAND", c.InheritedFlags())
	if c.Example != "" {
		r.section("EXAMPLES")
		r.verbatim(c.Example)
	}
	r.section("EXIT STATUS")
	fmt.Fprintln(r, r.text("0 done, 1 nothing matched, 2 refused or wrong usage, 75 the daemon is not there."))
	return r.String()
}

// described is a command's description as sentences.
func described(c *cobra.Command) string {
	text := c.Short + "."
	if c.Long != "" {
		text = c.Long
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func (r *roff) commands(c *cobra.Command) {
	begun := false
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if !begun {
			r.section("COMMANDS")
			begun = true
		}
		r.item(r.bold(sub.Name()), sub.Short)
	}
}

func (r *roff) flags(title string, flags *pflag.FlagSet) {
	begun := false
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		if !begun {
			r.section(title)
			begun = true
		}
		value, help := pflag.UnquoteUsage(f)
		head := r.bold("--" + f.Name)
		if value != "" {
			head += ` \fI` + r.text(value) + `\fR`
		}
		r.item(head, help)
	})
}

// configPage is the man page of the configuration file.
func configPage() string {
	r := newRoff("lull.toml", "5")
	r.section("NAME")
	fmt.Fprintln(r, `lull.toml \- configuration of lull`)
	r.section("DESCRIPTION")
	r.paragraphs("A TOML file, named with --config. Every key is optional; one that is not known is a fault. `lull config check` tells every fault at once, `lull config show` the effective values.\n\nTimes are written 90s, 10m, 1h30m, 7d; sizes 4096, 100kB, 50MB, 2GB. The defaults of times scale with the window.")
	r.section("KEYS")
	for _, k := range config.Reference() {
		help := k.Help
		if k.Default != "" && k.Default != `""` && k.Default != "[]" {
			help += " (default: " + k.Default + ")"
		}
		r.item(r.bold(k.Key), help)
	}
	return r.String()
}
