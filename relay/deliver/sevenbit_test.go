package deliver

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSevenBit(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing to do", "Subject: x\r\n\r\nplain\n", "Subject: x\r\n\r\nplain\n"},
		{"no MIME", "Subject: x\r\n\r\ngrün\r\n", "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BCn\r\n"},
		{"no MIME, no UTF-8", "Subject: x\n\ngr\xfcn\n", "Subject: x\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\ngr=FCn\r\n"},
		{"only a header", "Subject: über alles, außer\r\n das da\r\n\r\nplain\r\n", "Subject: =?utf-8?q?=C3=BCber?= alles, =?utf-8?q?au=C3=9Fer?= das da\r\n\r\nplain\r\n"},
		{"header of Latin-1", "Subject: gr\xfcn\r\n\r\n", "Subject: =?unknown-8bit?q?gr=FCn?=\r\n\r\n"},
		{
			"addresses",
			"From: \"Müller, Jörg\" <j@example.org>, x@example.org\r\nTo: Jörg <jörg@example.org>\r\nCc: zoë@example.org\r\n\r\n",
			"From: =?utf-8?q?M=C3=BCller,_J=C3=B6rg?= <j@example.org>, x@example.org\r\nTo: =?utf-8?q?J=C3=B6rg_<j=C3=B6rg@example.org>?= :;\r\nCc: =?utf-8?q?zo=C3=AB@example.org?= :;\r\n\r\n",
		},
		{"no field", "Sübject\r\n: x\r\nTo: a\r\n\r\n", "S??bject\r\n: x\r\nTo: a\r\n\r\n"},
		{
			"attachment",
			"Content-Type: multipart/mixed; boundary=\"b\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\npreämble\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: application/pdf; name=\"ü.pdf\"\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\xff\r\n--b--\r\n",
			"Content-Type: multipart/mixed; boundary=\"b\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\npre??mble\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: application/pdf; name=\"=?utf-8?q?=C3=BC.pdf?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAP8=\r\n--b--\r\n",
		},
		{
			"mail in a mail",
			"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: ä\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nö\r\n",
			"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: =?utf-8?q?=C3=A4?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=B6\r\n",
		},
		{
			"broken quoted-printable and base64",
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4ä\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAP8ä=\r\n--b--\r\n",
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4=C3=A4\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAP8=\r\n--b--\r\n",
		},
		{"header without end", "Subject: ä", "Subject: =?utf-8?q?=C3=A4?=\r\n"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, changed := sevenBit([]byte(tt.in), true)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if changed != (tt.in != tt.want) {
				t.Errorf("changed = %v", changed)
			}
		})
	}
}

// What a reader sees of a converted mail is what was in it.
func TestSevenBitReadsTheSame(t *testing.T) {
	text := "Zeile 1: äöü = 1\r\n.\r\n" + strings.Repeat("lange Zeile ß ", 100) + " \r\nlast"
	html := "<p>é</p>"
	in := "From: Jörg <j@example.org>\r\nSubject: " + strings.Repeat("größer und größer, ", 20) + "\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/alternative;\r\n boundary=\"=_x y\"\r\n\r\n" +
		"--=_x y\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text +
		"\r\n--=_x y\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + html + "\r\n--=_x y--\r\n"
	out, changed := sevenBit([]byte(in), true)
	if !changed || !ascii(out) {
		t.Fatalf("changed %v, ASCII %v", changed, ascii(out))
	}
	m, err := mail.ReadMessage(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if want := strings.TrimSpace(strings.Repeat("größer und größer, ", 20)); err != nil || subject != want {
		t.Errorf("subject %q, %v", subject, err)
	}
	if from, err := m.Header.AddressList("From"); err != nil || from[0].Name != "Jörg" {
		t.Errorf("from %v, %v", from, err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{text, html} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil || string(got) != want {
			t.Errorf("part %.60q…, %v", got, err)
		}
	}
}

func FuzzSevenBit(f *testing.F) {
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nSubject: \xff\r\n\r\n\xff\r\n--b--\r\n"))
	f.Add([]byte("Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n\xe4"))
	f.Add([]byte("Content-Transfer-Encoding: base64\r\n\r\n\xe4"))
	f.Add([]byte("From: \"\xe4\\"))
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		out, changed := sevenBit(in, true)
		if !ascii(out) {
			t.Fatalf("%q is not ASCII", out)
		}
		if !bytes.Equal(in, before) {
			t.Fatal("the mail itself was changed")
		}
		if changed == ascii(in) {
			t.Fatalf("changed = %v", changed)
		}
		if again, changed := sevenBit(out, true); changed || !bytes.Equal(again, out) {
			t.Fatal("not the same when done again")
		}
		sevenBit(in, false)
	})
}
