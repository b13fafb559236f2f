package storetest

import (
	"testing"
	"time"

	"lull/store"
)

// Engine opens stores for the suite.
type Engine struct {
	// Open gives an empty store. The suite closes it.
	Open func(t testing.TB, limits store.Limits) store.Store
	// Reopen closes a store and opens what it kept; nil if the engine keeps
	// nothing.
	Reopen func(t testing.TB, s store.Store) store.Store
}

// Run runs every test of the contract.
func Run(t *testing.T, e Engine) {
	for _, group := range [][]test{
		accepting(), cutting(), marking(), passing(), budgeting(), operating(), ruling(),
		telling(), rekeying(), regrouping(), overflowing(), retaining(), reading(), failing(),
	} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) { c.run(newWorld(t, e, c.limits())) })
		}
	}
}

// test is one test of the suite.
type test struct {
	name  string
	run   func(w *world)
	limit func(*store.Limits)
}

func (c test) limits() store.Limits {
	limits := store.DefaultLimits(time.Hour)
	if c.limit != nil {
		c.limit(&limits)
	}
	return limits
}
