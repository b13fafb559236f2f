package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"lull/digest/signature/corpus"
)

// generate writes the generated corpus into a folder, with its labels.
func generate(out io.Writer, dir string, seed uint64, each int) error {
	mails, err := corpus.Generate(seed, each)
	if err != nil {
		return err
	}
	var labels strings.Builder
	labels.WriteString("file\tincident\tfamily\tclass\tkind\tobject\n")
	for i, m := range mails {
		file := filepath.Join(m.Format, fmt.Sprintf("%06d.eml", i))
		if err := os.MkdirAll(filepath.Join(dir, m.Format), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file), m.Raw, 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&labels, "%s\t%q\t%q\t%s\t%s\t%s\n", filepath.ToSlash(file), m.Incident, m.Family, m.Class, m.Kind, m.Object)
	}
	fmt.Fprintf(out, "%d mails in %s\n", len(mails), dir)
	return os.WriteFile(filepath.Join(dir, "labels.tsv"), []byte(labels.String()), 0o644)
}
