package digest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// Incidents that begin within this part of the window of each other coincide.
const coincide = 4

// What it takes to be told together: a fifth of all objects of two incidents
// are shared, and this holds for 30 % of the incidents that are told together
// already, or for five of them. Time alone takes far too much together, and a
// chain of single links nearly as much.
const (
	sharedPart = 5  // one in so many objects
	linkedPart = 30 // per cent of the members
	linkedMost = 5
)

// recent bounds the incidents that are looked at for one object, named the
// causes that are named.
const (
	recent = 16
	named  = 50
)

// Causes finds the incidents of a cut that probably have one cause: problems
// that began within a quarter of the window of each other and share objects,
// and groups of such that speak of the same service. The causes with the most
// mail in the cut come first. The cost is linear in objects and copies.
func Causes(in compose.Input) []compose.Cause {
	all, names := suspects(in)
	near := in.Window / coincide
	var causes []*cause
	for _, c := range sameService(linked(byObjects(all, len(names), near), near), near) {
		if len(c.members) > 1 {
			c.sort()
			causes = append(causes, c)
		}
	}
	slices.SortStableFunc(causes, func(a, b *cause) int { return cmp.Compare(b.copies, a.copies) })
	var told []compose.Cause
	for _, c := range causes[:min(named, len(causes))] {
		told = append(told, c.named(names))
	}
	return told
}

// suspect is an incident that may share its cause with others.
type suspect struct {
	*store.Incident
	onset   time.Duration // since the cut: below 0
	objects []int         // numbers of names, each once
	service string        // that it speaks of, "" if of none
	cause   *cause
	linked  []*suspect // those with which enough objects are shared
	// shared counts the objects shared with the incident that is looked at.
	shared int
}

func (s *suspect) compare(other *suspect) int {
	return cmp.Or(cmp.Compare(s.onset, other.onset), strings.Compare(s.ID, other.ID))
}

// suspects are the incidents of a cut that tell problems, the earliest first,
// and the names of their objects.
func suspects(in compose.Input) (all []*suspect, names []string) {
	said := variants(in.Entries)
	var objects objects
	for i := range in.Incidents {
		one := &in.Incidents[i]
		if !troubled(one) {
			continue
		}
		s := &suspect{Incident: one, onset: onset(one, 24*in.Window).Sub(in.Now), service: service(one.Title, said[one.ID])}
		s.objects = make([]int, 0, len(one.Objects))
		for n := range one.Objects {
			s.objects = append(s.objects, objects.number(one.Objects[n].Name))
		}
		all = append(all, s)
	}
	same, names := objects.compared()
	for _, s := range all {
		for i, n := range s.objects {
			s.objects[i] = same[n]
		}
		s.objects = slices.DeleteFunc(s.objects, func(n int) bool { return names[n] == "" })
		slices.Sort(s.objects)
		s.objects = slices.Compact(s.objects)
	}
	slices.SortFunc(all, (*suspect).compare)
	return all, names
}

// variants is what the first problem of each incident says besides its title.
func variants(entries []store.Entry) map[string]string {
	said := make(map[string]string)
	for i := range entries {
		e := &entries[i]
		if _, known := said[e.Copy.Incident]; known || e.Message.Reading.Reports[0].State != store.Problem {
			continue
		}
		said[e.Copy.Incident] = e.Message.Reading.Signature.Variant
	}
	return said
}

// troubled reports whether an incident tells or told a problem.
func troubled(i *store.Incident) bool {
	for n := range i.Objects {
		if o := &i.Objects[n]; o.State == store.Problem || o.Problems > 0 {
			return true
		}
	}
	return false
}

// onset is when what an incident tells began. One that comes and goes began
// when it first came, unless that is longer ago than a day.
func onset(i *store.Incident, day time.Duration) time.Time {
	if i.Opened.Sub(i.First) < day {
		return i.First
	}
	return i.Opened
}

// byObjects groups incidents that share objects. Each joins the group with
// which it has most in common among the earlier ones, or begins one.
func byObjects(all []*suspect, objects int, near time.Duration) []*cause {
	var causes []*cause
	lately := make([][]*suspect, objects) // the latest at the end
	var related []*suspect
	for _, s := range all {
		related = related[:0]
		for _, o := range s.objects {
			with := s.recent(lately[o], near)
			for _, other := range with {
				if other.shared++; other.shared == 1 {
					related = append(related, other)
				}
			}
			lately[o] = append(with, s)
		}
		c := s.nearest(related, near)
		if c == nil {
			c = &cause{}
			causes = append(causes, c)
		}
		c.add(s)
		for _, other := range related {
			other.shared = 0
		}
	}
	return causes
}

// recent leaves those of earlier incidents that still matter.
func (s *suspect) recent(earlier []*suspect, near time.Duration) []*suspect {
	gone := max(0, len(earlier)-recent)
	for gone < len(earlier) && s.onset-earlier[gone].onset > near {
		gone++
	}
	return earlier[gone:]
}

// nearest is the group to which enough of the related incidents belong that
// share enough objects, nil if there is none; of several the one with most of
// them, then the earliest.
func (s *suspect) nearest(related []*suspect, near time.Duration) *cause {
	var groups []*cause
	for _, other := range related {
		n := other.shared
		if n*sharedPart < len(s.objects)+len(other.objects)-n {
			continue
		}
		s.linked, other.linked = append(s.linked, other), append(other.linked, s)
		if s.onset-other.cause.first() > near {
			continue
		}
		if other.cause.links++; other.cause.links == 1 {
			groups = append(groups, other.cause)
		}
	}
	var best *cause
	most := 0
	for _, c := range groups {
		n := c.links
		c.links = 0
		if n < linkedMost && n*100 < linkedPart*len(c.members) {
			continue
		}
		if n > most || n == most && c.before(best) {
			best, most = c, n
		}
	}
	return best
}

// linked joins groups of which enough pairs share enough objects: what came
// first may have had nothing to do with each other.
func linked(causes []*cause, near time.Duration) []*cause {
	joined := causes[:0]
	for _, c := range causes {
		links := make(map[*cause]int)
		for _, s := range c.members {
			for _, other := range s.linked {
				links[other.cause]++
			}
		}
		delete(links, c)
		var to *cause
		for d, n := range links {
			if n*100 >= linkedPart*len(c.members)*len(d.members) && d.before(c) && c.last-d.first() <= near &&
				(to == nil || n > links[to] || n == links[to] && d.before(to)) {
				to = d
			}
		}
		if to == nil {
			joined = append(joined, c)
			continue
		}
		to.take(c)
	}
	return joined
}

// sameService joins groups that began together and most of all speak of the
// same service.
func sameService(causes []*cause, near time.Duration) []*cause {
	last := make(map[string]*cause)
	joined := causes[:0]
	for _, c := range causes {
		service, _ := c.service()
		to := last[service]
		if service == "" || to == nil || c.last-to.first() > near {
			last[service] = c
			joined = append(joined, c)
			continue
		}
		to.take(c)
	}
	return joined
}
