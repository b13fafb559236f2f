package ledger

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// Ledger is the state machine. Commands need its lock; [Reads] takes it.
type Ledger struct {
	sync.RWMutex
	limits store.Limits
	head   Head
	next   uint64 // number of the next copy

	segments []*segment // in order of numbers
	messages map[ref]uint64
	keys     map[string]time.Time // when the message was dropped, zero while kept

	fates    [fates]*Set // each kept copy is in one
	alerts   *Set        // of class alert
	ended    *Set        // told, passed, bounced or expired for good
	returned *Set        // of digests that came back
	silenced *Set        // by rules whose operation was not undone
	shown    map[uint64]uint32
	progress map[uint64]store.Progress

	homes      homes
	homed      int // how often they were replaced
	owners     owners
	readers    table[reader]
	incidents  table[incident]
	byReader   map[string]*reader
	byIncident map[string]*incident
	batches    map[string]*batch
	underway   map[string]*batch // of these, those without an end
	operations []*operation      // in order of sequence
	operation  map[string]*operation
	rules      []*rule // in order of their operations
	slots      slots

	seal   store.Seal // the last
	sealed map[store.Fate]uint64
}

// ref stands for a message's id: a shortened SHA-256.
type ref [16]byte

func refOf(id string) ref {
	sum := sha256.Sum256([]byte(id))
	return ref(sum[:16])
}

// New returns the ledger of an empty store.
func New(limits store.Limits) *Ledger {
	l := &Ledger{
		limits: limits, next: 1,
		messages: make(map[ref]uint64), keys: make(map[string]time.Time),
		alerts: roaring64.New(), ended: roaring64.New(), returned: roaring64.New(), silenced: roaring64.New(),
		shown: make(map[uint64]uint32), progress: make(map[uint64]store.Progress),
		owners:   owners{byIndex: make(map[uint32]*owner)},
		byReader: make(map[string]*reader), byIncident: make(map[string]*incident),
		batches: make(map[string]*batch), underway: make(map[string]*batch), operation: make(map[string]*operation),
		slots: newSlots(), sealed: make(map[store.Fate]uint64),
	}
	for i := range l.fates {
		l.fates[i] = roaring64.New()
	}
	return l
}

// current refuses a stale term.
func (l *Ledger) current(term uint64) error {
	if term < l.head.Term {
		return fmt.Errorf("term %d, the newest is %d: %w", term, l.head.Term, store.ErrStaleTerm)
	}
	return nil
}

// follow notes the term of a command that is carried out.
func (l *Ledger) follow(tx Tx, term uint64) {
	if term > l.head.Term {
		l.head.Term = term
		l.putHead(tx)
	}
}

func (l *Ledger) putHead(tx Tx) { tx.PutHead(l.head) }

// gate moves gate time on, never back, and returns it.
func (l *Ledger) gate(g time.Duration) time.Duration {
	l.head.Gate = max(l.head.Gate, g)
	return l.head.Gate
}

// sequence is the next number of a batch, an operation or an opening.
func (l *Ledger) sequence() uint64 {
	l.head.Sequence++
	return l.head.Sequence
}

// table numbers things, so that a row names one in four bytes. Index 0 is none.
type table[T any] struct {
	items []*T
	free  []uint32
}

func (t *table[T]) add(item *T) uint32 {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.items[i] = item
		return i
	}
	if len(t.items) == 0 {
		t.items = append(t.items, nil)
	}
	t.items = append(t.items, item)
	return uint32(len(t.items) - 1)
}

func (t *table[T]) get(i uint32) *T {
	if int(i) >= len(t.items) {
		return nil
	}
	return t.items[i]
}

func (t *table[T]) remove(i uint32) {
	t.items[i] = nil
	t.free = append(t.free, i)
}

// all are the things in the table.
func (t *table[T]) all() []*T {
	kept := make([]*T, 0, len(t.items))
	for _, item := range t.items {
		if item != nil {
			kept = append(kept, item)
		}
	}
	return kept
}

// names are the keys of a map in order.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
