package signature

import (
	"embed"

	"strings"
	"sync"
)

//go:embed formats/*.format
var formatFiles embed.FS

// formats are the known ones, read from their files once.
var formats = sync.OnceValue(func() []*format {
	list, err := loadFormats()
	if err != nil {
		panic(err) // the files are part of the program, and tested with it
	}
	return list
})

// candidate is a layout of a format.
type candidate struct {
	format *format
	layout *layout
}

// index has the layouts that may fit a subject by its first byte in lower
// case, 0 for none, in the order of formats.
var index = sync.OnceValue(func() *[256][]candidate {
	var table [256][]candidate
	for _, f := range formats() {
		for i := range f.layouts {
			c := candidate{f, &f.layouts[i]}
			fits := c.layout.firstBytes()
			for b := range table {
				if fits == "" || strings.IndexByte(fits, byte(b)) >= 0 {
					table[b] = append(table[b], c)
				}
			}
		}
	}
	return &table
})

func firstByte(text string) byte {
	if text == "" {
		return 0
	}
	return text[0]
}

// firstBytes are those that a subject may begin with, "" for any.
func (l *layout) firstBytes() string {
	for i := range l.rules {
		r := &l.rules[i]
		switch {
		case r.place != inSubject:
		case len(r.segments) == 0:
			return "\x00"
		case r.segments[0].literal != "":
			return r.segments[0].literal[:1]
		case r.segments[0].words != nil:
			var all strings.Builder
			for _, word := range r.segments[0].words {
				if word == "" {
					return ""
				}
				all.WriteByte(word[0])
			}
			return all.String()
		}
	}
	return ""
}

func loadFormats() ([]*format, error) {
	files, err := formatFiles.ReadDir("formats")
	if err != nil {
		return nil, err
	}
	list := make([]*format, 0, len(files))
	for _, file := range files {
		text, err := formatFiles.ReadFile("formats/" + file.Name())
		if err != nil {
			return nil, err
		}
		f, err := parseFormat(strings.TrimSuffix(file.Name(), ".format"), string(text))
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}
