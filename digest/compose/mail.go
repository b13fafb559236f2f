package compose

import (
	"bytes"
	"fmt"
	"time"
)

// Mail composes the whole mail of a digest (RFC 5322): ASCII with CRLF line
// ends, at most MaxBytes long. Told is what it claims.
//
// The copies of all its parts add up to the entries given. An error means
// that the input's own identity cannot stand in a header, never that of a
// mail that is told.
func Mail(in Input) ([]byte, Told, error) {
	in = in.defaults()
	if err := in.check(); err != nil {
		return nil, Told{}, err
	}
	a := reckon(in)
	files := a.originals()
	for _, l := range rungs() {
		s, omitted := a.tell(l)
		m, err := a.mail(&s, files)
		if err != nil {
			return nil, Told{}, err
		}
		if len(m) <= in.MaxBytes {
			a.told.Omitted, a.told.Bytes = omitted, len(m)
			return m, a.told, nil
		}
	}
	return nil, Told{}, fmt.Errorf("digest %s does not fit in %d bytes", in.ID, in.MaxBytes)
}

// Page composes the page of a digest alone, for a preview.
func Page(in Input) ([]byte, error) {
	in = in.defaults()
	a := reckon(in)
	for _, l := range rungs() {
		s, _ := a.tell(l)
		page, err := s.page()
		if err != nil || len(page) <= in.MaxBytes {
			return page, err
		}
	}
	return nil, fmt.Errorf("digest %s does not fit in %d bytes", in.ID, in.MaxBytes)
}

func (in Input) defaults() Input {
	if in.From == "" {
		in.From = "lull@" + in.Host
	}
	if in.Window <= 0 {
		in.Window = time.Hour
	}
	if in.LateAfter <= 0 {
		in.LateAfter = time.Hour
	}
	if in.Zone == nil {
		in.Zone = time.UTC
	}
	if in.MaxBytes == 0 {
		in.MaxBytes = DefaultBytes
	}
	in.MaxBytes = max(in.MaxBytes, MinBytes)
	return in
}

// mail is the story as a mail, with files attached.
func (a *account) mail(s *story, files []entity) ([]byte, error) {
	body := readable("text/plain; charset=utf-8", []byte(s.plain()))
	if a.Level != TitlesOnly {
		page, err := s.page()
		if err != nil {
			return nil, fmt.Errorf("digest %s: %w", a.ID, err)
		}
		body = multipart("alternative", a.ID, body, readable("text/html; charset=utf-8", page))
	}
	if len(files) > 0 {
		body = multipart("mixed", a.ID, append([]entity{body}, files...)...)
	}
	body.fields = append(a.fields(s.Subject), body.fields...)
	var b bytes.Buffer
	body.writeTo(&b)
	return b.Bytes(), nil
}
