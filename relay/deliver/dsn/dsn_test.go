package dsn

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"lull/store"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	accepted = time.Date(2019, 10, 7, 4, 5, 6, 0, time.UTC)
	noSuch   = store.Reply{Code: 550, Enhanced: "5.1.1", Text: "<b@example.net>: Recipient address rejected: User unknown in virtual mailbox table", Stage: "rcpt", At: accepted.Add(time.Minute), Verdict: store.RecipientFailed}
	hello    = []byte("Received: from web1 by lull.example.org; Mon, 7 Oct 2019 04:05:06 +0000\r\nFrom: A <a@example.org>\r\nSubject: hello\r\n\r\nhello\r\n--lull-R1\r\n")
)

func base() Report {
	return Report{
		Action:  Failed,
		Message: &store.Message{ID: "M1", Accepted: accepted, Envelope: store.Envelope{From: "a@example.org", Helo: "web1.example.org"}, Reading: store.Reading{Subject: "hello", MessageID: "<1@example.org>"}},
		Copies:  []store.Copy{{Index: 1, To: "b@example.net"}}, Replies: []store.Reply{noSuch},
		Original: hello, Host: "lull.example.org", From: "lull@lull.example.org", ID: "R1", Date: accepted.Add(2 * time.Minute),
	}
}

// cases are the golden files.
func cases() map[string]Report {
	failed := base()

	several := base()
	several.Message.Envelope.EnvID, several.Message.Envelope.Ret = "QQ 1+2", "HDRS"
	several.Copies = []store.Copy{{Index: 1, To: "b@example.net", ORcpt: "rfc822;bee+x@example.com"}, {Index: 3, To: `"c  d"@example.net`}}
	several.Replies = []store.Reply{noSuch, {Text: "not sent: the address needs SMTPUTF8", Code: 553, Enhanced: "5.6.7", At: accepted}}

	expired := base()
	expired.Expired, expired.Date = true, accepted.Add(5*24*time.Hour+3*time.Hour)
	expired.Replies = []store.Reply{{Text: "the mail server closed the connection", Stage: "mail", At: accepted.Add(5 * 24 * time.Hour)}}

	delayed := base()
	delayed.Action, delayed.Until = Delayed, accepted.Add(5*24*time.Hour)
	delayed.Replies = []store.Reply{{Code: 450, Enhanced: "4.2.0", Text: "greylisted", At: accepted.Add(time.Hour)}}

	relayed := base()
	relayed.Action = Relayed
	relayed.Replies = []store.Reply{{Code: 250, Enhanced: "2.0.0", Text: "queued as 1", At: accepted}}

	international := base()
	international.Message.Envelope.From, international.Message.Reading.Subject = "jörg@example.org", "Grüße 😀"
	international.Replies[0].Text = strings.Repeat("ü", 600)
	international.Copies = []store.Copy{{Index: 1, To: "zoë@example.net", ORcpt: "utf-8;zoë@example.net"}}
	international.Original = []byte("From: Jörg <jörg@example.org>\r\nSubject: Grüße\r\n\r\nGrüße\r\n")

	hostile := base()
	hostile.Message.Envelope = store.Envelope{From: "\"a\r\nBcc: x\"@example.org", Helo: "x\r\nAction: delivered", EnvID: "1\r\n\r\nAction: x"}
	hostile.Message.Reading = store.Reading{Subject: "x\r\n\r\n--lull-R1--", MessageID: "<x>\r\nBcc: y>"}
	hostile.Copies = []store.Copy{{Index: 1, To: "b@example.net\nAction: delivered", ORcpt: "rfc822\r\nAction: x;a\nb"}}
	hostile.Replies = []store.Reply{{Code: 550, Text: strings.Repeat("no ", 300) + strings.Repeat("x", 2000) + "\r\n\r\n--lull-R1--\r\n\xff\x1b[31m"}}

	large := base()
	large.Original = []byte("Subject: large\r\n\r\n" + strings.Repeat("x\r\n", DefaultMaxReturn))

	nothing := base()
	nothing.Original, nothing.Replies, nothing.Message.Reading = nil, []store.Reply{{}}, store.Reading{}

	return map[string]Report{
		"failed": failed, "several": several, "expired": expired, "delayed": delayed, "relayed": relayed,
		"international": international, "hostile": hostile, "large": large, "nothing": nothing,
	}
}

func TestWrite(t *testing.T) {
	for name, r := range cases() {
		t.Run(name, func(t *testing.T) {
			got, err := Write(r)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
			check(t, r, got)
		})
	}
}

