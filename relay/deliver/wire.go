package deliver

import "bytes"

// wire turns a body into what travels after DATA: lines end in CRLF and in
// nothing else, and a dot at the begin of a line is doubled (RFC 5321
// sections 2.3.8 and 4.5.2). No bare CR or LF leaves, so that no server can
// see an end of data where we saw none.
type wire struct {
	out       []byte // encoded, not yet sent
	crs       int    // CRs read, of which it is not yet known what follows
	inLine    bool   // the last line has octets and no end
	converted int    // bare CR and LF that became CRLF
}

// write encodes p.
func (w *wire) write(p []byte) {
	for len(p) > 0 {
		n := lineLength(p)
		if text, ok := proper(p[:n]); ok && w.crs == 0 {
			w.text(text)
			w.endLine()
		} else {
			w.improper(p[:n])
		}
		p = p[n:]
	}
}

// proper returns a line without its CRLF, if it has that and no other CR.
func proper(line []byte) (text []byte, ok bool) {
	text, ok = bytes.CutSuffix(line, []byte("\r\n"))
	return text, ok && bytes.IndexByte(text, '\r') < 0
}

// improper encodes a line, or a piece of one, with any line ends in it.
func (w *wire) improper(p []byte) {
	for len(p) > 0 {
		if w.crs > 0 {
			p = w.afterCR(p)
			continue
		}
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			w.text(p)
			return
		}
		w.text(p[:i])
		if p[i] == '\r' {
			w.crs = 1
		} else {
			w.converted++
			w.endLine()
		}
		p = p[i+1:]
	}
}

// afterCR decides what pending CRs were. Several before one LF, as a doubled
// conversion leaves them, are one line end: an empty line more would end the
// header.
func (w *wire) afterCR(p []byte) []byte {
	switch p[0] {
	case '\r':
		w.crs++
		return p[1:]
	case '\n':
		if w.crs > 1 {
			w.converted++
		}
		w.crs = 0
		w.endLine()
		return p[1:]
	}
	w.bareCRs()
	return p
}

func (w *wire) bareCRs() {
	for ; w.crs > 0; w.crs-- {
		w.converted++
		w.endLine()
	}
}

func (w *wire) text(p []byte) {
	if len(p) == 0 {
		return
	}
	if !w.inLine && p[0] == '.' {
		w.out = append(w.out, '.')
	}
	w.inLine = true
	w.out = append(w.out, p...)
}

func (w *wire) endLine() {
	w.out = append(w.out, '\r', '\n')
	w.inLine = false
}

// end closes the last line and adds the final dot.
func (w *wire) end() {
	w.bareCRs()
	if w.inLine {
		w.endLine()
	}
	w.out = append(w.out, '.', '\r', '\n')
}
