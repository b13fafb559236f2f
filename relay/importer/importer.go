// Package importer reads the queues of other programs, message by message. It
// writes nothing: what becomes of the source is the caller's decision.
package importer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lull/relay/spool"
)

// Message is one message in another program's queue.
type Message struct {
	// Key is the same whenever the message is read: the source, the name of
	// the message there, and a SHA-256 of its bytes. What the other program
	// has done with it since is no part of the key. The store takes a key once.
	Key string
	// Whole: all of To were offered to the store under Key before, together.
	Whole bool
	// Name is the message's name in the source, for people.
	Name string
	From string // reverse-path without brackets, "" for the null sender
	To   []string
	// Notify, Ret and EnvID are DSN parameters (RFC 3461), decoded.
	Notify []string
	Ret    string
	EnvID  string
	// Host is the machine that the message comes from.
	Host string
	// At is when it came into the queue.
	At   time.Time
	Body []byte
}

// Fault is about one message; the others are read all the same.
type Fault struct {
	Name string
	Err  error
}

func (f *Fault) Error() string { return fmt.Sprintf("message %s: %v", f.Name, f.Err) }
func (f *Fault) Unwrap() error { return f.Err }

// What is wrong with a message that cannot be taken.
var (
	errInUse = errors.New("is being delivered at this moment; stop the other mail server first")
	errBroad = errors.New("is larger than limits.message")
)

// Spool reads what our sendmail has left, oldest first; messages are of at
// most max bytes. Nobody else is given a message while it is yielded. An error
// that is a *spool.Bad is about one message, others end the list.
func Spool(folder spool.Folder, max int64) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for e, err := range folder.All(max) {
			if !yield(fromSpool(e), err) {
				return
			}
		}
	}
}

func fromSpool(e spool.Entry) Message {
	return Message{
		Key: e.Key(), Whole: e.Whole(), Name: e.Name, From: e.From, To: e.To,
		Notify: e.Notify, Ret: e.Ret, EnvID: e.EnvID, Host: e.Host, At: e.At, Body: e.Message,
	}
}

// yielder takes a message or an error, and says whether more is wanted.
type yielder func(Message, error) bool

// fault yields an error about one message.
func (y yielder) fault(name string, err error) bool { return y(Message{}, &Fault{name, err}) }

// all yields messages, or what keeps each from being taken.
func (y yielder) all(source string, list []Message, max int64) bool {
	for _, m := range list {
		m, err := finished(source, m, max)
		if err != nil {
			if !y.fault(m.Name, err) {
				return false
			}
			continue
		}
		if !y(m, nil) {
			return false
		}
	}
	return true
}

// errEnough ends a walk whose caller wants no more.
var errEnough = errors.New("enough")

// under yields what read makes of each regular file below the folders; read
// reports whether more is wanted. A file that vanishes meanwhile was none.
func under(folders []string, yield yielder, read func(path string) bool) {
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist) && path != folder:
				return nil
			case err != nil:
				return err
			case d.Type().IsRegular() && !read(path):
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(Message{}, err)
		}
		if err != nil {
			return
		}
	}
}

// present are those of the named subfolders that there are; if none, the
// folder itself.
func present(folder string, names ...string) []string {
	var list []string
	for _, name := range names {
		sub := filepath.Join(folder, name)
		if info, err := os.Stat(sub); err == nil && info.IsDir() {
			list = append(list, sub)
		}
	}
	if list == nil {
		return []string{folder}
	}
	return list
}

// slack is what a file may be larger than its message.
const slack = 1 << 20

// readAll reads a file that holds a message of at most max bytes.
func readAll(f *os.File, max int64) ([]byte, error) {
	all, err := io.ReadAll(io.LimitReader(f, max+slack+1))
	if err == nil && int64(len(all)) > max+slack {
		return nil, errBroad
	}
	return all, err
}

// finished gives a message its key, or says what keeps it from being taken.
func finished(source string, m Message, max int64) (Message, error) {
	switch {
	case int64(len(m.Body)) > max:
		return m, errBroad
	case len(m.To) == 0:
		return m, errors.New("names no recipient")
	}
	m.Key = strings.Join([]string{source, m.Name, sum(m.Body)}, ":")
	return m, nil
}

func sum(body []byte) string {
	s := sha256.Sum256(body)
	return hex.EncodeToString(s[:])
}

// crlf gives every line of text that ends in LF the ending that it has on the
// wire.
func crlf(text []byte) []byte {
	out := make([]byte, 0, len(text)+bytes.Count(text, []byte("\n")))
	for line := range bytes.Lines(text) {
		if bare, ended := bytes.CutSuffix(line, []byte("\n")); ended {
			out = append(append(out, bytes.TrimSuffix(bare, []byte("\r"))...), "\r\n"...)
			continue
		}
		out = append(out, line...)
	}
	return out
}

// notifyOf are the words of a set of bits, in the order never, success,
// failure, delay.
func notifyOf(bits, never, success, failure, delay int) []string {
	if bits&never != 0 {
		return []string{"NEVER"}
	}
	var words []string
	for _, b := range []struct {
		bit  int
		word string
	}{{success, "SUCCESS"}, {failure, "FAILURE"}, {delay, "DELAY"}} {
		if bits&b.bit != 0 {
			words = append(words, b.word)
		}
	}
	return words
}

// recipient is one that still has to be reached.
type recipient struct {
	address string
	notify  []string
}

// split gives each message the recipients that asked for the same reports:
// one message, unless they differ.
func split(m Message, to []recipient) []Message {
	var order []string
	by := map[string]*Message{}
	for _, r := range to {
		words := strings.Join(r.notify, ",")
		part := by[words]
		if part == nil {
			one := m
			one.Notify, one.To = r.notify, nil
			part, by[words] = &one, &one
			if words != "" { // a name that stays, whoever is reached meanwhile
				part.Name += "/" + words
			}
			order = append(order, words)
		}
		part.To = append(part.To, r.address)
	}
	list := make([]Message, len(order))
	for i, words := range order {
		list[i] = *by[words]
	}
	return list
}
