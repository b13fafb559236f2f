package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/mail"
	"os"
	"path/filepath"
	"strings"

	"lull/relay/importer"
)

// mailFile is one mail of a file or folder.
type mailFile struct {
	name string
	raw  []byte
	from string // envelope sender, as Return-Path or an mbox tells it
}

// largest is the greatest mail that is read; the rest of it is left out.
const largest = 64 << 20

// mailsIn yields the mails of a file, an mbox, a Maildir, a folder, or "-".
func mailsIn(name string, stdin io.Reader) iter.Seq2[mailFile, error] {
	return func(yield func(mailFile, error) bool) {
		if name == "-" {
			mailsOf("-", stdin, yield)
			return
		}
		info, err := os.Stat(name)
		if err != nil {
			yield(mailFile{}, err)
			return
		}
		if info.IsDir() {
			mailsUnder(name, yield)
			return
		}
		mailsOfFile(name, yield)
	}
}

// mailsUnder walks a folder in the order of names; of a Maildir it leaves out
// what is not delivered yet. Hidden files are no mails. It reports whether more is wanted.
func mailsUnder(folder string, yield func(mailFile, error) bool) bool {
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "tmp" && isDir(filepath.Join(filepath.Dir(path), "new")):
			return filepath.SkipDir
		case d.IsDir() || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		if !mailsOfFile(path, yield) {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return yield(mailFile{}, err)
	}
	return err == nil
}

// errEnough ends a walk whose caller wants no more.
var errEnough = errors.New("enough")

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func mailsOfFile(path string, yield func(mailFile, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return yield(mailFile{}, err)
	}
	defer f.Close()
	return mailsOf(path, f, yield)
}

// mailsOf yields the one mail of r, or each of an mbox.
func mailsOf(name string, r io.Reader, yield func(mailFile, error) bool) bool {
	in := bufio.NewReaderSize(r, 64<<10)
	if start, _ := in.Peek(5); !bytes.Equal(start, []byte("From ")) {
		raw, err := io.ReadAll(io.LimitReader(in, largest))
		if err != nil {
			return yield(mailFile{}, fmt.Errorf("reading %s: %w", name, err))
		}
		return yield(mailFile{name: name, raw: raw, from: returnPath(raw)}, nil)
	}
	n := 0
	for part, err := range importer.Parts(in, largest) {
		n++
		if !yield(mailFile{name: fmt.Sprintf("%s#%d", name, n), raw: part.Raw, from: part.From}, err) {
			return false
		}
	}
	return true
}

// returnPath is the envelope sender as the last mail server noted it.
func returnPath(raw []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimSpace(m.Header.Get("Return-Path")), "<>")
}
