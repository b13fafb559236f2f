package digest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lull/digest/compose"
	"lull/store"
)

// Incidents that begin within this part of the window of each other coincide.
const coincide = 4

// What it takes to be told together: a fifth of the smaller incident's objects
// are shared with the other, and this holds for 30 % of the incidents that are
// told together already, or for five of them. Time alone takes far too much
// together, and a chain of single links nearly as much.
const (
	sharedPart = 5  // one in so many objects
	linkedPart = 30 // per cent of the members
	linkedMost = 5
)

// recent bounds the incidents that are looked at for one object.
const recent = 16

// Causes finds the incidents of a cut that probably have one cause: problems
// that began within a quarter of the window of each other and share objects,
// and groups of such that name the same service (causewords.go). The causes with
// the most mail in the cut come first. The cost is linear in the number of
// objects and copies.
func Causes(in compose.Input) []compose.Cause {
	all := suspects(in)
	near := in.Window / coincide
	var causes []*cause
	for _, c := range sameService(byObjects(all, near), near) {
		if len(c.members) > 1 {
			causes = append(causes, c)
		}
	}
	slices.SortStableFunc(causes, func(a, b *cause) int { return cmp.Compare(b.copies(), a.copies()) })
	var named []compose.Cause
	for _, c := range causes {
		named = append(named, c.named())
	}
	return named
}

// suspect is an incident that may share its cause with others.
type suspect struct {
	*store.Incident
	onset   time.Time
	objects []string // as they are compared, each once
	service string   // that it speaks of, "" if of none
	cause   *cause
}

// suspects are the incidents of a cut that tell problems, the earliest first.
func suspects(in compose.Input) []*suspect {
	said := variants(in.Entries)
	names := hostsOf(in.Incidents)
	var all []*suspect
	for i := range in.Incidents {
		one := &in.Incidents[i]
		if !troubled(one) {
			continue
		}
		s := &suspect{Incident: one, onset: onset(one, 24*in.Window), service: service(one.Title + " " + said[one.ID])}
		for _, o := range one.Objects {
			if name := names.of(o.Name); name != "" {
				s.objects = append(s.objects, name)
			}
		}
		slices.Sort(s.objects)
		s.objects = slices.Compact(s.objects)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *suspect) int {
		return cmp.Or(a.onset.Compare(b.onset), cmp.Compare(a.ID, b.ID))
	})
	return all
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
	return slices.ContainsFunc(i.Objects, func(o store.Object) bool {
		return o.State == store.Problem || o.Problems > 0
	})
}

// onset is when what an incident tells began. One that comes and goes began
// when it first came, unless that is longer ago than a day.
func onset(i *store.Incident, day time.Duration) time.Time {
	if i.Opened.Sub(i.First) < day {
		return i.First
	}
	return i.Opened
}

// cause is a group of incidents in the making, the earliest first.
type cause struct{ members []*suspect }

func (c *cause) add(s *suspect) {
	c.members = append(c.members, s)
	s.cause = c
}

func (c *cause) copies() (n int) {
	for _, s := range c.members {
		n += s.Lately
	}
	return n
}

// byObjects groups incidents that share objects. Each joins the group with
// which it has most in common among the earlier ones, or begins one.
func byObjects(all []*suspect, near time.Duration) []*cause {
	var causes []*cause
	lately := make(map[string][]*suspect) // by object, the latest at the end
	shared := make(map[*suspect]int)
	for _, s := range all {
		clear(shared)
		for _, name := range s.objects {
			with := lately[name]
			for _, other := range with {
				if s.onset.Sub(other.cause.members[0].onset) <= near {
					shared[other]++
				}
			}
			if len(with) == recent {
				with = append(with[:0], with[1:]...)
			}
			lately[name] = append(with, s)
		}
		c := s.nearest(shared)
		if c == nil {
			c = &cause{}
			causes = append(causes, c)
		}
		c.add(s)
	}
	return causes
}

// nearest is the group to which enough of the incidents belong that share
// enough objects, nil if there is none; of several the one with most of them,
// then the earliest.
func (s *suspect) nearest(shared map[*suspect]int) *cause {
	links := make(map[*cause]int)
	for other, n := range shared {
		if n*sharedPart >= min(len(s.objects), len(other.objects)) {
			links[other.cause]++
		}
	}
	var best *cause
	for c, n := range links {
		if n < linkedMost && n*100 < linkedPart*len(c.members) {
			continue
		}
		if best == nil || n > links[best] || n == links[best] && c.before(best) {
			best = c
		}
	}
	return best
}

func (c *cause) before(d *cause) bool {
	a, b := c.members[0], d.members[0]
	return cmp.Or(a.onset.Compare(b.onset), cmp.Compare(a.ID, b.ID)) < 0
}

// sameService joins groups that began together and most of all speak of the
// same service, on which much else depends.
func sameService(causes []*cause, near time.Duration) []*cause {
	last := make(map[string]*cause)
	var joined []*cause
	for _, c := range causes {
		service, _ := c.service()
		to := last[service]
		if service == "" || to == nil || c.last().Sub(to.members[0].onset) > near {
			last[service] = c
			joined = append(joined, c)
			continue
		}
		for _, s := range c.members {
			to.add(s)
		}
	}
	for _, c := range joined {
		slices.SortStableFunc(c.members, func(a, b *suspect) int { return a.onset.Compare(b.onset) })
	}
	return joined
}

// service is the one that most members speak of, the earliest of equals, and
// how many do.
func (c *cause) service() (most string, n int) {
	by := make(map[string]int)
	for _, s := range c.members {
		if s.service != "" {
			by[s.service]++
		}
	}
	for _, s := range c.members {
		if by[s.service] > n {
			most, n = s.service, by[s.service]
		}
	}
	return most, n
}

// named puts the group into words.
func (c *cause) named() compose.Cause {
	var told compose.Cause
	in := make(map[string]int)
	for _, s := range c.members {
		told.Incidents = append(told.Incidents, s.ID)
		for _, name := range s.objects {
			in[name]++
		}
	}
	service, n := c.service()
	told.Title = cmp.Or(service, c.members[0].Title) + on(in)
	told.Reasons = []string{within(c.last().Sub(c.members[0].onset))}
	if r := sharing(in); r != "" {
		told.Reasons = append(told.Reasons, r)
	}
	if n > 1 {
		told.Reasons = append(told.Reasons, fmt.Sprintf("%d of them speak of %s", n, service))
	}
	return told
}

func (c *cause) last() time.Time { return c.members[len(c.members)-1].onset }

func within(d time.Duration) string {
	if d < time.Minute {
		return "began within a minute of each other"
	}
	return fmt.Sprintf("began within %d minutes of each other", (d+time.Minute-1)/time.Minute)
}

// on says what it happens to.
func on(in map[string]int) string {
	if len(in) > 1 {
		return fmt.Sprintf(" on %d objects", len(in))
	}
	for name := range in {
		return " on " + name
	}
	return ""
}

// sharing says what more than one incident happens to.
func sharing(in map[string]int) string {
	n, one := 0, ""
	for name, incidents := range in {
		if incidents > 1 {
			n, one = n+1, name
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return "share " + one
	}
	return fmt.Sprintf("share %d objects", n)
}
