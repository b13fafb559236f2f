package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Exim reads the queue of an Exim in its spool directory (such as
// /var/spool/exim4), split or not, as chapter "Format of spool files" of its
// specification has it: what is not delivered yet, frozen mail too. Messages
// are of at most max bytes. A *Fault is about one message, other errors end
// the list.
func Exim(folder string, max int64) iter.Seq2[Message, error] {
	return func(y func(Message, error) bool) {
		yield := yielder(y)
		under(present(folder, "input"), yield, func(path string) bool {
			id, found := strings.CutSuffix(filepath.Base(path), "-H")
			if !found {
				return true
			}
			list, err := eximMessage(filepath.Dir(path), id, max)
			if err != nil {
				return errors.Is(err, fs.ErrNotExist) || yield.fault(id, err) // gone: delivered meanwhile
			}
			return yield.all("exim", list, max)
		})
	}
}

// eximMessage is one message, once for each set of reports that is asked for;
// nothing if all of it is delivered.
func eximMessage(folder, id string, max int64) ([]Message, error) {
	data, err := os.Open(filepath.Join(folder, id+"-D"))
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if eximWorks(data) {
		return nil, errInUse
	}
	head, err := os.ReadFile(filepath.Join(folder, id+"-H"))
	if err != nil {
		return nil, err
	}
	e := envelope{lines: bufio.NewReader(bytes.NewReader(head)), done: map[string]bool{}}
	if err := e.read(id); err != nil {
		return nil, err
	}
	if err := e.journal(filepath.Join(folder, id+"-J")); err != nil {
		return nil, err
	}
	body, err := readAll(data, max)
	if err != nil {
		return nil, err
	}
	_, body, _ = bytes.Cut(body, []byte("\n")) // its first line is its name
	if !e.wire {
		body = crlf(body)
	}
	e.Name = id
	e.Body = slices.Concat(crlf(e.header), []byte("\r\n"), body)
	return split(e.Message, e.todo()), nil
}

// eximWorks reports whether an Exim has the message locked.
func eximWorks(data *os.File) bool {
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	err := unix.FcntlFlock(data.Fd(), unix.F_GETLK, &lock)
	return err == nil && lock.Type != unix.F_UNLCK
}

// envelope is what a file "-H" says.
type envelope struct {
	Message
	lines      *bufio.Reader
	recipients []recipient
	done       map[string]bool // delivered, folded
	header     []byte
	wire       bool // the body is as on the wire
}

func (e *envelope) line() (string, error) {
	l, err := e.lines.ReadString('\n')
	if err != nil {
		return l, errors.New("its envelope ends too early")
	}
	return strings.TrimSuffix(l, "\n"), nil
}

func (e *envelope) read(id string) error {
	for _, part := range []func(string) error{e.name, e.login, e.sender, e.received} {
		l, err := e.line()
		if err == nil {
			err = part(l)
		}
		if err != nil {
			return err
		}
		if id != "" && l != id+"-H" {
			return fmt.Errorf("its envelope is that of %q", l)
		}
		id = ""
	}
	for _, part := range []func() error{e.options, e.delivered, e.addressees, e.fields} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (e *envelope) name(string) error  { return nil }
func (e *envelope) login(string) error { return nil }

func (e *envelope) sender(l string) error {
	from, opened := strings.CutPrefix(l, "<")
	from, closed := strings.CutSuffix(from, ">")
	e.From = from
	if !opened || !closed {
		return fmt.Errorf("its sender %q has no brackets", l)
	}
	return nil
}

func (e *envelope) received(l string) error {
	seconds, _, _ := strings.Cut(l, " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	e.At = time.Unix(n, 0).UTC()
	return err
}

// options are lines that begin with a hyphen; a second one marks what came
// from outside. Values of ACL variables are counted in bytes.
func (e *envelope) options() error {
	for {
		if next, err := e.lines.Peek(1); err != nil || next[0] != '-' {
			return nil // what is missing is told by who needs it
		}
		l, err := e.line()
		if err != nil {
			return err
		}
		key, value, _ := strings.Cut(strings.TrimLeft(l, "-"), " ")
		switch key {
		case "helo_name":
			e.Host = value
		case "dsn_envid":
			e.EnvID = plain(value)
		case "dsn_ret":
			e.Ret = map[string]string{"1": "FULL", "2": "HDRS"}[value]
		case "spool_file_wireformat":
			e.wire = true
		case "acl", "aclc", "aclm":
			if err := e.skip(value); err != nil {
				return err
			}
		}
	}
}

// plain is xtext (RFC 3461 section 4) decoded: +2B is a plus.
func plain(xtext string) string {
	var b strings.Builder
	for i := 0; i < len(xtext); i++ {
		if code := xtext[i+1:]; xtext[i] == '+' && len(code) >= 2 {
			if n, err := strconv.ParseUint(code[:2], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(xtext[i])
	}
	return b.String()
}

// skip passes over a value whose length is the last word before it, and its
// line end.
func (e *envelope) skip(words string) error {
	n, err := strconv.Atoi(words[strings.LastIndexByte(words, ' ')+1:])
	if err != nil || n < 0 {
		return fmt.Errorf("a variable has no length in %q", words)
	}
	if _, err := e.lines.Discard(n + 1); err != nil {
		return errors.New("its envelope ends inside a variable")
	}
	return nil
}

// delivered reads the tree of addresses that were reached: XX, or for each
// node whether there are a left and a right one, and its address.
func (e *envelope) delivered() error {
	for open := 1; open > 0; open-- {
		l, err := e.line()
		if err != nil {
			return err
		}
		if l == "XX" {
			return nil
		}
		branches, address, found := strings.Cut(l, " ")
		if !found || len(branches) != 2 {
			return fmt.Errorf("%q is no delivered address", l)
		}
		e.done[strings.ToLower(address)] = true
		open += strings.Count(branches, "Y")
	}
	return nil
}

// journal reads what was delivered since the envelope was written.
func (e *envelope) journal(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for l := range strings.Lines(string(b)) {
		e.done[strings.ToLower(strings.TrimSuffix(l, "\n"))] = true
	}
	return err
}

func (e *envelope) addressees() error {
	l, err := e.line()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(l)
	if err != nil {
		return fmt.Errorf("%q is no number of recipients", l)
	}
	for range n {
		if l, err = e.line(); err != nil {
			return err
		}
		e.recipients = append(e.recipients, eximRecipient(l))
	}
	return nil
}

// eximRecipient reads an address, behind which there may be
//
//	ORCPT LENGTH,DSNFLAGS ERRORSTO LENGTH,PARENT#3
func eximRecipient(l string) recipient {
	rest, marked := strings.CutSuffix(l, "#3")
	if !marked {
		address, _, _ := strings.Cut(l, " ")
		if strings.HasPrefix(l, `"`) { // a quoted local part may have blanks
			address = l
		}
		return recipient{address: address}
	}
	rest, _ = counted(rest)
	rest, flags := counted(rest)
	return recipient{address: rest, notify: notifyOf(flags, 2, 4, 8, 16)}
}

// counted takes "TEXT LENGTH,NUMBER" off the end, where the text has that length.
func counted(l string) (rest string, number int) {
	at := strings.LastIndexByte(l, ' ')
	length, second, _ := strings.Cut(l[at+1:], ",")
	n, err := strconv.Atoi(length)
	if at < 0 || err != nil || n < 0 || at-n-1 < 0 {
		return l, 0
	}
	number, _ = strconv.Atoi(second)
	return strings.TrimSuffix(l[:at-n], " "), number
}

// fields reads the header: for each field its length, a letter, and the text.
// Those marked * were replaced by others.
func (e *envelope) fields() error {
	if l, err := e.line(); err != nil || l != "" {
		return errors.New("no empty line stands before its header")
	}
	for {
		n, letter, err := e.fieldSize()
		if err != nil {
			return nil // the end
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(e.lines, text); err != nil {
			return errors.New("its header ends inside a field")
		}
		if letter != '*' {
			e.header = append(e.header, text...)
		}
	}
}

// fieldSize reads what stands before a field: "020T ".
func (e *envelope) fieldSize() (n int, letter byte, err error) {
	for {
		c, err := e.lines.ReadByte()
		if err != nil || n > maxField {
			return 0, 0, errors.Join(err, io.ErrUnexpectedEOF)
		}
		if c < '0' || c > '9' {
			_, err = e.lines.ReadByte()
			return n, c, err
		}
		n = 10*n + int(c-'0')
	}
}

// maxField is the longest field of a header that is believed.
const maxField = 64 << 20

func (e *envelope) todo() []recipient {
	return slices.DeleteFunc(e.recipients, func(r recipient) bool { return e.done[strings.ToLower(r.address)] })
}
