package compose

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"mime/quotedprintable"
	"strings"
)

// entity is one MIME part (RFC 2045): its header fields and encoded body,
// with CRLF line ends.
type entity struct {
	fields []string
	body   []byte
}

func (e entity) writeTo(b *bytes.Buffer) {
	for _, f := range e.fields {
		b.WriteString(f + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(e.body)
}

// readable is a text in quoted-printable, or in base64 where that is shorter.
func readable(contentType string, s []byte) entity {
	quoted := quotedPrintable(s)
	if n := (len(s) + 2) / 3 * 4; len(quoted) <= n+n/38 {
		return entity{[]string{"Content-Type: " + contentType, "Content-Transfer-Encoding: quoted-printable"}, quoted}
	}
	coded := base64Lines(bytes.ReplaceAll(s, []byte("\n"), []byte("\r\n")))
	return entity{[]string{"Content-Type: " + contentType, "Content-Transfer-Encoding: base64"}, coded}
}

func quotedPrintable(s []byte) []byte {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write(s) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// base64Lines codes in lines of 76 characters (RFC 2045 section 6.8).
func base64Lines(s []byte) []byte {
	coded := base64.StdEncoding.EncodeToString(s)
	var b bytes.Buffer
	for len(coded) > 76 {
		b.WriteString(coded[:76] + "\r\n")
		coded = coded[76:]
	}
	b.WriteString(coded + "\r\n")
	return b.Bytes()
}

// attached is a file for the reader to open. Its name is ours.
func attached(name string, s []byte) entity {
	return entity{[]string{
		"Content-Type: application/octet-stream",
		"Content-Transfer-Encoding: base64",
		"Content-Disposition: attachment; filename=\"" + name + "\"",
	}, base64Lines(s)}
}

// multipart puts parts together. The boundary has "=_", which neither
// quoted-printable nor base64 can contain.
func multipart(subtype, id string, parts ...entity) entity {
	sum := sha256.Sum256([]byte(subtype + id))
	boundary := "=_lull_" + hex.EncodeToString(sum[:8])
	var b bytes.Buffer
	for i, p := range parts {
		b.WriteString(strings.Repeat("\r\n", min(i, 1)) + "--" + boundary + "\r\n")
		p.writeTo(&b)
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return entity{[]string{"Content-Type: multipart/" + subtype + ";\r\n boundary=\"" + boundary + "\""}, b.Bytes()}
}
