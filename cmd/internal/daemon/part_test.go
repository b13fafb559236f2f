package daemon

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"lull/cmd/internal/config"
	"lull/store"
)

func TestAskTellsWhyMailDoesNotLeave(t *testing.T) {
	answer := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answer) }))
	defer server.Close()
	short := config.Duration(2 * time.Second)
	for _, test := range []struct {
		how    config.Release
		answer int
		want   string // "" for none
	}{
		{config.Release{Command: "true", Timeout: short}, 0, ""},
		{config.Release{Command: "echo queue is frozen; exit 3", Timeout: short}, 0, "queue is frozen"},
		{config.Release{Command: "sleep 60", Timeout: config.Duration(50 * time.Millisecond)}, 0, "sleep 60"},
		{config.Release{Command: "/nowhere/check", Timeout: short}, 0, "/nowhere/check"},
		{config.Release{URL: server.URL, Timeout: short}, http.StatusNoContent, ""},
		{config.Release{URL: server.URL, Timeout: short}, http.StatusServiceUnavailable, "503"},
		{config.Release{URL: "http://127.0.0.1:1/", Timeout: short}, 0, "refused"},
	} {
		if test.answer != 0 {
			answer = test.answer
		}
		began := time.Now()
		err := new(releaseCheck).ask(context.Background(), test.how)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %q", test.how, err, test.want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%+v took %v", test.how, took)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestAnswerToAnOldQuestion does not count.
func TestAnswerToAnOldQuestion(t *testing.T) {
	var r releaseCheck
	old := config.Release{Command: "false"}
	r.set(old)
	r.learn(old, os.ErrDeadlineExceeded)
	if r.healthy(t.Context()) == nil {
		t.Error("a failed check is healthy")
	}
	r.set(config.Release{Command: "true"})
	r.learn(old, os.ErrDeadlineExceeded)
	if err := r.healthy(t.Context()); err != nil {
		t.Errorf("the old answer counts: %v", err)
	}
}

func TestEngineConfigIsTheConfiguration(t *testing.T) {
	c := config.Defaults(time.Hour)
	c.Schedule, c.Budget, c.Notices, c.PassBudget = "@hourly", 5, 2, 7
	c.Digest.From = "alerts@example.org"
	c.Reader = []config.Reader{{Name: "Anna@Example.org", Zone: "Europe/Berlin", Schedule: "0 8 * * *"}, {Name: "bob@example.org"}}
	got := engineConfig(c)
	if got.Budget != 5 || got.Notices != 2 || got.PassBudget != 7 || got.Schedule != "@hourly" || got.From != c.Digest.From || got.Window != time.Hour {
		t.Errorf("%+v", got)
	}
	if got.Schedules["anna@example.org"] != "CRON_TZ=Europe/Berlin 0 8 * * *" || len(got.Schedules) != 1 {
		t.Errorf("schedules %v", got.Schedules)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

// TestADelayIsNoReturn: a report that mail is late must not have its digest
// told again. The words are those of Postfix, Exim and sendmail.
func TestADelayIsNoReturn(t *testing.T) {
	for subject, want := range map[string]bool{
		"Delayed Mail (still being retried)":                true,
		"Warning: message 1abc delayed 24 hours":            true,
		"Warning: could not send message for past 4 hours":  true,
		"Undelivered Mail Returned to Sender":               false,
		"Mail delivery failed: returning message to sender": false,
		"Returned mail: see transcript for details":         false,
		"Delivery Status Notification (Failure)":            false,
	} {
		if got := delayed(store.Reading{Subject: subject}); got != want {
			t.Errorf("%q: got %v", subject, got)
		}
	}
}
