package ledger

import (
	"cmp"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"lull/store"
)

// effect is what an operation, or the rule that it left, does to the copies it
// covers. Later ones count before earlier ones.
type effect uint8

const (
	nothing effect = iota
	silences
	releases
	holds
	expires
	purges
)

// fate is the fate of a covered copy.
func (e effect) fate() fate {
	switch e {
	case holds:
		return held
	case purges:
		return purged
	case expires:
		return expired
	}
	return waiting
}

// operation is one operation in the books.
type operation struct {
	store.Operation // as kept: Caught counts removed copies
	sequence        uint64
	index           uint32
	effect          effect
	covers          *Set // kept copies that it touched or its rule caught
	caught          *Set // of these, those that the rule caught
	rule            *rule
	// Of one whose rule groups: where it took the copies that were there, and
	// where its undo, at backAt, took those that came under it.
	moves  []home // some of which lead where the copies were already
	back   []home
	backAt uint64
	groups *Set // all copies that its rule gave a home
}

// acts reports whether the operation was not undone.
func (o *operation) acts() bool { return o.Undone.IsZero() }

func bySequence(a, b *operation) int { return cmp.Compare(a.sequence, b.sequence) }

// telling is the operation as it is told.
func (o *operation) telling() store.Operation {
	told := o.Operation
	told.Caught += int(o.caught.GetCardinality())
	return told
}

// gone are the copies that operations deleted for good.
func (l *Ledger) gone() *Set {
	set := roaring64.New()
	for _, o := range l.operations {
		if o.Forever {
			set.Or(roaring64.And(o.covers, l.fates[purged]))
		}
	}
	return set
}

// lasting is the operation as it is told, with how many of its copies others
// deleted for good.
func (l *Ledger) lasting(o *operation, gone *Set) store.Operation {
	told := o.telling()
	if o.effect == purges && !o.Forever {
		told.Gone = int(o.covers.AndCardinality(gone))
	}
	return told
}

// effectOf is what an operation does.
func effectOf(kind store.OpKind, r *rule) effect {
	switch kind {
	case store.OpHold:
		return holds
	case store.OpRelease:
		return releases
	case store.OpPurge:
		return purges
	case store.OpExpire:
		return expires
	case store.OpRule:
		return effectOfRule(r)
	}
	return nothing
}

func effectOfRule(r *rule) effect {
	if r == nil {
		return nothing
	}
	switch r.Kind {
	case store.RuleHold:
		return holds
	case store.RulePurge:
		return purges
	case store.RuleSilence:
		return silences
	}
	return nothing
}

// book enters an operation with the copies it touches, and its rule.
func (l *Ledger) book(tx Tx, told store.Operation, set *Set, r *rule) *operation {
	if set == nil {
		set = roaring64.New()
	}
	o := &operation{
		Operation: told, sequence: l.sequence(), effect: effectOf(told.Kind, r),
		covers: set, caught: roaring64.New(), groups: roaring64.New(), rule: r,
	}
	if r != nil {
		o.Rule = r.ID
	}
	l.file(o)
	tx.PutOperation(Operation{Sequence: o.sequence, Operation: o.Operation, Set: set.Clone()})
	return o
}

// file puts an operation, and the rule that it left, into the books.
func (l *Ledger) file(o *operation) {
	o.index = l.owners.add(&owner{operation: o})
	l.operations = append(l.operations, o)
	l.operation[o.ID] = o
	if o.rule != nil {
		o.rule.operation = o
		l.rules = append(l.rules, o.rule)
	}
}

// keep writes an operation without its set.
func (o *operation) keep(tx Tx) {
	tx.PutOperation(Operation{Sequence: o.sequence, Operation: o.Operation})
}

// count fills in how many copies, readers and incidents a set has.
func (l *Ledger) count(o *store.Operation, set *Set) {
	readers, incidents := make(map[uint32]bool), make(map[uint32]bool)
	for _, r := range l.each(set) {
		readers[r.reader] = true
		if r.incident != 0 {
			incidents[r.incident] = true
		}
	}
	o.Copies, o.Readers, o.Incidents = int(set.GetCardinality()), len(readers), len(incidents)
}
