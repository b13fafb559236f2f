package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lull/store"
)

var update = flag.Bool("update", false, "write the results into the dialogues")

// TestDialogues plays every file of testdata/dialogues: what is to be sent, what
// the mail servers do, and what must come of it. testdata/dialogues/README.md
// has the notation.
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			d := readDialogue(t, file)
			synctest.Test(t, d.play)
		})
	}
}

// dialogue is one file.
type dialogue struct {
	file    string
	opt     Options
	steps   []step        // what the client does
	servers []*connection // what each connection of the servers does
	want    string
}

// step is a mail to send, or a pause before the next.
type step struct {
	pause    time.Duration
	mail     store.Outgoing
	body     string
	readyErr string
	readErr  string
	cancel   time.Duration // the context ends after it
	together bool          // begins while the one before is still being sent
}

// connection is one connection as the servers serve it.
type connection struct {
	addr  string
	dial  string // "", "refused", "hang"
	lines []string
}

// play sends the mails and compares what came of them.
func (d *dialogue) play(t *testing.T) {
	p := &player{t: t, script: d.servers}
	roots, certificate := testCertificate(t)
	p.certificate = certificate
	for i := range d.opt.Servers {
		d.opt.Servers[i].TLSConfig = &tls.Config{RootCAs: roots}
	}
	d.opt.Dial = p.dial
	s := NewSmarthost(d.opt)
	results := make([]string, len(d.steps))
	var sending sync.WaitGroup
	for i, step := range d.steps {
		if !step.together {
			sending.Wait()
		}
		if step.pause > 0 {
			time.Sleep(step.pause)
			continue
		}
		sending.Go(func() { results[i] = "\n" + step.send(t.Context(), s) })
		synctest.Wait()
	}
	sending.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	p.serving.Wait()
	if len(p.script) > 0 {
		t.Errorf("%d connections of the file were never made", len(p.script))
	}
	got := strings.Join(results, "")
	if *update && !t.Failed() {
		d.rewrite(t, got)
		return
	}
	if diff := cmp.Diff(d.want, got); diff != "" {
		t.Errorf("result (- the file, + now):\n%s", diff)
	}
	if h := s.Health(); h.Open != 0 || h.Idle != 0 {
		t.Errorf("after Close there are %d connections, %d idle", h.Open, h.Idle)
	}
}

// rewrite puts a new result into the file, for a person to read.
func (d *dialogue) rewrite(t *testing.T, result string) {
	raw, err := os.ReadFile(d.file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(raw), "== result\n")
	if err := os.WriteFile(d.file, []byte(head+"== result"+result), 0o644); err != nil {
		t.Fatal(err)
	}
}

// send makes the attempt and describes how it ended.
func (s step) send(ctx context.Context, sender Sender) string {
	if s.cancel > 0 {
		limited, cancel := context.WithTimeout(ctx, s.cancel)
		defer cancel()
		ctx = limited
	}
	var b strings.Builder
	begun := time.Now()
	sent := sender.Send(ctx, s.mail, func(_ context.Context, accepted []int) (io.Reader, error) {
		fmt.Fprintf(&b, "accepted %s\n", strings.Trim(fmt.Sprint(accepted), "[]"))
		if s.readyErr != "" {
			return nil, errors.New(s.readyErr)
		}
		if s.readErr != "" {
			return io.MultiReader(strings.NewReader(s.body), failingReader{s.readErr}), nil
		}
		return strings.NewReader(s.body), nil
	})
	describe(&b, sent, time.Since(begun))
	return b.String()
}

func describe(b *strings.Builder, sent store.Sent, took time.Duration) {
	fmt.Fprintf(b, "%s%s\n", sent.Outcome, replyWords(sent.Reply))
	for i, r := range sent.Targets {
		if r.String() != sent.Reply.String() {
			fmt.Fprintf(b, "to %d%s\n", i, replyWords(r))
		}
	}
	if sent.LineEnds > 0 {
		fmt.Fprintf(b, "line ends %d\n", sent.LineEnds)
	}
	if sent.Recoded {
		fmt.Fprintln(b, "recoded")
	}
	if took >= time.Second {
		fmt.Fprintf(b, "took %v\n", took.Round(time.Second))
	}
}

func replyWords(r store.Reply) string {
	v := string(r.Verdict)
	if v == "" {
		v = "ok"
	}
	return fmt.Sprintf(" (%s) %v", v, r)
}

type failingReader struct{ why string }

func (f failingReader) Read([]byte) (int, error) {
	if f.why == io.ErrUnexpectedEOF.Error() {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, errors.New(f.why)
}
