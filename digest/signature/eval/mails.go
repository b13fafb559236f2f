package main

import (
	"errors"
	"io"
)

func evalMails(out io.Writer, dir, labels string, list bool) error { return errors.New("later") }
