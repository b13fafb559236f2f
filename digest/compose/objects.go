package compose

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"lull/store"
)

// cluster is the objects of an incident that are in one state.
type cluster struct {
	state store.State
	kind  string   // of notices: acknowledgement, downtime …
	names []string // as shown, in natural order; objects without a name left out
}

// nameColumns bounds the name of an object.
const nameColumns = 60

// clusters are the objects of an incident, problems first.
func (t *tally) clusters() []cluster {
	if t.objects == nil {
		t.objects = clustersOf(t.incident.Objects)
	}
	return t.objects
}

func clustersOf(objects []store.Object) []cluster {
	found := []cluster{{state: store.Problem}}
	for _, o := range objects {
		if o.Name == "" {
			continue
		}
		c := clusterAt(&found, o)
		c.names = append(c.names, shown(o.Name, nameColumns))
	}
	slices.SortStableFunc(found, func(a, b cluster) int { return cmp.Compare(stateRank(a.state), stateRank(b.state)) })
	for _, c := range found {
		slices.SortFunc(c.names, natural)
	}
	if len(found[0].names) == 0 {
		found = found[1:]
	}
	return found
}

func clusterAt(found *[]cluster, o store.Object) *cluster {
	kind := ""
	if o.State == store.Notice {
		kind = o.Kind
	}
	for i := range *found {
		if c := &(*found)[i]; c.state == o.State && c.kind == kind {
			return c
		}
	}
	*found = append(*found, cluster{state: o.State, kind: kind})
	return &(*found)[len(*found)-1]
}

func stateRank(s store.State) int {
	return slices.Index([]store.State{store.Problem, store.Recovery, store.Notice}, s)
}

// flappingFact names the objects that come and go, or is empty.
func flappingFact(objects []store.Object, limit int) string {
	var names []string
	for _, o := range objects {
		if o.Name != "" && flapping(o) {
			names = append(names, shown(o.Name, nameColumns))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.SortFunc(names, natural)
	list, covers := listed(names, limit)
	return "flapping on " + numbered(digits(len(names)), list, covers, len(names))
}

// numbered is how many objects there are, said by number, and which, as far
// as they are listed.
func numbered(number, list string, covers, total int) string {
	s := number
	if covers > 0 {
		s += ": " + list
	}
	if covers > 0 && covers < total {
		s += " and " + digits(total-covers) + " more"
	}
	return s
}

// flapping is more than two changes to problem within an hour, over the time
// that the object is known.
func flapping(o store.Object) bool {
	if o.Kind == "flapping" {
		return o.Problems > 0
	}
	return o.Problems > 2 && o.Last.Sub(o.First).Hours() < float64(o.Problems)/2
}

// listed is a bounded list of names and how many of them it covers. Four and
// more that differ in one number are folded, as cluster shells do it:
// web[01-09,12].example.org.
func listed(names []string, limit int) (list string, covers int) {
	var tokens []string
	for len(names) > 0 && len(tokens) < limit {
		token, n := fold(names)
		if n < minFolded {
			token, n = names[0], 1
		}
		tokens, names, covers = append(tokens, token), names[n:], covers+n
	}
	return strings.Join(tokens, ", "), covers
}

// At least minFolded names are folded, with at most maxRanges ranges.
const (
	minFolded = 4
	maxRanges = 6
)

// fold makes one name of the first names, as many as differ in one number.
func fold(names []string) (string, int) {
	if len(names) < 2 {
		return names[0], len(names)
	}
	head, tail, ok := around(names[0], names[1])
	if !ok {
		return names[0], 1
	}
	var ranges []string
	n := 0
	for n < len(names) && len(ranges) < maxRanges {
		from, ok := between(names[n], head, tail)
		if !ok {
			break
		}
		to := from
		for n++; n < len(names); n++ {
			next, ok := between(names[n], head, tail)
			if !ok || !follows(to, next) {
				break
			}
			to = next
		}
		if ranges = append(ranges, from); to != from {
			ranges[len(ranges)-1] += "-" + to
		}
	}
	return head + "[" + strings.Join(ranges, ",") + "]" + tail, n
}

// around is what two names share before and after the number in which they
// differ.
func around(a, b string) (head, tail string, ok bool) {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && digit(a[i-1]) {
		i--
	}
	j := i
	for j < len(a) && digit(a[j]) {
		j++
	}
	head, tail = a[:i], a[j:]
	_, inA := between(a, head, tail)
	_, inB := between(b, head, tail)
	return head, tail, inA && inB
}

// between is the number between head and tail, if there is nothing else.
func between(name, head, tail string) (string, bool) {
	if len(name) <= len(head)+len(tail) || !strings.HasPrefix(name, head) || !strings.HasSuffix(name, tail) {
		return "", false
	}
	number := name[len(head) : len(name)-len(tail)]
	for i := range len(number) {
		if !digit(number[i]) {
			return "", false
		}
	}
	return number, len(number) <= 9
}

// follows reports whether b is the number after a, written as wide.
func follows(a, b string) bool {
	x, _ := strconv.Atoi(a) // at most nine digits
	y, _ := strconv.Atoi(b)
	return y == x+1 && (len(a) == len(b) || a[0] != '0' && b[0] != '0')
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// natural compares names so that numbers in them are in order of value.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if digit(x[0]) && digit(y[0]) {
			m, n := number(&x), number(&y)
			if c := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); c != 0 {
				return c
			}
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// number takes the number off the beginning of a text, without leading zeros.
func number(s *string) string {
	i := 0
	for i < len(*s) && digit((*s)[i]) {
		i++
	}
	n := strings.TrimLeft((*s)[:i], "0")
	*s = (*s)[i:]
	return n
}
