package admin

import (
	"testing"
	"time"

	"lull/store"
	"lull/store/filter"
)

// TestFixedSelectsTheSameLater holds every form of age and time against the
// filter itself at the moment of the dry run.
func TestFixedSelectsTheSameLater(t *testing.T) {
	now := time.Date(2019, 10, 7, 20, 15, 0, 0, time.UTC)
	filters := []string{
		"--older 1h", "--younger 10m", "--older 1h --older 2h", "--younger 10m --younger 3h",
		"--older 1h --until '2019-10-07 19:30'", "--older 10m --until '2019-10-07 19:00'",
		"--until 19:06 --until 19:30 --older 30m", "--since 19:06", "--younger 2h --since 19:00 --since 18:00",
		"--older 30m --younger 2h --from x@example.org", "--from x@example.org",
	}
	for _, text := range filters {
		f := mustParse(t, text)
		fix, err := fixed(f, now)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		later := now.Add(40 * time.Hour)
		for ago := -time.Minute; ago < 4*time.Hour; ago += time.Minute {
			for _, shift := range []time.Duration{-1, 0, 1} {
				e := sentAt(now.Add(-ago + shift))
				if was, is := f.Match(e, now, nil), fix.Match(e, later, nil); was != is {
					t.Errorf("%s became %s: mail sent %v before is matched %v, was %v", text, fix, ago-shift, is, was)
				}
			}
		}
	}
}

func TestStandingLeavesOutWhatIsNotOfMailToCome(t *testing.T) {
	got, err := standing(mustParse(t, "--id 01ABC --incident i1 --fate waiting --from 'cron@*' --older 1h"))
	if err != nil {
		t.Fatal(err)
	}
	if want := mustParse(t, "--from 'cron@*' --older 1h"); got.String() != want.String() {
		t.Errorf("got %s, want %s", got, want)
	}
}

func mustParse(t *testing.T, text string) filter.Filter {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sentAt(at time.Time) store.Entry {
	return store.Entry{Message: &store.Message{
		ID: "m", Accepted: at, Envelope: store.Envelope{From: "x@example.org"},
		Reading: store.Reading{Sent: at, Reports: []store.Report{{State: store.Problem}}},
	}, Copy: store.Copy{Index: 1, Number: 1}}
}
