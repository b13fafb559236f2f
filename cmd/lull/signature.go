package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lull/cmd/internal/config"
	"lull/digest/signature"
	"lull/relay/policy"
	"lull/store"
)

// signed is what a mail would be grouped under.
type signed struct {
	File      string         `json:"file"`
	Class     string         `json:"class"`
	Reason    string         `json:"reason"`
	Signature string         `json:"signature"`
	Title     string         `json:"title"`
	Object    string         `json:"object"`
	State     string         `json:"state"`
	Severity  string         `json:"severity,omitempty"`
	Reports   []signedReport `json:"reports"`
	Format    string         `json:"format"`
	Subject   string         `json:"subject"`
	Marks     []string       `json:"marks,omitempty"`
	Steps     []step         `json:"steps"`
}

type signedReport struct {
	Object   string `json:"object"`
	State    string `json:"state"`
	Kind     string `json:"kind,omitempty"`
	Severity string `json:"severity,omitempty"`
	Time     string `json:"time,omitempty"`
}

type step struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

func (s *session) signature() *cobra.Command {
	var envelope store.Envelope
	var to string
	c := &cobra.Command{
		Use:   "signature FILE...",
		Short: "tell what mails would be grouped under; needs no daemon",
		Long: `tell what mails would be grouped under, and every step that led there.

FILE is a mail (.eml), an mbox, a Maildir, a folder of mails, or - for a mail on
standard input. The rules of --config count. The envelope, which a file does
not have, is taken from Return-Path or From, unless --sender says otherwise.`,
		Example: "  lull signature alert.eml\n  lull signature --json ~/Maildir",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return wrong("lull signature needs a FILE, or - for a mail on standard input")
			}
			return nil
		},
	}
	c.Flags().StringVar(&envelope.From, "sender", "", "envelope sender to assume")
	c.Flags().StringVar(&to, "recipient", "", "envelope recipient to assume")
	c.Flags().StringVar(&envelope.Client, "client", "", "client address to assume")
	c.RunE = func(_ *cobra.Command, args []string) error {
		rules, err := s.policy()
		if err != nil {
			return err
		}
		return s.sign(args, func(m mailFile) signed { return reading(m, rules, envelope, to) })
	}
	return c
}

// policy is that of the configuration, or the usual one without it.
func (s *session) policy() (*policy.Policy, error) {
	cfg, err := config.Load(s.config, config.Flags{})
	if err != nil {
		return nil, err
	}
	return policy.New(cfg.Policy())
}

func (s *session) sign(files []string, read func(mailFile) signed) error {
	n := 0
	for _, file := range files {
		for m, err := range mailsIn(file, s.in) {
			if err != nil {
				return err
			}
			v := read(m)
			if err := s.screen.either(v, explained(v, n > 0)); err != nil {
				return err
			}
			n++
		}
	}
	if n == 0 {
		s.screen.note("no mail in %s", strings.Join(files, ", "))
		return errNothing
	}
	return nil
}

func reading(m mailFile, rules *policy.Policy, envelope store.Envelope, to string) signed {
	r, steps := signature.Explain(m.raw)
	if envelope.From == "" {
		envelope.From = cmp.Or(m.from, addressIn(r.From), "unknown")
	}
	d := rules.Decide(policy.Input{Envelope: envelope, To: to, Reading: &r})
	v := signed{
		File: m.name, Class: string(d.Class), Reason: d.Reason, Signature: r.Signature.ID, Title: r.Signature.Title,
		Format: r.Signature.Format, Subject: r.Subject, Marks: r.Marks, Reports: []signedReport{}, Steps: []step{},
	}
	for _, report := range r.Reports {
		one := signedReport{Object: report.Object, State: string(report.State), Kind: report.Kind, Severity: string(report.Severity)}
		if !report.Time.IsZero() {
			one.Time = report.Time.UTC().Format("2006-01-02T15:04:05Z")
		}
		v.Reports = append(v.Reports, one)
	}
	if len(v.Reports) > 0 {
		v.Object, v.State, v.Severity = v.Reports[0].Object, v.Reports[0].State, v.Reports[0].Severity
	}
	for _, st := range steps {
		v.Steps = append(v.Steps, step{st.Name, st.Detail})
	}
	return v
}

// addressIn is the address of a decoded From field.
func addressIn(from string) string {
	if _, rest, ok := strings.Cut(from, "<"); ok {
		inner, _, _ := strings.Cut(rest, ">")
		return inner
	}
	return strings.TrimSpace(from)
}

func explained(v signed, further bool) string {
	b := &strings.Builder{}
	if further {
		fmt.Fprintln(b)
	}
	line := func(name, value string) { fmt.Fprintf(b, "%-10s %s\n", name, plain(value)) }
	line("file", v.File)
	line("subject", dash(v.Subject))
	line("class", v.Class+bracketed(v.Reason))
	line("signature", v.Signature+bracketed(v.Format))
	line("title", v.Title)
	for _, r := range v.Reports {
		line("report", strings.TrimSpace(dash(r.Object)+": "+r.State+" "+r.Severity+" "+r.Kind))
	}
	for _, st := range v.Steps {
		line("  "+st.Name, st.Detail)
	}
	return b.String()
}
