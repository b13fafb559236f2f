package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lull/relay/admin"
	"lull/relay/spool"
)

func (s *session) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "show the whole at a glance",
		Args:  none,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
				st, err := client.Status(ctx)
				if err != nil {
					return err
				}
				return s.screen.either(st, glance(st, time.Now()))
			})
		},
	}
}

// glance is a status for people.
func glance(st admin.Status, now time.Time) string {
	b := &strings.Builder{}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "%-11s %s\n", name, plain(fmt.Sprintf(format, args...)))
	}
	line("intake", "%s on %s", st.Intake, strings.Join(st.Listen, ", "))
	line("smarthost", "%s%s", st.Smarthost, bracketed(st.Note))
	line("storm", "%s", storms(st))
	line("copies", "%d accepted: %d waiting, %d held, %d in flight, %d told, %d passed, %d purged, %d bounced, %d expired",
		st.Accepted, st.Waiting, st.Held, st.InFlight, st.Told, st.Passed, st.Purged, st.Bounced, st.Expired)
	line("incidents", "%d open, of %s", st.IncidentsOpen, counted(st.Readers, "reader", "readers"))
	if !st.Oldest.IsZero() {
		line("oldest", "waits for %s", span(now.Sub(st.Oldest)))
	}
	if !st.Next.IsZero() {
		line("next digest", "%s UTC", stamp(st.Next))
	}
	if st.Uncertain > 0 {
		line("uncertain", "%s whose outcome was never learnt", counted(int(st.Uncertain), "attempt", "attempts"))
	}
	if st.SpoolFailed > 0 {
		folder := spool.Folder(st.Spool)
		line("spool", "%s that nobody can take, in %s; correct the first line of the file (lull-sendmail(8)) and move it to %s to have it taken, or delete it",
			counted(st.SpoolFailed, "mail", "mails"), folder.FailedPath(), folder.NewPath())
	}
	line("disk", "%s used, %s free", sizeOf(st.Disk), sizeOf(st.Free))
	line("daemon", "%s, process %d, up for %s", st.Version, st.PID, span(now.Sub(st.Started)))
	return b.String()
}

func storms(st admin.Status) string {
	if !st.Storm {
		return "none"
	}
	return "for " + strings.Join(st.Storms, ", ")
}

func bracketed(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
