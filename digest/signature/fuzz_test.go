package signature

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"lull/store"
)

// FuzzRead holds Read to what store.Reading promises, whatever it is given.
func FuzzRead(f *testing.F) {
	for _, e := range allExamples(f) {
		f.Add([]byte(e.Mail))
	}
	for _, text := range hostile {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		was := bytes.Clone(raw)
		r := Read(raw)
		if !bytes.Equal(was, raw) {
			t.Fatal("the bytes were changed")
		}
		checkReading(t, r)
		again, steps := Explain(raw)
		if !reflect.DeepEqual(r, again) {
			t.Fatalf("Explain differs:\n%+v\n%+v", r, again)
		}
		for _, s := range steps {
			checkText(t, "step "+s.Name, s.Detail, maxLine)
		}
	})
}

// hostile mails; what each attacks stands before it.
var hostile = []string{
	"",           // nothing
	"\n",         // no header
	"no header",  // no line end
	"\x00\xff\r", // bytes
	"Subject: =?utf-8?q?=\nSubject: =?utf-8?b?YQ0KQmNjOiBh?=\n\n",               // header injection by an encoded word
	"Subject: =?=?=?=?utf-8?q?=?utf-8?q?=?=\n\n",                                // broken words
	"Content-Type: multipart/x; boundary\n\n--\n--\n",                           // no boundary
	"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\n--\n",                // an empty one
	"Content-Type: text/html\n\n<<<a<b<<!--<style>x</style><script>",            // HTML that never ends
	"Content-Transfer-Encoding: base64\n\n====YQ==YQ",                           // padding within
	"Content-Type: text/plain; charset=utf-16\n\n\xfe\xff\x00a\x00",             // half a character
	"Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$B\x1b(B\x1b",         // shifts
	"From: <>\nSubject: ** PROBLEM Service Alert: / is  **\n\n",                 // a format without fields
	"From: a@b@c <d@e\nDate: Mon, 99 Foo 20000 99:99:99 +9999\nReceived: ;\n\n", // dates
	"Subject: " + strings.Repeat("a1", 3000) + "\n\n",                           // long names
	"Subject: " + strings.Repeat("x_1_", 2000) + "\n\n",                         // many parts
	"Subject: " + strings.Repeat("/a", 2000) + "\n\n",                           // many slashes
	"Subject: [FIRING:1] " + strings.Repeat("a ", 500) + "\n\n" + "Labels:\n",   // backtracking
	"Subject: x\n\n" + strings.Repeat("Labels:\n - alertname = a\n", 600),       // many records
	"From: root\nSubject: \u202eevil\u202c \ufeff\u200b zero\n\n\u2028\u2029\n", // bidi, zero width
}

var idForm = regexp.MustCompile(fmt.Sprintf("^s%d-[a-z2-7]{26}$", Version))

// checkReading holds a reading to its promises: bounded, valid UTF-8, no
// control characters, worst report first.
func checkReading(t *testing.T, r store.Reading) {
	t.Helper()
	s := r.Signature
	if !idForm.MatchString(s.ID) || s.Version != Version || s.Format == "" || s.Format == "unreadable" {
		t.Fatalf("signature %+v", s)
	}
	checkText(t, "title", s.Title, maxField)
	checkText(t, "source", s.Source, maxField)
	checkText(t, "variant", s.Variant, maxField)
	checkText(t, "core", strings.ReplaceAll(s.Core, "\n", " "), maxScan+64)
	checkText(t, "subject", r.Subject, maxSubject)
	checkText(t, "from", r.From, maxField)
	checkText(t, "message id", r.MessageID, maxField)
	checkText(t, "digest", r.Digest+r.DigestHost, 2*maxField)
	checkText(t, "excerpt", strings.ReplaceAll(r.Excerpt, "\n", " "), maxExcerpt)
	if len(r.Marks) > maxMarks {
		t.Fatalf("%d marks", len(r.Marks))
	}
	for _, m := range r.Marks {
		checkText(t, "mark", m, 64)
	}
	if len(r.Reports) == 0 || len(r.Reports) > maxReports {
		t.Fatalf("%d reports", len(r.Reports))
	}
	for i, report := range r.Reports {
		checkText(t, "object", report.Object, maxField)
		if report.State != store.Problem && report.State != store.Recovery && report.State != store.Notice {
			t.Fatalf("state %q", report.State)
		}
		if i > 0 && rank(r.Reports[i-1]) > rank(report) {
			t.Fatalf("reports out of order: %+v", r.Reports)
		}
	}
}

func checkText(t *testing.T, what, text string, limit int) {
	t.Helper()
	if len(text) > limit {
		t.Fatalf("%s has %d bytes, %d are allowed", what, len(text), limit)
	}
	if !utf8.ValidString(text) {
		t.Fatalf("%s is no UTF-8: %q", what, text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		t.Fatalf("%s has control characters: %q", what, text)
	}
}
