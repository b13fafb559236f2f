package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
)

// Mbox reads a file of mails (RFC 4155), for the recipients to, or if there
// are none for those that each mail's last delivery names. Messages are of at
// most max bytes. A *Fault is about one message, other errors end the list.
func Mbox(path string, to []string, max int64) iter.Seq2[Message, error] {
	return func(y func(Message, error) bool) {
		yield := yielder(y)
		f, err := os.Open(path)
		if err != nil {
			yield(Message{}, err)
			return
		}
		defer f.Close()
		n, seen := 0, map[string]int{}
		for part, err := range Parts(bufio.NewReaderSize(f, 64<<10), max+slack) {
			n++
			if err != nil {
				yield(Message{}, fmt.Errorf("reading %s: %w", path, err))
				return
			}
			m := Message{From: part.From, Body: bytes.TrimSuffix(crlf(part.Raw), []byte("\r\n"))}
			m.address(to)
			if !bytes.HasSuffix(m.Body, []byte("\n")) { // it was no empty line of the mbox
				m.Body = crlf(part.Raw)
			}
			// Where a mail stands changes when others are removed; two that
			// are alike are told apart by their order.
			body := sum(m.Body)
			seen[body]++
			m.Name = fmt.Sprint(seen[body])
			m, err := finished("mbox", m, max)
			m.Name = fmt.Sprintf("%s#%d", path, n)
			if err != nil {
				if !yield.fault(m.Name, err) {
					return
				}
				continue
			}
			if !yield(m, nil) {
				return
			}
		}
		if n == 0 {
			yield.fault(path, errors.New("is no mbox: no line in it begins with \"From \""))
		}
	}
}

// Part is one mail of an mbox, as it was before it came there.
type Part struct {
	From string // of the line that begins it, "" for the null sender or none
	Raw  []byte
}

// Parts yields the mails of an mbox: each begins with a line "From …" at the
// start or after an empty line; "From " inside is quoted with ">". What a mail
// has beyond max bytes is left out.
func Parts(in *bufio.Reader, max int64) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		var m *Part
		blank := true
		for {
			line, err := in.ReadBytes('\n')
			if separator := blank && bytes.HasPrefix(line, []byte("From ")); separator {
				if m != nil && !yield(*m, nil) {
					return
				}
				m = &Part{From: separatorSender(string(line))}
			} else if m != nil && int64(len(m.Raw)+len(line)) <= max {
				m.Raw = append(m.Raw, unquoted(line)...)
			}
			blank = len(bytes.TrimRight(line, "\r\n")) == 0
			if err != nil {
				if m != nil && yield(*m, nil) && !errors.Is(err, io.EOF) {
					yield(Part{}, err)
				}
				return
			}
		}
	}
}

// unquoted takes one ">" off a quoted "From " line.
func unquoted(line []byte) []byte {
	if rest, ok := bytes.CutPrefix(line, []byte(">")); ok && bytes.HasPrefix(bytes.TrimLeft(rest, ">"), []byte("From ")) {
		return rest
	}
	return line
}

func separatorSender(line string) string {
	fields := strings.Fields(line)
	if len(fields) < 2 || fields[1] == "MAILER-DAEMON" || !strings.Contains(fields[1], "@") {
		return ""
	}
	return fields[1]
}
