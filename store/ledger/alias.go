package ledger

import "strings"

// several is the index of a short name that many hosts go by.
const several = -2

// alias finds the host that other mail calls by another of its names: web1 is
// web1.example.org as long as no second web1 with a domain is known, and the
// other way round. -1 for none.
func (t *tally) alias(name string) int {
	short := shortName(name)
	if short == "" {
		return max(t.sole(name), -1)
	}
	if t.sole(short) != -1 {
		return -1
	}
	return t.exact(short)
}

// sole is the only object with a full name of which this is the short one, -1
// without one, and several.
func (t *tally) sole(short string) int {
	if t.index != nil {
		if i, known := t.hosts[short]; known {
			return i
		}
		return -1
	}
	sole := -1
	for i := range t.objects {
		if shortName(t.objects[i].name) != short {
			continue
		}
		if sole >= 0 {
			return several
		}
		sole = i
	}
	return sole
}

// rename gives a host that went by its short name the full one.
func (t *tally) rename(i int, name string) {
	if t.index != nil {
		delete(t.index, t.objects[i].name)
	}
	t.objects[i].name = name
	if t.index != nil {
		t.enter(i)
	}
}

// shortName is the first label of a host's full name, which has a domain of
// two labels or more; "" of every other name.
func shortName(name string) string {
	short, domain, _ := strings.Cut(name, ".")
	if len(short) < 3 || strings.IndexByte(domain, '.') < 1 || !isLetter(domain[len(domain)-1]) {
		return ""
	}
	letters := 0
	for i := range len(name) {
		switch c := name[i]; {
		case isLetter(c) && i < len(short):
			letters++
		case !isLetter(c) && c != '-' && c != '.' && (c < '0' || c > '9'):
			return ""
		}
	}
	if letters == 0 { // an address
		return ""
	}
	return short
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }
