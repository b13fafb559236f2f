package relay

import (
	"bufio"
	"io"
	"net/textproto"
	"reflect"

	"github.com/emersion/go-smtp"
)

// What go-smtp knows and does not tell. Tests fail when one of these fields
// is renamed; docs/adr/ says why they are looked at.

// below is the buffered connection that go-smtp's reader of DATA reads from,
// or nil if r is another reader.
func below(r io.Reader) *bufio.Reader {
	v := reflect.ValueOf(r)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	f := v.Elem().FieldByName("r")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*bufio.Reader]() {
		return nil
	}
	return (*bufio.Reader)(f.UnsafePointer())
}

// between puts a reader between a connection and go-smtp, above TLS. Each
// session, and so each beginning of TLS, needs it anew.
func between(c *smtp.Conn, over func(*bufio.Reader) io.Reader) {
	text := (*textproto.Conn)(reflect.ValueOf(c).Elem().FieldByName("text").UnsafePointer())
	text.R = bufio.NewReader(over(text.R))
}

// announced is how many octets the BDAT commands of a message announced.
func announced(c *smtp.Conn) int64 {
	return reflect.ValueOf(c).Elem().FieldByName("bytesReceived").Int()
}

// transfer tells the bodies in chunks of a connection apart: it changes with
// the first BDAT of each. It is 0 before the first one.
func transfer(c *smtp.Conn) uintptr {
	return reflect.ValueOf(c).Elem().FieldByName("dataResult").Pointer()
}
