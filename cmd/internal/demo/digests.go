package demo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/emersion/go-message/mail"
)

// Write puts the worst reader's digests into dir, each as .eml and as .html, and
// returns the names of the pages.
func (r Report) Write(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var pages []string
	for _, d := range r.Digests {
		page, err := d.page()
		if err != nil {
			return nil, fmt.Errorf("digest %s: %w", d.ID, err)
		}
		name := fmt.Sprintf("%s-%s", r.Variant, d.At.Format("1504"))
		if err := errors.Join(
			os.WriteFile(filepath.Join(dir, name+".eml"), d.Data, 0o644),
			os.WriteFile(filepath.Join(dir, name+".html"), page, 0o644),
		); err != nil {
			return nil, err
		}
		pages = append(pages, name+".html")
	}
	return pages, nil
}

// page is the HTML part of a digest.
func (d Digest) page() ([]byte, error) {
	m, err := mail.CreateReader(bytes.NewReader(d.Data))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it has no HTML part")
		}
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			return io.ReadAll(part.Body)
		}
	}
}

// Handler serves the files of dir, pages without scripts or anything remote.
func Handler(dir string) http.Handler {
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		files.ServeHTTP(w, r)
	})
}
