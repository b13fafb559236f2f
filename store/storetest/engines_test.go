package storetest_test

import (
	"path/filepath"
	"testing"

	"lull/store"
	"lull/store/bolt"
	"lull/store/memory"
	"lull/store/storetest"
)

func inMemory() storetest.Engine {
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

// inFile is the bbolt engine with the folder and limits of each store.
func inFile() storetest.Engine {
	open := func(t testing.TB, folder string, limits store.Limits) store.Store {
		s, err := bolt.Open(folder, bolt.Options{Limits: limits})
		if err != nil {
			t.Fatal(err)
		}
		return &kept{s, folder, limits}
	}
	return storetest.Engine{
		Open: func(t testing.TB, limits store.Limits) store.Store {
			return open(t, filepath.Join(t.TempDir(), "state"), limits)
		},
		Reopen: func(t testing.TB, s store.Store) store.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, s.(*kept).folder, s.(*kept).limits)
		},
	}
}

// kept is a store that knows where it is kept.
type kept struct {
	store.Store
	folder string
	limits store.Limits
}

func TestMemory(t *testing.T) { storetest.Run(t, inMemory()) }
func TestBolt(t *testing.T)   { storetest.Run(t, inFile()) }

func TestMemoryMachine(t *testing.T) { storetest.Machine(t, inMemory()) }
func TestSame(t *testing.T)          { storetest.Same(t, inMemory(), inFile()) }
func TestMemoryUndo(t *testing.T)    { storetest.Undo(t, inMemory()) }
func TestBoltUndo(t *testing.T)      { storetest.Undo(t, inFile()) }

func BenchmarkMemory(b *testing.B) { storetest.Benchmark(b, inMemory()) }
func BenchmarkBolt(b *testing.B)   { storetest.Benchmark(b, inFile()) }
