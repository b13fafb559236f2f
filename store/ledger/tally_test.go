package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lull/store"
)

// reports draws a message with some reports.
func reports(t *rapid.T) *store.Message {
	at := func(label string) time.Time {
		return benchStart.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, label)) * time.Minute)
	}
	m := &store.Message{Accepted: at("accepted")}
	names := []string{"0", "1", "2", "3", "4", "5", "6", "web1", "web1.example.org", "web1.example.net", "web2", "web2.example.org", "web3", "web3.example.org", "10.0.0.1"}
	for range rapid.IntRange(0, 3).Draw(t, "reports") {
		r := store.Report{
			Object:   rapid.SampledFrom(names).Draw(t, "object"),
			State:    rapid.SampledFrom([]store.State{store.Problem, store.Recovery, store.Notice}).Draw(t, "state"),
			Kind:     rapid.SampledFrom([]string{"", "flapping"}).Draw(t, "kind"),
			Severity: rapid.SampledFrom([]store.Severity{"", store.Critical, store.Warning, store.Unknown, store.Info}).Draw(t, "severity"),
		}
		if rapid.Bool().Draw(t, "dated") {
			r.Time = at("time")
		}
		m.Reading.Reports = append(m.Reading.Reports, r)
	}
	return m
}

// TestTallyKept keeps a tally as a record in between: it goes on as if nothing
// had happened, and its totals are those of all reports.
func TestTallyKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{2, 12, 100}).Draw(t, "limit")
		whole, broken := &tally{}, &tally{}
		copies, all := 0, 0
		for range rapid.IntRange(0, 30).Draw(t, "copies") {
			m := reports(t)
			copies, all = copies+1, all+len(m.Reading.Reports)
			whole.fold(m, limit)
			broken.fold(m, limit)
			if rapid.Bool().Draw(t, "keep") {
				broken = restored(broken.record())
			}
		}
		if diff := cmp.Diff(whole.record(), broken.record(), cmp.AllowUnexported()); diff != "" {
			t.Fatalf("kept in between it differs: %s", diff)
		}
		if whole.problems != broken.problems || whole.recoveries != broken.recoveries {
			t.Fatalf("%d problems and %d recoveries, want %d and %d", broken.problems, broken.recoveries, whole.problems, whole.recoveries)
		}
		sum, states := whole.others, map[store.State]int{}
		for _, o := range whole.list() {
			sum += o.Reports
			states[o.State]++
		}
		if sum != all || whole.copies != copies || states[store.Problem] != whole.problems || states[store.Recovery] != whole.recoveries {
			t.Fatalf("%d reports of %d copies, want %d of %d; %v", sum, whole.copies, all, copies, states)
		}
	})
}

// TestTallyState gives one object's reports in any order: the latest problem or recovery is its state.
func TestTallyState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tally := &tally{}
		var latest store.Report
		for _, minute := range rapid.SliceOfDistinct(rapid.IntRange(0, 100), rapid.ID[int]).Draw(t, "minutes") {
			r := store.Report{Object: "web1", Time: benchStart.Add(time.Duration(minute) * time.Minute),
				State: rapid.SampledFrom([]store.State{store.Problem, store.Recovery, store.Notice}).Draw(t, "state")}
			tally.fold(&store.Message{Accepted: benchStart.Add(3 * time.Hour), Reading: store.Reading{Reports: []store.Report{r}}}, 10)
			if r.State != store.Notice && r.Time.After(latest.Time) {
				latest = r
			}
		}
		if latest.State != "" && tally.list()[0].State != latest.State {
			t.Fatalf("state %s, the latest report says %s", tally.list()[0].State, latest.State)
		}
	})
}

