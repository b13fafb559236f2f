package compose_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lull/digest/compose"
	"lull/digest/compose/composetest"
	"lull/store"
	"lull/store/filter"
)

// TestAddsUp composes random cuts, recounts them, and reads the counts back
// out of the mail.
func TestAddsUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := randomCut(rt)
		raw, told, err := compose.Mail(in)
		if err != nil {
			rt.Fatal(err)
		}
		m := parse(rt, raw)
		check(rt, in, raw, told, m)
		if want := recount(in); want != counted(told) {
			rt.Errorf("told %+v, recounted %+v", counted(told), want)
		}
		if n := headings(string(m.text)); n != len(in.Entries) {
			rt.Errorf("the parts' headings add up to %d, the cut has %d:\n%s", n, len(in.Entries), m.text)
		}
	})
}

func randomCut(t *rapid.T) compose.Input {
	now := composetest.At("16:00")
	b := composetest.New(composetest.Host, composetest.Reader, now)
	titles := rapid.IntRange(1, 60).Draw(t, "titles")
	for range rapid.IntRange(1, 150).Draw(t, "mails") {
		n := rapid.IntRange(0, titles-1).Draw(t, "title")
		at := now.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "age")) * time.Minute)
		m := composetest.Mail{
			At: at, Sent: at.Add(-time.Duration(rapid.IntRange(-90, 90).Draw(t, "transit")) * time.Minute),
			Title:   fmt.Sprintf("kind %d of trouble", n),
			Object:  rapid.SampledFrom([]string{"", "a", "db-1", "db-2", "db-3", "db-4", "db-05", "web1.example", "web2.example"}).Draw(t, "object"),
			State:   rapid.SampledFrom([]store.State{store.Problem, store.Problem, store.Recovery, store.Notice}).Draw(t, "state"),
			Earlier: rapid.IntRange(0, 5).Draw(t, "earlier") == 0, Excerpt: "what it says\nand more",
		}
		switch rapid.IntRange(0, 12).Draw(t, "fate") {
		case 0:
			m.Silenced = "r1"
		case 1:
			m.Shown = "notice"
		case 2:
			m.Joined, m.Title = "more than 5 in an hour", "passed "+m.Title
			m.Earlier = false
		}
		b.Add(m)
	}
	in := b.Input()
	in.MaxBytes = rapid.SampledFrom([]int{0, compose.MinBytes, 30_000}).Draw(t, "bytes")
	in.Level = compose.Level(rapid.IntRange(0, 2).Draw(t, "level"))
	if n := len(in.Incidents); n > 2 {
		in.Causes = []compose.Cause{{Title: "one", Incidents: []string{in.Incidents[0].ID, in.Incidents[n/2].ID, in.Incidents[n-1].ID}},
			{Title: "two", Incidents: []string{in.Incidents[0].ID, in.Incidents[1].ID, "none"}, Reasons: []string{"because"}}}
	}
	return in
}

// counts are those of compose.Told that follow from the copies alone.
type counts struct{ Copies, Late, Silenced, Shown, Incidents, Objects int }

func counted(t compose.Told) counts {
	return counts{t.Copies, t.Late, t.Silenced, t.Shown, t.Incidents, t.Objects}
}

func recount(in compose.Input) counts {
	var c counts
	seen := map[string]bool{}
	for _, e := range in.Entries {
		c.Copies++
		name := e.Copy.Incident
		if name == "" {
			name = e.Message.Reading.Signature.ID
		}
		if !seen[name] {
			seen[name] = true
			c.Incidents++
		}
		switch {
		case e.Copy.Silenced != "":
			c.Silenced++
			continue
		case in.Now.Sub(filter.Sent(e.Message)) > 61*time.Minute:
			c.Late++
		}
		if e.Shown != "" {
			c.Shown++
		}
	}
	for name := range seen {
		c.Objects += objects(in, name)
	}
	return c
}

// objects are the distinct names of an incident: as the store has it, or of
// the copies that have none.
func objects(in compose.Input, incident string) int {
	names := map[string]bool{}
	for _, i := range in.Incidents {
		if i.ID == incident {
			for _, o := range i.Objects {
				names[o.Name] = true
			}
		}
	}
	for _, e := range in.Entries {
		if e.Copy.Incident == "" && e.Message.Reading.Signature.ID == incident {
			names[e.Message.Reading.Reports[0].Object] = true
		}
	}
	delete(names, "")
	return len(names)
}

var heading = regexp.MustCompile(`(?m)^[A-Z][A-Z ,]+  .*?(?:([\d,]+) mails?)?\n-{72}$`)

// headings adds up the mails in the headings of a plain text.
func headings(text string) int {
	sum := 0
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		sum += plain(m[1])
	}
	return sum
}

// TestLate tells late mail in the late part only, at the edges of lateness.
func TestLate(t *testing.T) {
	now := composetest.At("16:00")
	for age, late := range map[time.Duration]bool{
		0: false, time.Hour: false, 61 * time.Minute: false, 61*time.Minute + time.Second: true, 29 * 24 * time.Hour: true,
		31 * 24 * time.Hour: false, -time.Hour: false,
	} {
		b := composetest.New(composetest.Host, composetest.Reader, now)
		b.Add(composetest.Mail{At: now, Sent: now.Add(-age), Title: "disk full", Object: "a", State: store.Problem})
		raw, told, err := compose.Mail(b.Input())
		if err != nil {
			t.Fatal(err)
		}
		text := string(parse(t, raw).text)
		if (told.Late == 1) != late || strings.Contains(text, "LATE ") != late || strings.Contains(text, "NEW AND OPEN") == late {
			t.Errorf("age %v: late %d, want %v:\n%s", age, told.Late, late, text)
		}
		if doubtful := age < 0 || age > 30*24*time.Hour; strings.Contains(text, "impossible time") != doubtful {
			t.Errorf("age %v: marked as impossible, or not:\n%s", age, text)
		}
	}
}
