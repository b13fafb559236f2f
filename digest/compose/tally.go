package compose

import (
	"time"

	"lull/store"
	"lull/store/filter"
)

// tally is what the cut has of one incident. Every copy is in exactly one of
// fresh, late and silenced.
type tally struct {
	incident store.Incident
	fresh    int
	late     int
	silenced int
	// shown counts those that a notice had shown whole, notice is the first.
	shown  int
	notice string
	// doubtful counts mails whose own time cannot be.
	doubtful int
	// joined is why mail that would have been passed on is told here.
	joined string
	// first and last are when the copies that are not silenced were sent.
	first, last time.Time
	// newest is the last one sent, trouble the last one that tells a problem.
	newest, trouble *store.Entry
	// rank is lower the worse the incident is.
	rank int
	// objects are sorted when they are first asked for.
	objects []cluster
}

func newTally(i store.Incident) *tally {
	t := &tally{incident: i}
	t.rank = rankOf(t)
	return t
}

// tallies counts the cut by incident, in the order of first copies.
func tallies(in Input) []*tally {
	known := make(map[string]*store.Incident, len(in.Incidents))
	for i := range in.Incidents {
		known[in.Incidents[i].ID] = &in.Incidents[i]
	}
	byID := make(map[string]*tally, len(in.Incidents))
	var all []*tally
	for i := range in.Entries {
		e := &in.Entries[i]
		id := incidentOf(e)
		t := byID[id]
		if t == nil {
			t = &tally{}
			if k := known[id]; k != nil {
				t.incident = *k
			} else {
				t.incident = made(id, e)
			}
			byID[id] = t
			all = append(all, t)
		}
		t.add(e, in, known[id] == nil)
	}
	for _, t := range all {
		t.rank = rankOf(t)
	}
	return all
}

// incidentOf is the incident that a copy is counted under. Pass mail that the
// repeat guard sent here has none: it is told by its signature.
func incidentOf(e *store.Entry) string {
	if e.Copy.Incident != "" {
		return e.Copy.Incident
	}
	return e.Message.Reading.Signature.ID
}

// made is an incident for copies that have none.
func made(id string, e *store.Entry) store.Incident {
	r := &e.Message.Reading
	return store.Incident{
		ID: id, Reader: e.Copy.Reader, Key: id, Title: r.Signature.Title, Signature: r.Signature.ID,
		Format: r.Signature.Format, Opened: e.Message.Accepted, First: e.Message.Accepted, Last: e.Message.Accepted,
	}
}

func (t *tally) add(e *store.Entry, in Input, made bool) {
	sent := filter.Sent(e.Message)
	if made {
		t.learn(e)
	}
	switch {
	case e.Copy.Silenced != "":
		t.silenced++
		return
	case in.late(sent):
		t.late++
	default:
		t.fresh++
	}
	if e.Shown != "" {
		t.shown++
		if t.notice == "" {
			t.notice = e.Shown
		}
	}
	if doubtful(e.Message) {
		t.doubtful++
	}
	if t.joined == "" {
		t.joined = e.Progress.Joined
	}
	if t.first.IsZero() || sent.Before(t.first) {
		t.first = sent
	}
	if !sent.Before(t.last) {
		t.last, t.newest = sent, e
	}
	if stateOf(e) == store.Problem && (t.trouble == nil || !sent.Before(filter.Sent(t.trouble.Message))) {
		t.trouble = e
	}
}

// learn counts a copy into an incident that was made here.
func (t *tally) learn(e *store.Entry) {
	i := &t.incident
	i.Copies++
	i.Last = e.Message.Accepted
	for _, r := range e.Message.Reading.Reports {
		if r.Object == "" && r.State == store.Notice {
			continue
		}
		at := objectAt(i, r.Object)
		if at == nil {
			i.Others++
			continue
		}
		at.State, at.Kind, at.Severity, at.Last = r.State, r.Kind, r.Severity, e.Message.Accepted
		at.Reports++
	}
}

// maxMade bounds the objects of an incident that is made here. Mail that was
// to be passed on rarely names any.
const maxMade = 100

// objectAt is the incident's object of that name, added if it is not there
// and there is room.
func objectAt(i *store.Incident, name string) *store.Object {
	for n := range i.Objects {
		if i.Objects[n].Name == name {
			return &i.Objects[n]
		}
	}
	if len(i.Objects) == maxMade {
		return nil
	}
	i.Objects = append(i.Objects, store.Object{Name: name})
	i.ObjectCount = len(i.Objects)
	return &i.Objects[i.ObjectCount-1]
}

// state is what the incident comes to. One without objects is a notice.
func (t *tally) state() store.State {
	if len(t.incident.Objects) == 0 {
		return store.Notice
	}
	return t.incident.State()
}

// open reports whether the trouble goes on, as far as mail tells.
func (t *tally) open() bool { return t.incident.Open() && t.state() == store.Problem }

// copies are those that are told under the incident's name.
func (t *tally) copies() int { return t.fresh + t.late }

// telling is the copy that an excerpt is taken from: the newest that tells
// the trouble, if there is trouble.
func (t *tally) telling() *store.Entry {
	if t.trouble != nil && t.state() == store.Problem {
		return t.trouble
	}
	return t.newest
}

func stateOf(e *store.Entry) store.State {
	if len(e.Message.Reading.Reports) == 0 {
		return store.Notice
	}
	return e.Message.Reading.Reports[0].State
}

// late reports whether a mail sent then is late. A digest an hour makes mail
// wait an hour: the sixtieth part is left for the ways to us and to the cut,
// or the first mails of every hour would be late.
func (in Input) late(sent time.Time) bool {
	return in.Now.Sub(sent) > in.LateAfter+in.LateAfter/60
}

// doubtful reports whether a mail names a time of its own that cannot be:
// after it arrived, or more than filter.Oldest before.
func doubtful(m *store.Message) bool {
	own := m.Reading.Sent
	if own.IsZero() {
		return false
	}
	return own.Sub(m.Accepted) > time.Minute || m.Accepted.Sub(own) > filter.Oldest
}
