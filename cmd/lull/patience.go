package main

import (
	"fmt"
	"sync"
	"time"
)

// working shows in a terminal that a long command is at work, until something
// is written or quiet is called.
func (s *screen) working(what string) {
	if s.rows == 0 {
		return
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		s.tick(what, stop)
	}()
	s.calm = sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
}

func (s *screen) tick(what string, stop <-chan struct{}) {
	began := time.Now()
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-stop:
			if time.Since(began) > time.Second {
				fmt.Fprint(s.errs, "\r\x1b[K")
			}
			return
		case <-ticks.C:
			fmt.Fprintf(s.errs, "\r\x1b[K%s … %s", what, span(time.Since(began)))
		}
	}
}

// quiet ends the sign of life.
func (s *screen) quiet() {
	if s.calm != nil {
		s.calm()
	}
}
