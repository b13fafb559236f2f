package admin

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTokenStandsForWhatWasShown(t *testing.T) {
	now := time.Date(2019, 10, 7, 20, 15, 0, 0, time.UTC)
	s := shown{Kind: "purge", Filter: "--from a@b", Rule: "--from a@b", At: now, UpTo: 12345, Copies: 7, For: 6 * time.Hour}
	text, err := s.token()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseToken(text, now.Add(59*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if !got.At.Equal(s.At) {
		t.Errorf("at: got %v", got.At)
	}
	got.At = s.At
	if got != s {
		t.Errorf("got %+v, want %+v", got, s)
	}
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		t.Errorf("token %q needs quoting in a shell", text)
	}
}

func TestTokenThatIsNotWhole(t *testing.T) {
	now := time.Now()
	s := shown{Kind: "purge", Filter: "--from a@b", At: now}
	text, err := s.token()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "t", "x", text[:len(text)-1], text[1:], text + "A", "t" + strings.ToUpper(text[1:])} {
		if _, err := parseToken(bad, now); code(err) != Usage {
			t.Errorf("token %q: got %v, want a usage fault", bad, err)
		}
	}
	if _, err := parseToken(text, now.Add(2*time.Hour)); code(err) != Refused {
		t.Errorf("old token: got %v, want a refusal", err)
	}
}

func TestPlanRefusesWhatIsNotMeant(t *testing.T) {
	now := time.Now()
	purge := shown{Kind: "purge", Filter: "--from a@b", At: now, Copies: 1}
	token, err := purge.token()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Change{
		"empty filter":             {Kind: "purge"},
		"filter and all":           {Kind: "purge", Filter: "--from a@b", All: true},
		"unknown key":              {Kind: "purge", Filter: "--form a@b"},
		"no reason":                {Kind: "purge", Filter: "--from a@b", Act: true},
		"blank reason":             {Kind: "purge", Filter: "--from a@b", Act: true, Reason: " "},
		"token of another kind":    {Kind: "hold", Token: token, Act: true, Reason: "x"},
		"token and filter":         {Kind: "purge", Token: token, Filter: "--from c@d", Act: true, Reason: "x"},
		"token and for":            {Kind: "purge", Token: token, For: time.Hour, Act: true, Reason: "x"},
		"release that stands":      {Kind: "release", Filter: "--from a@b", For: time.Hour},
		"hold for ever":            {Kind: "hold", Filter: "--from a@b", Forever: true},
		"unknown kind":             {Kind: "delete", Filter: "--from a@b"},
		"a rule that matches all":  {Kind: "purge", Filter: "--incident i1", For: time.Hour},
		"a length that is no such": {Kind: "purge", Filter: "--from a@b", For: -time.Hour},
	} {
		if _, err := planOf(c, now); code(err) != Usage {
			t.Errorf("%s: got %v, want a usage fault", name, err)
		}
	}
	if _, err := planOf(Change{Kind: "purge", Token: token, Act: true, Reason: "x"}, now); err != nil {
		t.Errorf("a good token: %v", err)
	}
	if _, err := planOf(Change{Kind: "purge", All: true}, now); err != nil {
		t.Errorf("--all that was typed: %v", err)
	}
}

// code is the kind of failure that an answer would tell.
func code(err error) Code {
	if err == nil {
		return ""
	}
	var f *Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return fault(err).Code
}
