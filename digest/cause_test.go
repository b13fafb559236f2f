package digest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"lull/digest/compose"
	"lull/store"
)

var outage = time.Date(2019, 10, 7, 15, 46, 0, 0, time.UTC)

// began is an incident that began so many minutes after the outage, on hosts.
func began(title string, minutes int, hosts ...string) store.Incident {
	at := outage.Add(time.Duration(minutes) * time.Minute)
	i := store.Incident{ID: title, Title: title, First: at, Opened: at, Lately: len(hosts)}
	for _, h := range hosts {
		i.Objects = append(i.Objects, store.Object{Name: h, State: store.Problem, Problems: 1})
	}
	return i
}

func row(prefix string, from, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s%d", prefix, from+i))
	}
	return names
}

func cutOf(incidents ...store.Incident) compose.Input {
	return compose.Input{Incidents: incidents, Window: time.Hour, Now: outage.Add(time.Hour)}
}

// groups are the causes as lists of titles.
func groups(causes []compose.Cause) string {
	var all []string
	for _, c := range causes {
		all = append(all, strings.Join(c.Incidents, " "))
	}
	return strings.Join(all, " | ")
}

func recovering(i store.Incident) store.Incident {
	for n := range i.Objects {
		i.Objects[n].State = store.Recovery
	}
	return i
}

func reopened(i store.Incident, before time.Duration) store.Incident {
	i.First, i.Again = i.Opened.Add(-before), 1
	return i
}

