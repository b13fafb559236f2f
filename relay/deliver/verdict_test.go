package deliver

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"lull/store"
)

// TestVerdict holds the table of testdata/verdicts.txt: replies that real mail
// servers give, and what they mean.
func TestVerdict(t *testing.T) {
	f, err := os.Open("testdata/verdicts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		words := strings.SplitN(strings.Join(strings.Fields(line), " "), " ", 4)
		code, err := strconv.Atoi(words[2])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		text := strings.Join(words[3:], "")
		r := reply{code: code, lines: []string{text}, enhanced: enhancedCode(code, text)}
		got := verdict(words[1], r.code, r.enhanced, r.text())
		if got == "" {
			got = "ok"
		}
		if string(got) != words[0] {
			t.Errorf("%s: got %s", line, got)
		}
	}
	if n < 60 {
		t.Errorf("only %d lines in the table", n)
	}
}

// Whatever a server says at any stage has a verdict that fits its class.
func TestVerdictIsTotal(t *testing.T) {
	stages := []string{stageConnect, stageGreeting, stageEHLO, stageStartTLS, stageAuth, stageMail, stageRcpt, stageData, stageBody, stageDot, "", "other"}
	for _, stage := range stages {
		for code := 0; code < 700; code++ {
			for _, enhanced := range []string{"", fmt.Sprintf("%d.7.1", code/100)} {
				checkVerdict(t, stage, code, verdict(stage, code, enhanced, "whatever"))
			}
		}
	}
}

func checkVerdict(t *testing.T, stage string, code int, got store.Verdict) {
	t.Helper()
	success := code/100 == 2 && stage != stageData || code == 354 && stage == stageData
	permanent := got == store.MailFailed || got == store.RecipientFailed
	switch {
	case success != (got == ""):
		t.Errorf("%s %d: %q", stage, code, got)
	case permanent && code/100 != 5:
		t.Errorf("%s %d: %s, which is permanent", stage, code, got)
	case permanent && (aboutServer(stage) || stage == "" || stage == "other"):
		t.Errorf("%s %d: %s, although the mail was not named yet", stage, code, got)
	case got == store.RecipientFailed && stage != stageRcpt, got == store.MailFailed && stage == stageRcpt:
		t.Errorf("%s %d: %s", stage, code, got)
	}
}

// What only a person can mend is told as a fault of the way out, other
// refusals of recipients are not.
func TestDistrusted(t *testing.T) {
	for _, c := range []struct {
		stage string
		code  int
		text  string
		want  bool
	}{
		{stageRcpt, 554, "<b@example.net>: Relay access denied", true},
		{stageRcpt, 554, "<b@example.net>: Recipient address rejected: Access denied", true},
		{stageRcpt, 550, "relay not permitted", true},
		{stageRcpt, 530, "Authentication required", true},
		{stageRcpt, 550, "no such user", false},
		{stageRcpt, 452, "too many recipients", false},
		{stageRcpt, 450, "greylisted", false},
		{stageDot, 554, "relay access denied", false},
	} {
		r := store.Reply{Stage: c.stage, Code: c.code, Text: c.text, Verdict: verdict(c.stage, c.code, "", c.text)}
		if got := distrusted(r); got != c.want {
			t.Errorf("%v: %t", r, got)
		}
	}
}
