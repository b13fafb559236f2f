package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"lull/cmd/internal/demo"
)

// demonstration is what `lull demo` was asked for.
type demonstration struct {
	variant string
	out     string
	serve   string
	seed    uint64
	tools   int
}

func (s *session) demo() *cobra.Command {
	var d demonstration
	c := &cobra.Command{
		Use:   "demo",
		Short: "replay the mail storm of 2019-10-07, with and without lull; needs no daemon",
		Long: `replay the mail storm of 2019-10-07, with and without lull; needs no daemon

More than 20,000 mails go through the real SMTP server, store and engine, driven
through the day by a clock of its own, in front of a mail server that hangs from
15:45 to 19:06: one that refuses, one that accepts and holds, and one that holds
while release_check watches it. "Without" is a model of the day: the mail server
queues while it hangs, then lets three mails a second go until an operator
clears its queue at 20:15.

The digests of the reader who was hit hardest are written as .eml and .html.`,
		Example: "  lull demo\n  lull demo --variant refuses --serve 127.0.0.1:8025",
		Args:    none,
	}
	f := c.Flags()
	f.StringVar(&d.variant, "variant", "", "only one mail server: refuses, holds or watched")
	f.StringVar(&d.out, "out", "lull-demo", "`FOLDER` for the digests")
	f.StringVar(&d.serve, "serve", "", "then show the digests in a browser at this `ADDRESS`, until interrupted")
	f.Uint64Var(&d.seed, "seed", 1, "of the day's chances; the same seed is the same day")
	f.IntVar(&d.tools, "tools", 0, "how many tools have failing jobs (default 420)")
	c.RunE = func(c *cobra.Command, _ []string) error { return s.demonstrate(c.Context(), d) }
	return c
}

func (s *session) demonstrate(ctx context.Context, d demonstration) error {
	variants := demo.Variants()
	if d.variant != "" {
		if !slices.Contains(variants, demo.Variant(d.variant)) {
			return wrong("--variant %s: there are refuses, holds and watched", d.variant)
		}
		variants = []demo.Variant{demo.Variant(d.variant)}
	}
	var faults error
	for _, v := range variants {
		report, err := s.replay(ctx, v, d)
		if err != nil {
			return err
		}
		if err := s.tell(report, d.out); err != nil {
			return err
		}
		faults = errors.Join(faults, broken(report))
	}
	if faults != nil || d.serve == "" {
		return faults
	}
	return s.showPages(ctx, d)
}

// replay runs one variant in a folder that is removed afterwards.
func (s *session) replay(ctx context.Context, v demo.Variant, d demonstration) (demo.Report, error) {
	dir, err := os.MkdirTemp("", "lull-demo-")
	if err != nil {
		return demo.Report{}, err
	}
	defer os.RemoveAll(dir)
	return demo.Run(ctx, demo.Options{Dir: dir, Variant: v, Seed: d.seed, Tools: d.tools, Progress: s.bar(v)})
}

// bar draws how far a replay is, where somebody looks.
func (s *session) bar(v demo.Variant) func(done, total int, at time.Time) {
	if s.screen.rows == 0 || s.screen.json {
		return nil
	}
	const width = 40
	shown := -1
	return func(done, total int, at time.Time) {
		minute := at.Hour()*60 + at.Minute()
		if minute == shown {
			return
		}
		shown = minute
		full := strings.Repeat("█", done*width/total)
		fmt.Fprintf(s.screen.errs, "\r%-8s %s %s%s %6d of %d mails", v, at.Format("15:04"), full, strings.Repeat("·", width-len([]rune(full))), done, total)
		if done == total {
			fmt.Fprint(s.screen.errs, "\r\033[K")
		}
	}
}

func (s *session) tell(r demo.Report, out string) error {
	pages, err := r.Write(out)
	if err != nil {
		return err
	}
	if s.screen.json {
		return s.screen.object(r)
	}
	return s.screen.write(table2019(r) + fmt.Sprintf("%d digests of the reader who was hit hardest are in %s/%s-*\n\n", len(pages), out, r.Variant))
}

// table2019 is the day in one table.
func table2019(r demo.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The mail server %s. %d mails for %d readers.\n", map[demo.Variant]string{
		demo.Refuses: "refuses while it hangs",
		demo.Holds:   "accepts while it hangs, and lets go after its reboot",
		demo.Watched: "accepts and holds while it hangs, and release_check notices",
	}[r.Variant], r.Mails, r.Readers)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tREADERS\tMAILS WITHOUT\tWITH\tWORST HOUR WITHOUT\tWITH\tFIRST NOTICE, SERVER UP\tSERVER HUNG\tWITHOUT")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", row.Kind, row.Readers, row.MailsWithout, row.MailsWith,
			row.WorstWithout, row.WorstWith, seconds(row.FirstNoticeS), seconds(row.LateNoticeS), seconds(row.LateNoticeWithoutS))
	}
	w.Flush()
	fmt.Fprintf(&b, "without: %d mails were purged by hand at 20:15, and nobody knows what they said\n", r.Dropped)
	fmt.Fprintf(&b, "verify:  %d differences\nbound:   at most %d mails to one reader in any 60 minutes, of %d allowed\n", r.Differences, r.MaxInWindow, r.Budget)
	return b.String()
}

func seconds(s float64) string {
	if s == 0 || math.IsInf(s, 0) {
		return "-"
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

// broken says which promise a replay broke.
func broken(r demo.Report) error {
	if r.Differences != 0 {
		return fmt.Errorf("%s: the recount differs: %s", r.Variant, strings.Join(r.Faults, "; "))
	}
	if r.MaxInWindow > r.Budget {
		return fmt.Errorf("%s: a reader was sent %d mails in a window, over the budget of %d", r.Variant, r.MaxInWindow, r.Budget)
	}
	return nil
}

func (s *session) showPages(ctx context.Context, d demonstration) error {
	l, err := net.Listen("tcp", d.serve)
	if err != nil {
		return wrong("--serve %s: %v; name a free address such as 127.0.0.1:8025", d.serve, err)
	}
	server := &http.Server{Handler: demo.Handler(d.out), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	s.screen.note("the digests are at http://%s/ until you press ctrl-c", l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