func TestCauses(t *testing.T) {
	noticed := began("logwatch", 1, "a")
	noticed.Objects[0] = store.Object{Name: "a", State: store.Notice}
	for name, c := range map[string]struct {
		in   []store.Incident
		want string
	}{
		"share hosts, the earliest first":      {[]store.Incident{began("disk", 4, "a", "b"), began("ssh", 0, "a", "b")}, "ssh disk"},
		"nothing shared":                       {[]store.Incident{began("disk", 4, "a"), began("ssh", 0, "b")}, ""},
		"too long after":                       {[]store.Incident{began("disk", 16, "a"), began("ssh", 0, "a")}, ""},
		"just in time":                         {[]store.Incident{began("disk", 15, "a"), began("ssh", 0, "a")}, "ssh disk"},
		"no chain of links":                    {[]store.Incident{began("one", 0, "a"), began("two", 14, "a"), began("three", 28, "a")}, "one two"},
		"short and full name of a host":        {[]store.Incident{began("disk", 1, "a.example.org"), began("ssh", 0, "a")}, "ssh disk"},
		"hosts of two domains":                 {[]store.Incident{began("disk", 1, "www.example.org"), began("http", 0, "www.example.net")}, ""},
		"host of a queue, and with a port":     {[]store.Incident{began("aborted", 1, "continuous@web1.example.org"), began("http", 0, "web1:443")}, "http aborted"},
		"addresses are no names":               {[]store.Incident{began("x", 1, "10.0.0.1"), began("y", 0, "10.0.0.2")}, ""},
		"the same address":                     {[]store.Incident{began("x", 1, "10.0.0.1"), began("y", 0, "10.0.0.1")}, "y x"},
		"without objects":                      {[]store.Incident{began("x", 1, ""), began("y", 0, "")}, ""},
		"notices have no cause":                {[]store.Incident{noticed, began("ssh", 0, "a")}, ""},
		"what recovered counts":                {[]store.Incident{began("disk", 4, "a"), recovering(began("ssh", 0, "a"))}, "ssh disk"},
		"one host of many is too little":       {[]store.Incident{began("disk", 1, row("a", 0, 6)...), began("ssh", 0, row("a", 5, 6)...)}, ""},
		"a service by name, no host":           {[]store.Incident{began("NFS read", 1, "c"), began("/mnt/nfs is stale", 0, "a", "b")}, "/mnt/nfs is stale NFS read"},
		"different services":                   {[]store.Incident{began("NFS read", 1, "c"), began("LDAP bind", 0, "a")}, ""},
		"half a word is no service":            {[]store.Incident{began("infsys", 1, "c"), began("NFS", 0, "a")}, ""},
		"comes and goes since an hour":         {[]store.Incident{reopened(began("disk", 60, "a"), time.Hour), began("ssh", 1, "a")}, "disk ssh"},
		"opened again after a day":             {[]store.Incident{reopened(began("disk", 0, "a"), 25*time.Hour), began("ssh", 1, "a")}, "disk ssh"},
		"two causes, that with most mail":      {[]store.Incident{began("a1", 0, "a"), began("b1", 1, "b", "c"), began("a2", 2, "a"), began("b2", 3, "b", "c")}, "b1 b2 | a1 a2"},
		"neighbours at one time stay apart":    {[]store.Incident{began("a1", 0, "a", "x"), began("a2", 0, "a", "x"), began("b1", 0, "b"), began("b2", 0, "b")}, "a1 a2 | b1 b2"},
		"what joins two":                       {[]store.Incident{began("puppet", 0, row("a", 0, 9)...), began("iowait", 1, row("b", 0, 9)...), began("disk", 2, append(row("a", 0, 9), row("b", 0, 9)...)...)}, "puppet iowait disk"},
		"groups that name one service are one": {[]store.Incident{began("stale file handle", 0, "a", "b"), began("ssh", 1, "a", "b"), began("k8s", 2, "check"), began("NFS write", 3, "check")}, "stale file handle ssh k8s NFS write"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := groups(Causes(cutOf(c.in...))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCauseInWords(t *testing.T) {
	in := cutOf(began("Free space", 0, row("exec", 1, 40)...), began("NFS write", 6, "check.example.org"), began("Puppet errors", 1, row("exec", 1, 40)...))
	in.Entries = []store.Entry{{
		Message: &store.Message{Reading: store.Reading{
			Signature: store.Signature{Variant: "df: <path>: Stale file handle"},
			Reports:   []store.Report{{State: store.Problem}},
		}},
		Copy: store.Copy{Incident: "Free space"},
	}}
	got := Causes(in)
	want := compose.Cause{
		Title:     "NFS on 41 objects",
		Incidents: []string{"Free space", "Puppet errors", "NFS write"},
		Reasons:   []string{"began within 6 minutes of each other", "share 40 objects", "2 of them speak of NFS"},
	}
	if len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	alone := Causes(cutOf(began("ssh", 0, "a.example"), began("disk", 0, "a")))
	if want := "[{disk on a [disk ssh] [began within a minute of each other share a]}]"; fmt.Sprint(alone) != want {
		t.Errorf("got %v, want %s", alone, want)
	}
}

// TestCausesFound plays days of 300 unrelated incidents with four outages in
// them, two at the same time, and counts pairs of incidents told together.
func TestCausesFound(t *testing.T) {
	var right, told, due int
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		incidents, truth := troubledDay(rnd)
		rnd.Shuffle(len(incidents), func(i, j int) { incidents[i], incidents[j] = incidents[j], incidents[i] })
		of := map[string]int{}
		for n, c := range Causes(cutOf(incidents...)) {
			for _, id := range c.Incidents {
				of[id] = n + 1
			}
		}
		for i, a := range incidents {
			for _, b := range incidents[:i] {
				together := of[a.ID] != 0 && of[a.ID] == of[b.ID]
				one := truth[a.ID] != 0 && truth[a.ID] == truth[b.ID]
				told += oneIf(together)
				due += oneIf(one)
				right += oneIf(together && one)
			}
		}
	}
	precision, recall := float64(right)/float64(told), float64(right)/float64(due)
	t.Logf("precision %.3f, recall %.3f", precision, recall)
	if precision < .95 || recall < .8 {
		t.Errorf("precision %.3f, recall %.3f; at least .95 and .8 are expected", precision, recall)
	}
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// troubledDay is a day of incidents on 1,000 hosts, 300 of them unrelated,
// and to which outage each belongs.
func troubledDay(rnd *rand.Rand) (all []store.Incident, truth map[string]int) {
	truth = map[string]int{}
	add := func(outage, minute int, hosts []string) {
		id := fmt.Sprintf("i%03d", len(all))
		all = append(all, began(id, minute, hosts...))
		truth[id] = outage
	}
	some := func(from, of, n int) []string {
		var names []string
		for range n {
			names = append(names, fmt.Sprintf("host%d", from+rnd.IntN(of)))
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	for range 300 {
		add(0, rnd.IntN(24*60), some(0, 1000, 1+rnd.IntN(3)))
	}
	for outage, at := range []int{60, 60, 500, 900} {
		for range 8 {
			add(outage+1, at+rnd.IntN(12), some(outage*100, 30, 8+rnd.IntN(20)))
		}
	}
	return all, truth
}

func BenchmarkCauses(b *testing.B) {
	spread, same := make([]store.Incident, 10_000), make([]store.Incident, 10_000)
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range spread {
		spread[i] = began(fmt.Sprintf("check %d", i), rnd.IntN(60), row("host", rnd.IntN(3000), 1+rnd.IntN(8))...)
		same[i] = began(fmt.Sprintf("check %d", i), 0, "host")
	}
	for name, incidents := range map[string][]store.Incident{"spread": spread, "one host": same} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Causes(cutOf(incidents...))
			}
		})
	}
}
