package relay

import (
	"bufio"
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// commands reads what a client says, above TLS, and edits the commands that
// clients rightly send and go-smtp refuses before the session is asked. It
// follows the dialogue exactly, so that no octet of a message is taken for a command: DATA
// is followed by a text if the session receives one, and BDAT by as many octets
// as it says.
type commands struct {
	src     *bufio.Reader
	session *session

	ahead []byte // read and not yet handed over
	chunk int64  // octets of a chunk to come
	asked bool   // DATA was said last
	text  bool   // a text is under way
	line  lines
}

// lines follows where in a line the input is.
type lines struct{ inside, cr bool }

// after notes a piece, and reports whether it began a line, as ended by CRLF.
func (l *lines) after(piece []byte) (began bool) {
	began = !l.inside
	n := len(piece)
	crlf := piece[n-1] == '\n' && (n > 1 && piece[n-2] == '\r' || n == 1 && l.cr)
	l.inside, l.cr = !crlf, piece[n-1] == '\r'
	return began
}

// Read hands over one line, or a piece of a long one or of a chunk.
func (c *commands) Read(p []byte) (int, error) {
	switch {
	case len(c.ahead) > 0:
		return c.give(p, c.ahead), nil
	case c.chunk > 0:
		n, err := c.src.Read(p[:min(int64(len(p)), c.chunk)])
		c.chunk -= int64(n)
		return n, err
	}
	piece, err := c.src.ReadSlice('\n')
	if len(piece) == 0 {
		return 0, err
	}
	if err == nil || errors.Is(err, bufio.ErrBufferFull) {
		piece, err = c.follow(piece, err == nil), nil
	}
	n := c.give(p, piece)
	if len(c.ahead) > 0 {
		err = nil // it comes again
	}
	return n, err
}

func (c *commands) give(p, piece []byte) int {
	n := copy(p, piece)
	c.ahead = append(c.ahead[:0], piece[n:]...)
	return n
}

// follow notes what a piece is, and edits it if it is a command.
func (c *commands) follow(piece []byte, ended bool) []byte {
	if c.asked {
		c.asked, c.text, c.line = false, c.session.text, lines{}
	}
	if c.text {
		c.text = !c.line.after(piece) || string(piece) != ".\r\n"
		return piece
	}
	whole := ended && !c.line.inside
	c.line.inside = !ended
	if !whole {
		return piece
	}
	piece = tidy(piece)
	verb, rest, _ := bytes.Cut(bytes.TrimRight(piece, "\r\n"), []byte(" "))
	switch strings.ToUpper(string(verb)) {
	case "DATA":
		c.asked = true
	case "BDAT":
		size, _, _ := strings.Cut(strings.TrimLeft(string(rest), " "), " ")
		c.chunk, _ = strconv.ParseInt(size, 10, 64) // 0 if it is no number
	case "MAIL", "RCPT":
		return mended(piece, c.session.srv.cfg.QualifyDomain)
	}
	return piece
}
