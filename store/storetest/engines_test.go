package storetest_test

import (
	"errors"
	"os"
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

// stopped is how a restart leaves the folder: the store was closed in order.
func stopped(t testing.TB, k *kept) (folder string) {
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	return k.folder
}

// killed is how a restart leaves the folder: as it was under a running store,
// with what its journal held.
func killed(t testing.TB, k *kept) (folder string) {
	folder = filepath.Join(t.TempDir(), "state")
	if err := os.CopyFS(folder, os.DirFS(k.folder)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(folder, 0o700), k.Close()); err != nil {
		t.Fatal(err)
	}
	return folder
}

// inFile is the bbolt engine, with the folder and limits of each store, and how
// a run ends.
func inFile(end func(testing.TB, *kept) (folder string)) storetest.Engine {
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
			k := s.(*kept)
			return open(t, end(t, k), k.limits)
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
func TestBolt(t *testing.T)   { storetest.Run(t, inFile(stopped)) }
func TestKilled(t *testing.T) { storetest.Run(t, inFile(killed)) }

func TestMemoryMachine(t *testing.T) { storetest.Machine(t, inMemory()) }
func TestSame(t *testing.T)          { storetest.Same(t, inMemory(), inFile(killed)) }
func TestMemoryUndo(t *testing.T)    { storetest.Undo(t, inMemory()) }
func TestBoltUndo(t *testing.T)      { storetest.Undo(t, inFile(killed)) }

func BenchmarkMemory(b *testing.B) { storetest.Benchmark(b, inMemory()) }
func BenchmarkBolt(b *testing.B)   { storetest.Benchmark(b, inFile(stopped)) }
