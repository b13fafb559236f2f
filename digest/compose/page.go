package compose

import (
	"bytes"
	_ "embed"
	"html/template"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// page is the story as a page of HTML: no scripts, nothing remote.
func (s *story) page() ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Pixels is the bar's height on a page.
func (b bar) Pixels() int { return b.Height * 4 }

// Color is that of the line's label on a light ground; the page's style sheet
// has those for a dark one.
func (l line) Color() template.CSS {
	switch l.Level {
	case "critical":
		return "#b3261e"
	case "warning":
		return "#8a5a00"
	case "unknown":
		return "#6b3fa0"
	}
	return "#5d6873"
}
