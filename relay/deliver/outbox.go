package deliver

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lull/store"
)

// Outbox writes what would be sent into one Maildir a reader, each with
// cur, new and tmp: for trials, and where there is no mail server.
type Outbox struct {
	// ReaderOf maps an address to the name of its Maildir, which is then
	// percent-encoded. Nil stands for the address itself.
	ReaderOf func(address string) string

	dir string
	now func() time.Time
	mu  sync.Mutex // held while a Maildir is made
}

var _ Sender = (*Outbox)(nil)

// NewOutbox makes an Outbox in dir, which is created when there is something
// to write. now gives the time in replies and file names.
func NewOutbox(dir string, now func() time.Time) *Outbox {
	return &Outbox{dir: dir, now: now}
}

// Send implements [Sender]: one file for each recipient, with Return-Path and
// Delivered-To on top and the body as it is. A file is delivered when it and
// its directory are on stable storage.
func (o *Outbox) Send(ctx context.Context, mail store.Outgoing, ready Ready) store.Sent {
	a := newAttempt(mail, ready, o.now)
	if a.ended() {
		return a.sent
	}
	open := a.open()
	body, err := a.whole(ctx, open)
	if err != nil {
		a.fault(stageData, err)
		return a.sent
	}
	for _, i := range open {
		if err := o.write(mail.To[i].Address, a.from, a.paths[i], body); err != nil {
			a.drop(i, a.local(stageDot, 451, "4.3.0", err.Error(), store.RetryLater))
		}
	}
	if a.endIfNobodyLeft(); !a.ended() {
		a.end(store.Delivered, store.Reply{Code: 250, Enhanced: "2.0.0", Text: "written to the outbox", Stage: stageDot, At: o.now()})
	}
	return a.sent
}

// whole asks for the body and reads it.
func (a *attempt) whole(ctx context.Context, accepted []int) ([]byte, error) {
	body, err := a.ready(ctx, accepted)
	if err != nil {
		return nil, err
	}
	defer closeBody(body)
	return io.ReadAll(body)
}

func (o *Outbox) write(address, from, to string, body []byte) error {
	reader := address
	if o.ReaderOf != nil {
		reader = o.ReaderOf(address)
	}
	box := filepath.Join(o.dir, folder(reader))
	if err := o.makeBox(box); err != nil {
		return err
	}
	name := o.name()
	tmp := filepath.Join(box, "tmp", name)
	if err := writeSynced(tmp, header(from, to, body), body); err != nil {
		_ = os.Remove(tmp) // the error that counts is the first
		return err
	}
	if err := os.Rename(tmp, filepath.Join(box, "new", name)); err != nil {
		return err
	}
	return syncDir(filepath.Join(box, "new"))
}

// makeBox makes the Maildir, the first time, so that it outlives a power cut.
func (o *Outbox) makeBox(box string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := os.Stat(filepath.Join(box, "new")); err == nil {
		return nil
	}
	for _, sub := range []string{"cur", "tmp", "new"} {
		if err := os.MkdirAll(filepath.Join(box, sub), 0o700); err != nil {
			return err
		}
	}
	if err := syncDir(box); err != nil {
		return err
	}
	return syncDir(o.dir)
}

// name is unique without asking the directory, also for two processes at the
// same simulated time.
func (o *Outbox) name() string {
	return fmt.Sprintf("%d.%s.%s", o.now().Unix(), rand.Text(), folder(hostname()))
}

// header is what a final delivery adds (RFC 5321 section 4.4), with line ends
// as those of the body.
func header(from, to string, body []byte) []byte {
	end := "\n"
	if i := bytes.IndexByte(body, '\n'); i > 0 && body[i-1] == '\r' {
		end = "\r\n"
	}
	return []byte("Return-Path: <" + from + ">" + end + "Delivered-To: " + to + end)
}

func writeSynced(name string, parts ...[]byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			_ = f.Close()
			return err
		}
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// folderLimit leaves room below the 255 octets that file systems allow.
const folderLimit = 200

// folder is a name for a directory that is never a path: all but letters,
// digits and a few signs are percent-encoded, and so is a dot or a hyphen that leads. A
// long one is cut, and told apart by a hash.
func folder(reader string) string {
	var b strings.Builder
	for i, c := range []byte(reader) {
		switch {
		case plain(c) && !(i == 0 && (c == '.' || c == '-')):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	name := b.String()
	if name == "" {
		return "%"
	}
	if len(name) > folderLimit {
		return fmt.Sprintf("%s%%%x", name[:folderLimit-40], sha256.Sum256([]byte(reader)))[:folderLimit]
	}
	return name
}

func plain(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("@._+-=", c) >= 0
}
