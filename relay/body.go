package relay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

const (
	// firstBuffer is allocated for a message of unknown size.
	firstBuffer = 8 << 10
	// trustedSize is how far a declared SIZE is believed at once.
	trustedSize = 1 << 20
	// budgetPatience is how long a message waits for memory.
	budgetPatience = 5 * time.Second
)

// intake gathers the body of one message within the limits.
type intake struct {
	ctx    context.Context
	max    int64
	budget *budget
	took   func() // called for each piece

	first int // size of the first buffer
	buf   []byte
	held  int64 // bytes taken from budget
}

// expect sets the size that the client declared, 0 if it did not. It is
// believed only so far.
func (in *intake) expect(size int64) {
	in.first = firstBuffer
	if size > 0 {
		in.first = int(min(size, trustedSize)) + 512
	}
}

// take appends a piece.
func (in *intake) take(piece []byte) error {
	in.took()
	if int64(len(in.buf)+len(piece)) > in.max {
		return errTooLarge
	}
	if err := in.grow(len(piece)); err != nil {
		return err
	}
	in.buf = append(in.buf, piece...)
	return nil
}

// ReadFrom appends all of r.
func (in *intake) ReadFrom(r io.Reader) (int64, error) {
	for {
		if err := in.grow(512); err != nil {
			return int64(len(in.buf)), err
		}
		n, err := r.Read(in.buf[len(in.buf):cap(in.buf)])
		in.took()
		in.buf = in.buf[:len(in.buf)+n]
		switch {
		case int64(len(in.buf)) > in.max:
			return int64(len(in.buf)), errTooLarge
		case errors.Is(err, io.EOF):
			return int64(len(in.buf)), nil
		case err != nil:
			return int64(len(in.buf)), err
		}
	}
}

// grow makes room for n more bytes.
func (in *intake) grow(n int) error {
	need := len(in.buf) + n
	if need <= cap(in.buf) {
		return nil
	}
	return in.reserve(max(need, 2*cap(in.buf), in.first))
}

// reserve makes the buffer size bytes large, within the budget.
func (in *intake) reserve(size int) error {
	more := int64(size - cap(in.buf))
	if !in.budget.take(in.ctx, more, budgetPatience) {
		return errBusy
	}
	in.held += more
	in.buf = append(make([]byte, 0, size), in.buf...)
	return nil
}

// release gives back the memory. The bytes may live on with the Acceptor.
func (in *intake) release() {
	in.budget.give(in.held)
	in.held = 0
}

// dotted reads the text after DATA (RFC 5321 section 4.1.1.4) up to the line
// with a single dot. That line alone is left unread: go-smtp, which reads what
// remains, finds the end at its first octet.
//
// Only CRLF.CRLF ends the text. Every octet before it is kept, but for the
// dot that a client adds to lines that begin with one (section 4.5.2).
type dotted struct {
	r      *bufio.Reader
	inLine bool // not at the beginning of a line
	cr     bool // the last octet was CR
}

// each calls take for each piece of the text, until its end or the first error.
func (d *dotted) each(take func([]byte) error) error {
	for {
		end, err := d.atEnd()
		if end || err != nil {
			return err
		}
		piece, err := d.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return noEOF(err)
		}
		d.follow(piece)
		if err := take(piece); err != nil {
			return err
		}
	}
}

// atEnd reports whether the line with the single dot is next. It removes the
// first dot of any other line.
func (d *dotted) atEnd() (bool, error) {
	if d.inLine {
		return false, nil
	}
	first, err := d.r.Peek(1)
	if err != nil || first[0] != '.' {
		return false, noEOF(err)
	}
	line, err := d.r.Peek(3)
	if err != nil || bytes.Equal(line, []byte(".\r\n")) {
		return err == nil, noEOF(err)
	}
	_, err = d.r.Discard(1)
	return false, err
}

// follow notes where in a line the text is after piece.
func (d *dotted) follow(piece []byte) {
	n := len(piece)
	lf := piece[n-1] == '\n'
	crlf := lf && (n > 1 && piece[n-2] == '\r' || n == 1 && d.cr)
	d.inLine, d.cr = !crlf, piece[n-1] == '\r'
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
