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
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Postfix reads the queues of a Postfix in its queue directory (such as
// /var/spool/postfix): maildrop, incoming, active, deferred, and hold. It
// knows the format of queue files, which README_FILES leave to postcat(1).
// Messages are of at most max bytes. A *Fault is about one message, other
// errors end the list.
func Postfix(folder string, max int64) iter.Seq2[Message, error] {
	return func(y func(Message, error) bool) {
		yield := yielder(y)
		under(present(folder, "maildrop", "incoming", "active", "deferred", "hold"), yield, func(path string) bool {
			id := filepath.Base(path)
			list, err := postfixMessage(path, max)
			if err != nil {
				return errors.Is(err, fs.ErrNotExist) || yield.fault(id, err) // gone: delivered meanwhile
			}
			return yield.all("postfix", list, max)
		})
	}
}

// postfixMessage is one message, once for each set of reports that is asked
// for; nothing if all of it is delivered, or it is still being written: a
// file counts when its owner may execute it.
func postfixMessage(path string, max int64) ([]Message, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&0o100 == 0:
		return nil, nil
	case info.Size() > max+slack:
		return nil, errBroad
	case unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil:
		return nil, errInUse
	}
	file := queueFile{records: records{file: f, in: bufio.NewReader(f)}, size: info.Size()}
	file.Name = filepath.Base(path)
	if err := file.read(); err != nil {
		return nil, err
	}
	file.Body = file.body.Bytes()
	return split(file.Message, file.recipients), nil
}

// The types of records that matter here.
const (
	recTime, recFrom, recRecipient = 'T', 'S', 'R'
	recAttribute                   = 'A'
	recMessage, recNormal, recPart = 'M', 'N', 'L'
	recExtracted, recEnd           = 'X', 'E'
	recPointer                     = 'p'
	recRet, recEnvID, recNotify    = '<', 'i', 'n' // until they are attributes
)

// queueFile is one message in the making.
type queueFile struct {
	Message
	records
	size       int64
	content    bool // between M and X
	ended      bool
	notify     int // of the next recipient
	recipients []recipient
	body       bytes.Buffer
}

func (q *queueFile) read() error {
	for jumps := 0; !q.ended; {
		kind, value, err := q.next()
		if err != nil {
			return err
		}
		if kind != recPointer {
			q.take(kind, value)
			continue
		}
		at, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if jumps++; err != nil || at > q.size || jumps > 10_000 {
			return errors.New("a pointer in it leads nowhere")
		}
		if at > 0 {
			if err := q.jump(at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *queueFile) take(kind byte, value string) {
	switch kind {
	case recNormal:
		q.body.WriteString(value + "\r\n")
	case recPart:
		if q.content { // elsewhere the letter is another's
			q.body.WriteString(value)
		}
	case recMessage, recExtracted:
		q.content = kind == recMessage
	case recEnd:
		q.ended = true
	case recTime:
		seconds, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		n, _ := strconv.ParseInt(seconds, 10, 64) // a time that is none is left out
		q.At = time.Unix(n, 0).UTC()
	case recFrom:
		q.From = quoted(value)
	case recRecipient:
		q.recipients = append(q.recipients, recipient{quoted(value), notifyOf(q.notify, 1, 2, 4, 8)})
		q.notify = 0
	case recNotify, recRet, recEnvID:
		q.option(string(kind), value)
	case recAttribute:
		name, value, _ := strings.Cut(value, "=")
		q.option(name, value)
	}
}

// option is a DSN parameter, or what is known of the client.
func (q *queueFile) option(name, value string) {
	switch name {
	case "notify_flags", string(recNotify):
		q.notify, _ = strconv.Atoi(value)
	case "ret_flags", string(recRet):
		q.Ret = map[string]string{"1": "FULL", "2": "HDRS"}[value]
	case "envelope_id", string(recEnvID):
		q.EnvID = value
	case "log_helo_name", "helo_name":
		q.Host = value
	}
}

// quoted is an address as it stands in an envelope: queue files have its local
// part without quotes.
func quoted(address string) string {
	at := strings.LastIndexByte(address, '@')
	local := address
	if at >= 0 {
		local = address[:at]
	}
	if strings.IndexFunc(local, odd) < 0 && !strings.HasPrefix(local, ".") && !strings.HasSuffix(local, ".") && !strings.Contains(local, "..") {
		return address
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"` + address[len(local):]
}

// odd reports whether a letter needs quotes (RFC 5321 section 4.1.2).
func odd(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, r) }

// records are those of a queue file: a letter, a length in groups of seven
// bits, the lowest first, and that many bytes.
type records struct {
	file io.ReadSeeker
	in   *bufio.Reader
}

func (r *records) jump(to int64) error {
	if _, err := r.file.Seek(to, io.SeekStart); err != nil {
		return err
	}
	r.in.Reset(r.file)
	return nil
}

var errRecords = errors.New("is no queue file of Postfix, or was cut short")

func (r *records) next() (kind byte, value string, err error) {
	if kind, err = r.in.ReadByte(); err != nil {
		return 0, "", errRecords
	}
	size, shift := 0, 0
	for {
		b, err := r.in.ReadByte()
		if err != nil || shift > 28 {
			return 0, "", errRecords
		}
		size |= int(b&0x7f) << shift
		if shift += 7; b < 0x80 {
			break
		}
	}
	if size > maxRecord {
		return 0, "", fmt.Errorf("%w: a record of %d bytes", errRecords, size)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return 0, "", errRecords
	}
	return kind, string(b), nil
}

// maxRecord is the longest record that is believed: line_length_limit is 2 kB.
const maxRecord = 1 << 20
