package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lull/store"
)

// Fault is how a call fails.
type Fault int

// The faults.
const (
	// Before: the command was not carried out, as with a full disk.
	Before Fault = iota
	// After: the command was carried out and its answer lost; the store has
	// stopped, as after a commit of unknown effect.
	After
)

// Faulty is a store whose nth command fails. Reads do not fail. It is safe for
// use by many goroutines if the store is.
type Faulty struct {
	store.Store
	mu      sync.Mutex
	left    int // commands until the one that fails
	fault   Fault
	err     error
	stopped bool
	failed  string
}

// NewFaulty wraps a store; its nth command, counted from 1, fails with err. A
// fault After always answers ErrStopped, and so does every command after it.
func NewFaulty(s store.Store, n int, fault Fault, err error) *Faulty {
	return &Faulty{Store: s, left: n, fault: fault, err: err}
}

// Failed is the name of the command that failed, "" if none did yet.
func (f *Faulty) Failed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// turn counts a command and says whether it fails before or after it is carried out.
func (f *Faulty) turn(name string) (before, after error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return fmt.Errorf("%s: %w", name, store.ErrStopped), nil
	}
	if f.left--; f.left != 0 {
		return nil, nil
	}
	f.failed = name
	if f.fault == Before {
		return fmt.Errorf("%s: %w", name, f.err), nil
	}
	f.stopped = true
	return nil, fmt.Errorf("%s: %w", name, store.ErrStopped)
}

// run carries out a command, or fails.
func (f *Faulty) run(name string, command func() error) error {
	before, after := f.turn(name)
	if before != nil {
		return before
	}
	if err := command(); err != nil {
		return err
	}
	return after
}

// answered carries out a command that answers with more than an error.
func answered[T any](f *Faulty, name string, command func() (T, error)) (answer T, err error) {
	err = f.run(name, func() (err error) {
		answer, err = command()
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

// Accept fails in its turn.
func (f *Faulty) Accept(ctx context.Context, m store.Message, body []byte) error {
	return f.run("accept", func() error { return f.Store.Accept(ctx, m, body) })
}

// Cut fails in its turn.
func (f *Faulty) Cut(ctx context.Context, c store.Cut) (store.Taken, error) {
	return answered(f, "cut", func() (store.Taken, error) { return f.Store.Cut(ctx, c) })
}

// Begin fails in its turn.
func (f *Faulty) Begin(ctx context.Context, b store.Begin) error {
	return f.run("begin", func() error { return f.Store.Begin(ctx, b) })
}

// Mark fails in its turn.
func (f *Faulty) Mark(ctx context.Context, m store.Mark) error {
	return f.run("mark", func() error { return f.Store.Mark(ctx, m) })
}

// Refuse fails in its turn.
func (f *Faulty) Refuse(ctx context.Context, r store.Refuse) error {
	return f.run("refuse", func() error { return f.Store.Refuse(ctx, r) })
}

// Plan fails in its turn.
func (f *Faulty) Plan(ctx context.Context, p store.Plan) error {
	return f.run("plan", func() error { return f.Store.Plan(ctx, p) })
}

// Rekey fails in its turn.
func (f *Faulty) Rekey(ctx context.Context, k store.Rekey) error {
	return f.run("rekey", func() error { return f.Store.Rekey(ctx, k) })
}

// Join fails in its turn.
func (f *Faulty) Join(ctx context.Context, j store.Join) error {
	return f.run("join", func() error { return f.Store.Join(ctx, j) })
}

// Return fails in its turn.
func (f *Faulty) Return(ctx context.Context, batch string, at time.Time) error {
	return f.run("return", func() error { return f.Store.Return(ctx, batch, at) })
}

// Operate fails in its turn.
func (f *Faulty) Operate(ctx context.Context, o store.Operate) (store.Operation, error) {
	return answered(f, "operate", func() (store.Operation, error) { return f.Store.Operate(ctx, o) })
}

// Undo fails in its turn.
func (f *Faulty) Undo(ctx context.Context, u store.Undo) (store.Operation, error) {
	return answered(f, "undo", func() (store.Operation, error) { return f.Store.Undo(ctx, u) })
}

// Tend fails in its turn.
func (f *Faulty) Tend(ctx context.Context, t store.Tend) (store.Tended, error) {
	return answered(f, "tend", func() (store.Tended, error) { return f.Store.Tend(ctx, t) })
}
