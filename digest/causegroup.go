package digest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lull/digest/compose"
)

// cause is a group of incidents in the making. Its first member is the earliest.
type cause struct {
	members []*suspect
	last    time.Duration // the latest onset
	copies  int           // in the cut
	links   int           // with the incident that is looked at
}

func (c *cause) first() time.Duration { return c.members[0].onset }

func (c *cause) add(s *suspect) {
	c.members = append(c.members, s)
	s.cause = c
	c.copies += s.Lately
	c.last = max(s.onset, c.last)
	if len(c.members) == 1 {
		c.last = s.onset
	}
}

// take adds the members of another group, which began later.
func (c *cause) take(other *cause) {
	for _, s := range other.members {
		c.add(s)
	}
}

func (c *cause) sort() { slices.SortFunc(c.members, (*suspect).compare) }

func (c *cause) before(d *cause) bool {
	return c.members[0].compare(d.members[0]) < 0
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
func (c *cause) named(names []string) compose.Cause {
	var told compose.Cause
	in := make(map[string]int)
	for _, s := range c.members {
		told.Incidents = append(told.Incidents, s.ID)
		for _, n := range s.objects {
			in[names[n]]++
		}
	}
	service, n := c.service()
	told.Title = cmp.Or(service, c.members[0].Title) + on(in)
	told.Reasons = []string{within(c.last - c.first())}
	if r := sharing(in); r != "" {
		told.Reasons = append(told.Reasons, r)
	}
	if n > 1 {
		told.Reasons = append(told.Reasons, fmt.Sprintf("%d of them speak of %s", n, service))
	}
	return told
}

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
