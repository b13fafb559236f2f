package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"iter"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
)

// Maildir reads the mails of a Maildir, new ones and those that were seen, but
// for those marked as trash; for the recipients to, or if there are none for
// those that each mail's last delivery names. Messages are of at most max
// bytes. A *Fault is about one message, other errors end the list.
func Maildir(folder string, to []string, max int64) iter.Seq2[Message, error] {
	return func(y func(Message, error) bool) {
		yield := yielder(y)
		under(present(folder, "new", "cur"), yield, func(path string) bool {
			name, flags, _ := strings.Cut(filepath.Base(path), ":2,")
			if strings.Contains(flags, "T") || strings.HasPrefix(name, ".") {
				return true
			}
			m, err := maildirMessage(path, to, max)
			if errors.Is(err, fs.ErrNotExist) {
				return true // read or moved meanwhile
			}
			if err != nil {
				return yield.fault(name, err)
			}
			m.Name = name
			return yield.all("maildir", []Message{m}, max)
		})
	}
}

func maildirMessage(path string, to []string, max int64) (Message, error) {
	f, err := os.Open(path)
	if err != nil {
		return Message{}, err
	}
	defer f.Close()
	raw, err := readAll(f, max)
	if err != nil {
		return Message{}, err
	}
	m := Message{Body: crlf(raw)}
	if info, err := f.Stat(); err == nil {
		m.At = info.ModTime().UTC()
	}
	m.address(to)
	return m, nil
}

// address finds the envelope of a mail that was delivered: what the mail
// server noted in its header. To and Cc are no envelope: they name others, who
// have the mail already.
func (m *Message) address(to []string) {
	header, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(m.Body))).ReadMIMEHeader() // as far as it is one
	if path := header.Get("Return-Path"); path != "" && m.From == "" {
		m.From = strings.Trim(strings.TrimSpace(path), "<>")
	}
	if m.To = to; len(to) > 0 {
		return
	}
	for _, name := range []string{"X-Original-To", "Envelope-To", "Delivered-To"} {
		if list, err := mail.ParseAddressList(header.Get(name)); err == nil {
			for _, a := range list {
				m.To = append(m.To, a.Address)
			}
			return
		}
	}
}