// TestTallyHosts calls hosts by several names: one object as long as it is
// clear which host is meant.
func TestTallyHosts(t *testing.T) {
	many := strings.Fields("a1 a2 a3 a4 a5 a6 a7 a8 a9")
	for _, c := range []struct{ name, told, want string }{
		{"the full name later", "web1 web1.example.org web1", "web1.example.org:3"},
		{"the full name first", "web1.example.org web1", "web1.example.org:2"},
		{"two hosts", "web1.a.example web1.b.example web1", "web1.a.example:1 web1.b.example:1 web1:1"},
		{"two hosts, the short name first", "web1 web1.a.example web1.b.example web1", "web1.a.example:2 web1.b.example:1 web1:1"},
		{"a third", "web1.a.example web1.b.example web1 web1.c.example", "web1.a.example:1 web1.b.example:1 web1:1 web1.c.example:1"},
		{"jobs", "backup backup.daily backup.daily.v2", "backup:1 backup.daily:1 backup.daily.v2:1"},
		{"addresses and paths", "10.0.0.1 10 /dev/sda 100.example.org 100", "10.0.0.1:1 10:1 /dev/sda:1 100.example.org:1 100:1"},
	} {
		for _, before := range [][]string{nil, many} {
			t.Run(fmt.Sprint(c.name, len(before)), func(t *testing.T) {
				tally := &tally{}
				for _, name := range append(slices.Clone(before), strings.Fields(c.told)...) {
					tally.report(store.Report{Object: name, State: store.Problem}, benchStart, 100)
				}
				var got []string
				for _, o := range tally.list()[len(before):] {
					got = append(got, fmt.Sprintf("%s:%d", o.Name, o.Reports))
				}
				if told := strings.Join(got, " "); told != c.want {
					t.Errorf("got  %s\nwant %s", told, c.want)
				}
			})
		}
	}
}

func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := setOf(rapid.SliceOf(rapid.Uint64Range(1, 1<<40)).Draw(t, "numbers"))
		parts := rapid.IntRange(1, 9).Draw(t, "parts")
		all := split(set, parts)
		if len(all) > parts {
			t.Fatalf("%d parts of %d", len(all), parts)
		}
		var sum uint64
		top := uint64(0)
		for _, part := range all {
			if part.IsEmpty() || part.Minimum() <= top {
				t.Fatalf("part %s after %d", part, top)
			}
			top = part.Maximum()
			sum += part.GetCardinality()
			if part.GetCardinality() > set.GetCardinality()/uint64(parts)+1 {
				t.Fatalf("a part of %d of %d", part.GetCardinality(), set.GetCardinality())
			}
			part.AndNot(set)
			if !part.IsEmpty() {
				t.Fatalf("%s is not in the set", part)
			}
		}
		if sum != set.GetCardinality() {
			t.Fatalf("parts have %d of %d", sum, set.GetCardinality())
		}
	})
}

// TestCountedWithLock purges whenever an incident is being counted: after a
// few tries it is counted with the lock held, and told right.
func TestCountedWithLock(t *testing.T) {
	l := New(store.DefaultLimits(time.Hour))
	tx := memory{kept: &kept{}}
	for n := range 10 {
		m := alert(0)
		m.ID = fmt.Sprint(n)
		m.Reading.Reports[0].Object = fmt.Sprint(n)
		if err := l.Accept(tx, m, nil); err != nil {
			t.Fatal(err)
		}
	}
	purge := func(object int) {
		o := store.Operate{ID: fmt.Sprint("o", object), At: benchStart, Kind: store.OpPurge, Filter: fmt.Sprintf("--object %d", object)}
		if _, err := l.Operate(tx, o, nil); err != nil {
			t.Error(err)
		}
	}
	purge(0)
	calm := 0
	quiet := NewReads(l, func() (Source, error) { calm++; return tx, nil }, func() {})
	for range 2 {
		if i, err := quiet.Incident(t.Context(), "i1", benchStart); err != nil || i.ObjectCount != 9 || calm != 2 {
			t.Errorf("%d objects after %d sources; %v", i.ObjectCount, calm, err)
		}
	}
	purge(2)
	opened := 0
	reads := NewReads(l, func() (Source, error) {
		if opened++; opened%2 == 1 && opened < 7 { // counting, not installing
			purge(opened)
		}
		return tx, nil
	}, func() {})
	i, err := reads.Incident(t.Context(), "i1", benchStart)
	if err != nil || i.Copies != 5 || i.ObjectCount != 5 || opened != 7 {
		t.Errorf("%d copies, %d objects after %d sources; %v", i.Copies, i.ObjectCount, opened, err)
	}
}
