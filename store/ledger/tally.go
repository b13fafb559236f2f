package ledger

import (
	"strings"
	"time"

	"lull/store"
)

// tally sums up copies of one incident, in order of their numbers.
type tally struct {
	copies      int
	first, last time.Time
	objects     []object
	index       map[string]int // into objects, once there are several
	hosts       map[string]int // as well, by the short name of a host: see sole
	others      int
	problems    int // objects in this state
	recoveries  int
	cleared     time.Time
}

// few objects are looked through; more get an index.
const few = 8

// restored is the tally that a record keeps; nil is the empty one.
func restored(r *Tally) *tally {
	t := &tally{}
	if r == nil {
		return t
	}
	t.copies, t.first, t.last, t.others, t.cleared = r.Copies, r.First, r.Last, r.Others, r.Cleared
	for i, o := range r.Objects {
		t.add(compact(o, r.Stated[i]))
		t.count(stateOf(o.State), 1)
	}
	return t
}

func (t *tally) record() *Tally {
	r := &Tally{Copies: t.copies, First: t.first, Last: t.last, Objects: t.list(), Others: t.others, Cleared: t.cleared}
	for _, o := range t.objects {
		r.Stated = append(r.Stated, o.stated.time())
	}
	return r
}

func (t *tally) list() []store.Object {
	list := make([]store.Object, len(t.objects))
	for i, o := range t.objects {
		list[i] = o.telling()
	}
	return list
}

// fold adds one copy of a message. At most limit objects are kept apart.
func (t *tally) fold(m *store.Message, limit int) { t.take(m.Accepted, m.Reading.Reports, limit) }

// take is fold for what it needs of the message.
func (t *tally) take(accepted time.Time, reports []store.Report, limit int) {
	t.copies++
	t.first, t.last = earlier(t.first, accepted), later(t.last, accepted)
	for _, r := range reports {
		t.report(r, moment(r, accepted), limit)
	}
	switch {
	case t.problems > 0:
		t.cleared = time.Time{}
	case t.recoveries > 0 && t.cleared.IsZero():
		t.cleared = accepted
	}
}

// moment is the time of a report: what it says, unless that lies in the
// future or further back than thirty days.
func moment(r store.Report, accepted time.Time) time.Time {
	if r.Time.IsZero() || r.Time.After(accepted) || r.Time.Before(accepted.AddDate(0, 0, -30)) {
		return accepted
	}
	return r.Time
}

func (t *tally) report(r store.Report, at time.Time, limit int) {
	o := t.object(r.Object, limit)
	if o == nil {
		t.others++
		return
	}
	if from, to := o.add(r, instantOf(at)); from != to {
		t.count(from, -1)
		t.count(to, 1)
	}
}

func (t *tally) count(s state, by int) {
	switch s {
	case problem:
		t.problems += by
	case recovery:
		t.recoveries += by
	}
}

// raises reports whether a message would give an object a problem.
func (t *tally) raises(m *store.Message) bool {
	for _, r := range m.Reading.Reports {
		if r.State != store.Problem {
			continue
		}
		i := t.find(r.Object)
		if i < 0 || instantOf(moment(r, m.Accepted)) >= t.objects[i].stated {
			return true
		}
	}
	return false
}

// object finds or adds an object; nil when there are too many. A host is kept
// by the longest of its names.
func (t *tally) object(name string, limit int) *object {
	i := t.find(name)
	switch {
	case i >= 0 && len(name) > len(t.objects[i].name):
		t.rename(i, strings.Clone(name))
	case i < 0 && len(t.objects) >= limit:
		return nil
	case i < 0:
		i = t.add(object{name: strings.Clone(name), first: never, last: never, since: never, stated: never})
	}
	return &t.objects[i]
}

// find returns the index of the object that a name means, -1 for none.
func (t *tally) find(name string) int {
	if i := t.exact(name); i >= 0 {
		return i
	}
	return t.alias(name)
}

func (t *tally) exact(name string) int {
	if t.index != nil {
		if i, ok := t.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range t.objects {
		if t.objects[i].name == name {
			return i
		}
	}
	return -1
}

func (t *tally) add(o object) int {
	t.objects = append(t.objects, o)
	n := len(t.objects)
	switch {
	case t.index != nil:
		t.enter(n - 1)
	case n > few:
		t.index, t.hosts = make(map[string]int, 2*n), make(map[string]int)
		for i := range t.objects {
			t.enter(i)
		}
	}
	return n - 1
}

// enter puts an object into the indices.
func (t *tally) enter(i int) {
	name := t.objects[i].name
	t.index[name] = i
	short := shortName(name)
	if short == "" {
		return
	}
	if _, known := t.hosts[short]; known {
		i = several
	}
	t.hosts[short] = i
}
