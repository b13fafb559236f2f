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
