package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // parts are UTF-8; kept readable if they ever are not
	"github.com/spf13/cobra"

	"lull/relay/admin"
)

func (s *session) digest() *cobra.Command {
	c := &cobra.Command{Use: "digest", Short: "look at a reader's digest before it leaves, or send it now", RunE: incomplete}
	c.AddCommand(s.previewDigest(), s.sendDigest())
	return c
}

func (s *session) previewDigest() *cobra.Command {
	var html, eml bool
	c := &cobra.Command{
		Use:   "preview READER",
		Short: "print what the digest would be now; nothing is taken or sent",
		Args:  exactly(1, "the READER; `lull group --by reader` lists them"),
	}
	c.Flags().BoolVar(&html, "html", false, "the HTML part")
	c.Flags().BoolVar(&eml, "eml", false, "the whole mail, with its header")
	c.RunE = func(c *cobra.Command, args []string) error {
		if html && eml {
			return wrong("--html is one part of the mail, --eml the whole; give one of them")
		}
		return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
			var mail bytes.Buffer
			if err := client.Preview(ctx, args[0], &mail); err != nil {
				return err
			}
			return s.preview(args[0], mail.Bytes(), html, eml)
		})
	}
	return c
}

// preview prints a mail, or one of its parts.
func (s *session) preview(reader string, mail []byte, html, eml bool) error {
	if eml && !s.screen.json {
		return s.screen.write(string(mail))
	}
	kind := "text/plain"
	if html {
		kind = "text/html"
	}
	text := string(mail)
	if !eml {
		var err error
		if text, err = part(mail, kind); err != nil {
			return err
		}
	}
	if s.screen.json {
		return s.screen.object(struct {
			Reader string `json:"reader"`
			Type   string `json:"type"`
			Text   string `json:"text"`
		}{reader, kind, text})
	}
	return s.screen.write(plainLines(strings.ReplaceAll(text, "\r\n", "\n")))
}

// part is the first part of a type in a mail of ours.
func part(mail []byte, kind string) (string, error) {
	e, err := message.Read(bytes.NewReader(mail))
	if err != nil && !message.IsUnknownCharset(err) {
		return "", fmt.Errorf("reading the digest: %w", err)
	}
	var text string
	found := false
	err = e.Walk(func(_ []int, p *message.Entity, err error) error {
		if err != nil || found {
			return err
		}
		if t, _, _ := p.Header.ContentType(); t != kind {
			return nil
		}
		b, err := io.ReadAll(p.Body)
		text, found = string(b), true
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the digest: %w", err)
	}
	if !found {
		return "", wrong("the digest has no part of type %s", kind)
	}
	return text, nil
}

func (s *session) sendDigest() *cobra.Command {
	return &cobra.Command{
		Use:   "send READER",
		Short: "send the digest now; it takes one of the reader's slots",
		Args:  exactly(1, "the READER; `lull group --by reader` lists them"),
		RunE: func(c *cobra.Command, args []string) error {
			return s.ask(c.Context(), func(ctx context.Context, client *admin.Client) error {
				sent, err := client.Send(ctx, args[0])
				if err != nil {
					return err
				}
				return s.screen.either(sent, fmt.Sprintf("digest %s for %s: %s, %s%s\n", sent.Digest, sent.Reader, sent.Outcome, counted(sent.Copies, "copy", "copies"), bracketed(sent.Reply)))
			})
		},
	}
}