// check reads a report as a mail program does, and finds in it what was told.
func check(t *testing.T, r Report, raw []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("%s %v, %v", kind, params, err)
	}
	if len(m.Header) > 11 || len(m.Header["Bcc"]) > 0 || m.Header.Get("Auto-Submitted") != "auto-replied" {
		t.Errorf("header %v", m.Header)
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d octets", len(line))
		}
		if !utf8.ValidString(line) {
			t.Errorf("not UTF-8: %q", line)
		}
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	_ = next(t, parts, "text/plain; charset=utf-8")
	checkStatus(t, r, next(t, parts, "message/delivery-status"))
	if back := r.returned(); len(back.text) > 0 {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(bytes.TrimRight(text, "\r\n"), bytes.TrimRight(back.text, "\r\n")) {
			t.Errorf("returned %q, %v", text, err)
		}
	}
	if p, err := parts.NextRawPart(); err != io.EOF {
		t.Errorf("one part more: %v, %v", p, err)
	}
}

func next(t *testing.T, parts *multipart.Reader, kind string) []byte {
	t.Helper()
	p, err := parts.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Header.Get("Content-Type"); got != kind {
		t.Errorf("part %q, want %q", got, kind)
	}
	text, err := io.ReadAll(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// checkStatus finds one group for the message, and one for each recipient.
func checkStatus(t *testing.T, r Report, text []byte) {
	t.Helper()
	groups := textproto.NewReader(bufio.NewReader(bytes.NewReader(text)))
	head, err := groups.ReadMIMEHeader()
	if err != nil || !strings.HasPrefix(head.Get("Reporting-MTA"), "dns; ") || head.Get("Action") != "" {
		t.Fatalf("%v, %v", head, err)
	}
	for i := range r.Copies {
		g, err := groups.ReadMIMEHeader()
		if err != nil && (err != io.EOF || i < len(r.Copies)-1) {
			t.Fatal(err)
		}
		if len(g["Action"]) != 1 || g.Get("Action") != string(r.Action) || g.Get("Final-Recipient") == "" || len(g.Get("Status")) < 5 {
			t.Errorf("recipient %d: %v", i, g)
		}
	}
	if g, err := groups.ReadMIMEHeader(); err == nil && len(g) > 0 {
		t.Errorf("one group more: %v", g)
	}
}

func TestWriteRefuses(t *testing.T) {
	null := base()
	null.Message.Envelope.From = ""
	if _, err := Write(null); !errors.Is(err, ErrNobody) {
		t.Errorf("null sender: %v", err)
	}
	for name, spoil := range map[string]func(*Report){
		"message": func(r *Report) { r.Message = nil }, "copies": func(r *Report) { r.Copies = nil },
		"replies": func(r *Report) { r.Replies = nil }, "host": func(r *Report) { r.Host = "" },
		"from": func(r *Report) { r.From = "" }, "id": func(r *Report) { r.ID = "" },
	} {
		r := base()
		spoil(&r)
		if _, err := Write(r); !errors.Is(err, errIncomplete) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestStatusCode(t *testing.T) {
	tests := []struct {
		action   Action
		expired  bool
		enhanced string
		want     string
	}{
		{Failed, false, "5.1.1", "5.1.1"},
		{Failed, false, "", "5.0.0"},
		{Failed, false, "4.2.0", "5.0.0"},
		{Failed, true, "4.2.0", "4.4.7"},
		{Delayed, false, "4.2.0", "4.2.0"},
		{Delayed, false, "5.7.1", "4.0.0"},
		{Relayed, false, "2.0.0", "2.0.0"},
		{Relayed, false, "", "2.0.0"},
	}
	for _, tt := range tests {
		r := Report{Action: tt.action, Expired: tt.expired}
		if got := statusCode(r, store.Reply{Enhanced: tt.enhanced}); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("a@example.org", "b@example.net", "no such user", "rfc822;c", "subject", "Subject: x\r\n\r\nx\r\n")
	f.Add("\"a\r\n\"@x", "b\n", "\r\n--lull-R1--", ";", "\r\n\r\n", "--lull-R1\r\n")
	f.Fuzz(func(t *testing.T, from, to, text, orcpt, subject, original string) {
		r := base()
		r.Message.Envelope = store.Envelope{From: from, EnvID: orcpt, Helo: to}
		r.Message.Reading = store.Reading{Subject: subject, MessageID: subject}
		r.Copies = []store.Copy{{To: to, ORcpt: orcpt}}
		r.Replies = []store.Reply{{Code: 550, Text: text}}
		r.Original = []byte(original)
		got, err := Write(r)
		if from == "" {
			if !errors.Is(err, ErrNobody) {
				t.Fatal(err)
			}
			return
		}
		head, rest, _ := bytes.Cut(got, []byte("\r\n\r\n"))
		if n := bytes.Count(rest, []byte("\r\n--lull-R1")); !strings.Contains(original, "--lull-R1") && n > 3 {
			t.Fatalf("%d delimiters in %q", n, got)
		}
		if bytes.ContainsAny(bytes.ReplaceAll(head, []byte("\r\n"), nil), "\r\n\x00") {
			t.Fatalf("header %q", head)
		}
		if len(from) < 300 && len(to) < 300 && len(orcpt) < 300 && len(original) == 0 && to != "" {
			check(t, r, got)
		}
	})
}
