package memory_test

import (
	"testing"

	"lull/store"
	"lull/store/memory"
	"lull/store/storetest"
)

func engine() storetest.Engine {
	return storetest.Engine{
		Open: func(_ testing.TB, limits store.Limits) store.Store { return memory.New(limits) },
		Reopen: func(t testing.TB, s store.Store) store.Store {
			again, err := s.(*memory.Store).Reopen()
			if err != nil {
				t.Fatal(err)
			}
			return again
		},
	}
}

func TestStore(t *testing.T) { storetest.Run(t, engine()) }
