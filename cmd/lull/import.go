package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"lull/relay/admin"
	"lull/relay/importer"
)

// broadest is the greatest message that is read out of another's queue; the
// daemon has its own limit.
const broadest = 256 << 20

// backlog is what became of another program's queue.
type backlog struct {
	Found    int  `json:"found"` // messages, those that failed included
	Imported int  `json:"imported"`
	Known    int  `json:"known"` // from an earlier run
	Failed   int  `json:"failed"`
	DryRun   bool `json:"dry_run,omitempty"`
	New      int  `json:"new,omitempty"` // of a dry run: what would be imported
}

func (s *session) importing() *cobra.Command {
	var act bool
	var to []string
	c := &cobra.Command{
		Use:   "import exim|postfix|maildir|mbox PATH",
		Short: "take another mail server's backlog into the queue",
		Long: `take another mail server's backlog into the queue: the spool directory of an
Exim or a Postfix, a Maildir, or an mbox. What was in the source for long is
told as late, never as news.

Without --yes this is a dry run. The source is only read: stop its mail server
first, and remove its queue when all is imported, or both will deliver the
mail. A message is taken once, however often this is run. Run it as a user who
may read the source and enter lull's state folder, such as root.`,
		Example: `  lull import exim /var/spool/exim4
  lull import postfix /var/spool/postfix --yes
  lull import mbox /var/mail/root --to ops@example.org --yes`,
		Args: importArgs,
	}
	c.Flags().BoolVar(&act, "yes", false, "import, not only count")
	c.Flags().StringArrayVar(&to, "to", nil, "of a maildir or an mbox: the recipient `ADDRESS`, in place of those that the mail server noted in each header; may be repeated")
	c.RunE = func(c *cobra.Command, args []string) error {
		messages, err := queueOf(args[0], args[1], to)
		if err != nil {
			return err
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			m := move{screen: s.screen, client: client, act: act}
			if err := m.all(ctx, messages); err != nil {
				return err
			}
			return m.told()
		})
	}
	return c
}

func importArgs(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return wrong("lull import needs a kind and a PATH, such as: lull import exim /var/spool/exim4")
	}
	return nil
}

// queueOf are the messages of a source.
func queueOf(kind, path string, to []string) (iter.Seq2[importer.Message, error], error) {
	if named := len(to) > 0; named && (kind == "exim" || kind == "postfix") {
		return nil, wrong("--to is for a maildir or an mbox: a queue of %s knows its recipients", kind)
	}
	switch kind {
	case "exim":
		return importer.Exim(path, broadest), nil
	case "postfix":
		return importer.Postfix(path, broadest), nil
	case "maildir":
		return importer.Maildir(path, to, broadest), nil
	case "mbox":
		return importer.Mbox(path, to, broadest), nil
	}
	return nil, wrong("there is no source %q; there are exim, postfix, maildir and mbox", kind)
}

// move brings messages to the daemon, a few at a time, so that they share
// commits.
type move struct {
	screen *screen
	client *admin.Client
	act    bool

	mu     sync.Mutex
	count  backlog
	broken error // that ends it
}

const movers = 4

func (m *move) all(ctx context.Context, messages iter.Seq2[importer.Message, error]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan importer.Message)
	var work sync.WaitGroup
	for range movers {
		work.Go(func() {
			for message := range queue {
				if known, err := m.bring(ctx, message); m.note(message.Name, known, err) {
					cancel()
				}
			}
		})
	}
	ended := m.feed(ctx, messages, queue)
	close(queue)
	work.Wait()
	if m.broken != nil {
		return m.broken
	}
	return ended
}

// feed gives the messages out, and notes those that cannot be read.
func (m *move) feed(ctx context.Context, messages iter.Seq2[importer.Message, error], queue chan<- importer.Message) error {
	for message, err := range messages {
		var fault *importer.Fault
		switch {
		case errors.As(err, &fault):
			m.note(fault.Name, false, &admin.Fault{Code: admin.Refused, Text: fault.Err.Error()})
			continue
		case err != nil:
			return err
		}
		select {
		case queue <- message:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (m *move) bring(ctx context.Context, message importer.Message) (known bool, err error) {
	if !m.act {
		return m.client.Known(ctx, message.Key)
	}
	return m.client.Import(ctx, admin.Import{
		Key: message.Key, From: message.From, To: message.To, Notify: message.Notify,
		Ret: message.Ret, EnvID: message.EnvID, Host: message.Host,
	}, message.Body)
}

// note counts a message. What is refused is that message's fault; any other
// error ends the move.
func (m *move) note(name string, known bool, err error) (end bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count.Found++
	var fault *admin.Fault
	switch {
	case errors.As(err, &fault) && fault.Code == admin.Refused:
		m.count.Failed++
		fmt.Fprintf(m.screen.errs, "message %s: %s\n", plain(name), plain(fault.Text))
	case err != nil:
		if m.broken == nil {
			m.broken = err
		}
		return true
	case known:
		m.count.Known++
	case m.act:
		m.count.Imported++
	default:
		m.count.New++
	}
	return false
}

// told prints the counts.
func (m *move) told() error {
	m.count.DryRun = !m.act
	if err := m.screen.either(m.count, m.count.sentence()); err != nil {
		return err
	}
	switch {
	case m.count.Failed > 0:
		return errDiffers
	case m.count.Found == 0:
		return errNothing
	}
	return nil
}

func (b backlog) sentence() string {
	t := &strings.Builder{}
	fmt.Fprintf(t, "%s found: ", counted(b.Found, "message", "messages"))
	if b.DryRun {
		fmt.Fprintf(t, "%d to import", b.New)
	} else {
		fmt.Fprintf(t, "%d imported", b.Imported)
	}
	fmt.Fprintf(t, ", %d known, %d failed\n", b.Known, b.Failed)
	if b.DryRun && b.New > 0 {
		fmt.Fprintln(t, "dry run: nothing was imported; act with --yes")
	}
	return t.String()
}
